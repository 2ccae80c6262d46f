"""The numbers of runs side by side: which can be compared, and which is the best."""

from __future__ import annotations

from collections.abc import Mapping

from components.live.status_words import duration, was_cut
from components.log.record import NUMBERS, RunRecord
from components.streaming.outcome import Status

_NOTICED_WAIT_MS = 10.0
"""A wait for a slot below this changes no number that a person looks at."""


def incomparable(record: RunRecord) -> list[str]:
    """Why the times of a run cannot be held against those of others, in words; empty when they can."""
    reasons = []
    if record.attempts > 1:
        reasons.append(f"tried {record.attempts} times")
    if (record.queued_ms or 0.0) >= _NOTICED_WAIT_MS:
        reasons.append(f"waited {duration(record.queued_ms)} for a slot")
    if record.cached_tokens:
        reasons.append(f"{record.cached_tokens} prompt tokens from a cache")
    return reasons


def bests(records: Mapping[str, RunRecord]) -> dict[str, str]:
    """The name of the run that is best in each number of which one end is the better one, by the number's field.

    An answer that was cut, or did not end well, is left out, and so is one whose times are not comparable. Where fewer
    than two are left, or two share the first place, there is no best.
    """
    found = {}
    comparable = {name: record for name, record in records.items() if _takes_part(record)}
    for field, number in NUMBERS.items():
        if number.less_is_better is None:
            continue
        values = {name: value for name, one in comparable.items() if (value := getattr(one, field)) is not None}
        ranked = sorted(values, key=lambda name: values[name], reverse=not number.less_is_better)
        if len(ranked) > 1 and values[ranked[0]] != values[ranked[1]]:
            found[field] = ranked[0]
    return found


def _takes_part(record: RunRecord) -> bool:
    return record.status == Status.OK and not was_cut(record) and not incomparable(record)
