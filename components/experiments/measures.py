"""Numbers of an answer that a sweep looks at."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType

from components.experiments.cell_result import CellResult
from components.experiments.noise import similarity
from components.log.numbers import NUMBERS

_NOT_READ: Mapping[str, float] = MappingProxyType({})


class SweepMeasure(Enum):
    """A number of an answer: its name in a sentence, and its unit, which is empty for a share from 0 to 1.

    ``timed`` is the field of a run that it reads, if its load changes it.
    """

    LENGTH = ("length", "characters")
    COMPLETION_TOKENS = ("completion tokens", "tokens")
    TTFT = ("TTFT", "ms", "ttft_ms")
    TTFO = ("TTFO", "ms", "ttfo_ms")
    DECODE_RATE = ("decode rate", "tokens/s", "tokens_per_second")
    GAP_P50 = ("chunk gap p50", "ms", "gap_p50_ms")
    GAP_P95 = ("chunk gap p95", "ms", "gap_p95_ms")
    GAP_MAX = ("chunk gap max", "ms", "gap_max_ms")
    TOTAL = ("total time", "ms", "total_ms")
    DISTINCT_2 = ("distinct-2", "")
    SIMILARITY = ("similarity to the base", "")
    DETERMINISM = ("determinism", "")

    def __init__(self, label: str, unit: str, timed: str | None = None) -> None:
        self.label = label
        self.unit = unit
        self.timed = timed

    @property
    def definition(self) -> str:
        """What a number that was timed means; empty for the others."""
        return NUMBERS[self.timed].definition if self.timed else ""

    @property
    def is_of_repeats(self) -> bool:
        """Whether it is held against the other repeats of the same request, so that it is no number of one answer."""
        return self is SweepMeasure.DETERMINISM

    def of(
        self, result: CellResult, repeats: Sequence[CellResult] = (), alike: Mapping[str, float] = _NOT_READ
    ) -> float | None:
        """The number, in the measure's unit; None when the run has none, or did not end well.

        Times and rates are None, too, where something names them incomparable. The determinism is the share of the same
        answers among ``repeats``, which are the other ones of the same request that ended well. The similarity needs
        whole texts: ``alike`` has it by the run's id, as far as they were read.
        """
        if not result.ended_well:
            return None
        match self:
            case SweepMeasure.LENGTH:
                return result.characters
            case SweepMeasure.COMPLETION_TOKENS:
                return result.completion_tokens
            case SweepMeasure.DISTINCT_2:
                return result.distinct_2
            case SweepMeasure.SIMILARITY:
                return alike.get(result.id)
            case SweepMeasure.DETERMINISM:
                return statistics.fmean(other.digest == result.digest for other in repeats) if repeats else None
            case _:
                return None if result.incomparable or self.timed is None else getattr(result, self.timed)


def mean_similarity(answer: str, base_answers: Sequence[str]) -> float | None:
    """How alike an answer is to those of the base on average, from 0 to 1; None when the base has none."""
    if not base_answers:
        return None
    return statistics.fmean(similarity(answer, base) for base in base_answers)


def closed_loop(at_once: int) -> str:
    """One sentence on how the load was made, without which times and rates cannot be read."""
    load = "one request under way" if at_once == 1 else f"at most {at_once:,} requests under way at once"
    return f"Closed loop: {load}, the next is sent when one has ended; not how it is when requests come by themselves."
