"""The numbers of runs side by side: which can be compared, and which is the best."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from components.live.status import duration, was_cut
from components.log.record import RunRecord
from components.streaming.outcome import Status

_NOTICED_WAIT_MS = 10.0
"""A wait for a slot below this changes no number that a person looks at."""


class Measure(Enum):
    """A number of a run of which one end is the better one: its name, and whether less is better."""

    TTFT = ("TTFT", True)
    DECODE_RATE = ("tokens/s", False)
    TOTAL = ("total", True)

    def __init__(self, label: str, less_is_better: bool) -> None:
        self.label = label
        self.less_is_better = less_is_better

    def of(self, record: RunRecord) -> float | None:
        """The number: milliseconds, or tokens per second."""
        match self:
            case Measure.TTFT:
                return record.ttft_ms
            case Measure.DECODE_RATE:
                return record.tokens_per_second
            case Measure.TOTAL:
                return record.total_ms


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


def bests(records: Mapping[str, RunRecord]) -> dict[Measure, str]:
    """The name of the run that is best in each measure.

    An answer that was cut, or did not end well, is left out, and so is one whose times are not comparable. Where fewer
    than two are left, or two share the first place, there is no best.
    """
    found = {}
    comparable = {name: record for name, record in records.items() if _takes_part(record)}
    for measure in Measure:
        values = {name: value for name, record in comparable.items() if (value := measure.of(record)) is not None}
        ranked = sorted(values, key=lambda name: values[name], reverse=not measure.less_is_better)
        if len(ranked) > 1 and values[ranked[0]] != values[ranked[1]]:
            found[measure] = ranked[0]
    return found


def _takes_part(record: RunRecord) -> bool:
    return record.status == Status.OK and not was_cut(record) and not incomparable(record)
