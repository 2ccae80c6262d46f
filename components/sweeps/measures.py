"""Numbers of an answer that a sweep looks at."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType

from components.experiments.noise import similarity
from components.sweeps.cell_result import CellResult

_NOT_READ: Mapping[str, float] = MappingProxyType({})


class SweepMeasure(Enum):
    """A number of an answer: its name in a sentence, and its unit, which is empty for a share from 0 to 1."""

    LENGTH = ("length", "characters")
    COMPLETION_TOKENS = ("completion tokens", "tokens")
    TTFT = ("TTFT", "ms")
    DECODE_RATE = ("decode rate", "tokens/s")
    TOTAL = ("total time", "ms")
    DISTINCT_2 = ("distinct-2", "")
    SIMILARITY = ("similarity to the base", "")
    DETERMINISM = ("determinism", "")

    def __init__(self, label: str, unit: str) -> None:
        self.label = label
        self.unit = unit

    @property
    def is_of_repeats(self) -> bool:
        """Whether it is held against the other repeats of the same request, so that it is no number of one answer."""
        return self is SweepMeasure.DETERMINISM

    def of(
        self, result: CellResult, repeats: Sequence[CellResult] = (), alike: Mapping[str, float] = _NOT_READ
    ) -> float | None:
        """The number, in the measure's unit; None when the run has none, or did not end well.

        The three times are None, too, where something names them incomparable. The determinism is the share of the same
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
            case SweepMeasure.TTFT:
                return _if_comparable(result, result.ttft_ms)
            case SweepMeasure.DECODE_RATE:
                return _if_comparable(result, result.tokens_per_second)
            case SweepMeasure.TOTAL:
                return _if_comparable(result, result.total_ms)
            case SweepMeasure.DISTINCT_2:
                return result.distinct_2
            case SweepMeasure.SIMILARITY:
                return alike.get(result.id)
            case SweepMeasure.DETERMINISM:
                return statistics.fmean(other.digest == result.digest for other in repeats) if repeats else None


def mean_similarity(answer: str, base_answers: Sequence[str]) -> float | None:
    """How alike an answer is to those of the base on average, from 0 to 1; None when the base has none."""
    if not base_answers:
        return None
    return statistics.fmean(similarity(answer, base) for base in base_answers)


def _if_comparable(result: CellResult, value: float | None) -> float | None:
    return None if result.incomparable else value
