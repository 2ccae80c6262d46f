"""Numbers of an answer that a sweep looks at."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from enum import Enum
from itertools import pairwise

from components.experiments.noise import similarity
from components.experiments.numbers import incomparable
from components.runs.run import RunRecord
from components.streaming.outcome import Status


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
        """Whether it is held against the other repeats of the same request, not against those of the base."""
        return self is SweepMeasure.DETERMINISM

    def of(self, record: RunRecord, base_answers: Sequence[str] = ()) -> float | None:
        """The number, in the measure's unit; None when the run has none, or did not end well.

        The three times are None, too, where something names them incomparable. ``base_answers`` are what the similarity
        is to, on average: for an answer of the base they are the base's others. For the determinism, the share of those
        that are the same, they are the other repeats of the same request.
        """
        if record.status != Status.OK:
            return None
        match self:
            case SweepMeasure.LENGTH:
                return len(record.text)
            case SweepMeasure.COMPLETION_TOKENS:
                return record.completion_tokens
            case SweepMeasure.TTFT:
                return _if_comparable(record, record.ttft_ms)
            case SweepMeasure.DECODE_RATE:
                return _if_comparable(record, record.tokens_per_second)
            case SweepMeasure.TOTAL:
                return _if_comparable(record, record.total_ms)
            case SweepMeasure.DISTINCT_2:
                return distinct_2(record.text)
            case SweepMeasure.SIMILARITY:
                return mean_similarity(record.text, base_answers)
            case SweepMeasure.DETERMINISM:
                return statistics.fmean(text == record.text for text in base_answers) if base_answers else None


def distinct_2(text: str) -> float | None:
    """The share of different ones among all pairs of neighbouring words, from above 0 to 1; None below two words.

    Words are what white space parts. After J. Li et al., "A Diversity-Promoting Objective Function for Neural
    Conversation Models", NAACL 2016, who divide by the number of words, not of pairs: here a text without a repetition
    has 1, however short it is.
    """
    pairs = list(pairwise(text.split()))
    return len(set(pairs)) / len(pairs) if pairs else None


def mean_similarity(answer: str, base_answers: Sequence[str]) -> float | None:
    """How alike an answer is to those of the base on average, from 0 to 1; None when the base has none."""
    if not base_answers:
        return None
    return statistics.fmean(similarity(answer, base) for base in base_answers)


def _if_comparable(record: RunRecord, value: float | None) -> float | None:
    return None if incomparable(record) else value
