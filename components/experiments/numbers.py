"""Compares the numbers of runs: which are comparable, and which run is best."""

from __future__ import annotations

from collections.abc import Mapping

from components.live.status_words import duration, was_cut
from components.log.record import NUMBERS, RunRecord
from components.streaming.outcome import Status

_NOTICED_WAIT_MS = 10.0
"""A shorter wait for a slot changes no displayed number."""


def incomparable(record: RunRecord) -> list[str]:
    """Why the times of a run are not comparable with others; empty when they are."""
    cached = [f"{record.cached_tokens} prompt tokens from a cache"] if record.cached_tokens else []
    return disturbed(record) + cached


def disturbed(record: RunRecord) -> list[str]:
    """Why the times of a run are not those of its request alone; empty when they are."""
    reasons = []
    if record.attempts > 1:
        reasons.append(f"{record.attempts} attempts")
    if (record.queued_ms or 0.0) >= _NOTICED_WAIT_MS:
        reasons.append(f"waited {duration(record.queued_ms)} for a slot")
    return reasons


def bests(records: Mapping[str, RunRecord]) -> dict[str, str]:
    """The name of the best run in each number that has a better end, by the number's field.

    Truncated answers, runs that did not end well and runs with incomparable times are excluded. With fewer than two
    left, or a tie for first place, there is no best.
    """
    best = {}
    comparable = {name: record for name, record in records.items() if _takes_part(record)}
    for field, number in NUMBERS.items():
        if number.less_is_better is None:
            continue
        values = {name: value for name, run in comparable.items() if (value := getattr(run, field)) is not None}
        ranked = sorted(values, key=lambda name: values[name], reverse=not number.less_is_better)
        if len(ranked) > 1 and values[ranked[0]] != values[ranked[1]]:
            best[field] = ranked[0]
    return best


def _takes_part(record: RunRecord) -> bool:
    return record.status == Status.OK and not was_cut(record) and not incomparable(record)
