"""The measures of an answer that a sweep compares."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from components.checks.similarity import similarity
from components.experiments.cell_result import CellResult
from components.log.record import NUMBERS, OF_ANSWER, TIMED

_NOT_READ: Mapping[str, float] = MappingProxyType({})

_Read = Callable[[CellResult, Sequence[CellResult], Mapping[str, float]], float | None]


@dataclass(frozen=True)
class SweepMeasure:
    """A number of an answer: its name in a sentence, and its unit, which is empty for a share and a plain number.

    ``timed`` is the field of a run that it reads, if load affects it; ``of_answer`` that of a number of its tokens.
    """

    label: str
    unit: str
    read: _Read
    timed: str | None = None
    of_answer: str | None = None

    @property
    def definition(self) -> str:
        """The meaning of a number of a run; empty for others."""
        field = self.timed or self.of_answer
        return NUMBERS[field].definition if field else ""

    @property
    def is_of_repeats(self) -> bool:
        """Whether it compares an answer with the other repeats of its request."""
        return self is DETERMINISM

    def of(
        self, result: CellResult, repeats: Sequence[CellResult] = (), scores: Mapping[str, float] = _NOT_READ
    ) -> float | None:
        """The number, in the measure's unit; None when the run has none, or did not end well.

        Times and rates are also None where they are incomparable. The determinism is the share of identical answers
        among ``repeats``, the other runs of the same request that ended well. The similarity needs whole texts:
        ``scores`` maps run ids to it where the texts were read.
        """
        if not result.ended_well or (self.timed and result.incomparable):
            return None
        return self.read(result, repeats, scores)


def _timed(name: str) -> SweepMeasure:
    return SweepMeasure(NUMBERS[name].label, NUMBERS[name].unit, lambda result, *_: result.timed[name], name)


def _of_answer(name: str) -> SweepMeasure:
    number = NUMBERS[name]
    return SweepMeasure(number.label, number.unit, lambda result, *_: result.of_answer.get(name), of_answer=name)


def _same_answers(result: CellResult, repeats: Sequence[CellResult], _scores: Mapping[str, float]) -> float | None:
    return statistics.fmean(other.digest == result.digest for other in repeats) if repeats else None


LENGTH = SweepMeasure("length", "characters", lambda result, *_: result.characters)
COMPLETION_TOKENS = SweepMeasure("completion tokens", "tokens", lambda result, *_: result.completion_tokens)
TIMED_MEASURES = {name: _timed(name) for name in TIMED if NUMBERS[name].unit}
"""The measures that load affects, by their field of a run."""
ANSWER_MEASURES = {name: _of_answer(name) for name in OF_ANSWER}
"""The measures of the probabilities of an answer's tokens, by their field of a run."""
DISTINCT_2 = SweepMeasure("distinct-2", "", lambda result, *_: result.distinct_2)
SIMILARITY = SweepMeasure("similarity to the base", "", lambda result, _repeats, scores: scores.get(result.id))
DETERMINISM = SweepMeasure("determinism", "", _same_answers)
MEASURES = (
    LENGTH,
    COMPLETION_TOKENS,
    *TIMED_MEASURES.values(),
    DISTINCT_2,
    SIMILARITY,
    DETERMINISM,
    *ANSWER_MEASURES.values(),
)


def mean_similarity(answer: str, base_answers: Sequence[str]) -> float | None:
    """The mean similarity of an answer to those of the base, from 0 to 1; None when the base has none."""
    if not base_answers:
        return None
    return statistics.fmean(similarity(answer, base) for base in base_answers)


def closed_loop(at_once: int) -> str:
    """One sentence on how the load was made, without which times and rates cannot be read."""
    load = "one request at a time" if at_once == 1 else f"at most {at_once:,} concurrent requests"
    return f"Closed loop: {load}, the next is sent when one has ended. Independent arrivals would have other times."
