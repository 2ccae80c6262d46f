"""The samples of a measure at several times: their level, their noise, and the chance of a change."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import product, starmap

import numpy as np

from components.checks.similarity import similarity
from components.experiments.baseline import chance_of_shares
from components.experiments.noise import FEWEST_REPEATS, chance_of_numbers
from components.experiments.permutation import Floats, permuted, same, similarity_matrix
from components.experiments.thresholds import ANSWERS, DETERMINISM, GAUGES

_RESAMPLES, _FIRST_RESAMPLES, _PRECISE_RESAMPLES = 999, 199, 9_999
_SEED = 0
_CLEARLY_CHANCE = 0.05
_MAX_INPUTS = 10
_MAX_BEFORE = 32
"""Answers to one input with which those of a time are compared: the time for all pairs is bounded."""


_Sample = Mapping[tuple[str, int], Sequence[str]]
"""Answers by row and input."""


class _Numbers:
    """Samples are lists of numbers. Shares are those of 0 and 1."""

    def __init__(self, share: bool) -> None:
        self._share = share

    def count(self, sample: Sequence[float]) -> int:
        """The number of values in a sample."""
        return len(sample)

    def level(self, sample: Sequence[float], before: Sequence[Sequence[float]]) -> float:
        """The value of a sample, where the samples ``before`` it have the same level."""
        return statistics.fmean(sample) if self._share else statistics.median(sample)

    def changed(self, sample: Sequence[float], before: Sequence[Sequence[float]]) -> float:
        """The value of a sample that differs from those before."""
        return self.level(sample, before)

    def usual(self, samples: Sequence[Sequence[float]]) -> float:
        """The value of several samples together."""
        return self.level(_joined(samples), ())

    def chance(self, before: Sequence[Sequence[float]], sample: Sequence[float]) -> float:
        """The probability that a sample differs so much from those before by chance alone; 1 for too few values."""
        pooled = _joined(before)
        if min(len(pooled), len(sample)) < FEWEST_REPEATS:
            return 1.0
        return (chance_of_shares if self._share else chance_of_numbers)(pooled, sample)

    def band(self, samples: Sequence[Sequence[float]], count: int) -> tuple[float, float]:
        """The range of 95 % of the levels of samples of this size. Deterministic."""
        drawn = np.random.default_rng(_SEED).choice(np.asarray(_joined(samples)), (_RESAMPLES, count))
        return _middle_of(drawn.mean(axis=1) if self._share else np.median(drawn, axis=1))


class _Answers:
    """Samples are answers by row and input. The level is the similarity to the answers before, or for the determinism
    the share of equal answers among the repeats.
    """

    def __init__(self, measure: str) -> None:
        self._between = measure == ANSWERS
        self._similarity = lru_cache(200_000)(similarity) if self._between else same

    def count(self, sample: _Sample) -> int:
        return sum(map(len, sample.values()))

    def level(self, sample: _Sample, before: Sequence[_Sample]) -> float:
        if not self._between or not before:
            return self.usual([sample])
        pairs = (pair for old, new in self._parts(before, sample) for pair in product(old, new))
        return statistics.fmean(starmap(self._similarity, pairs))

    def changed(self, sample: _Sample, before: Sequence[_Sample]) -> float:
        """The similarity to those before, or among themselves where that has changed more and increased."""
        usual = self.usual(before)
        return max(self.level(sample, before), self.usual([sample]), key=lambda level: abs(level - usual))

    def usual(self, samples: Sequence[_Sample]) -> float:
        """The mean over all pairs of answers to the same input."""
        matrices = [self._matrix(texts) for texts in self._pooled(samples).values() if len(texts) > 1]
        return statistics.fmean(float(each.sum() / (len(each) * (len(each) - 1))) for each in matrices)

    def chance(self, before: Sequence[_Sample], sample: _Sample) -> float:
        parts = [part for part in self._parts(before, sample) if min(map(len, part)) >= FEWEST_REPEATS]
        matrices = [(self._matrix([*old, *new]), len(old)) for old, new in parts]
        chance = 1.0
        # Nearly all times are unchanged, which few arrangements show.
        for resamples in (_FIRST_RESAMPLES, _PRECISE_RESAMPLES) if matrices else ():
            rng = np.random.default_rng(_SEED)
            observed, shuffled = 0.0, np.zeros(resamples)
            for matrix, count in matrices:
                actual, differences = permuted(matrix, count, resamples, rng, between=self._between)
                observed += float(actual[0] - actual[1])
                shuffled += differences
            if not self._between:  # determinism changes in both directions
                observed, shuffled = abs(observed), np.abs(shuffled)
            chance = (1 + int(np.sum(shuffled >= observed - 1e-12))) / (resamples + 1)
            if chance > _CLEARLY_CHANCE:
                break
        return chance

    def band(self, samples: Sequence[_Sample], count: int) -> tuple[float, float]:
        rng = np.random.default_rng(_SEED)
        pooled = [texts for texts in self._pooled(samples).values() if len(texts) > 1]
        each = max(2, round(count / max(len(pooled), 1)))
        levels = np.zeros(_RESAMPLES)
        for texts in pooled:
            matrix, size = self._matrix(texts), len(texts)
            drawn = rng.integers(0, size, (_RESAMPLES, each))
            others = rng.integers(0, size, (_RESAMPLES, each)) if self._between else drawn
            # A text drawn twice is one text, and no pair of equal ones.
            pairs = drawn[:, :, None] != others[:, None, :]
            sums = matrix[drawn[:, :, None], others[:, None, :]].sum(axis=(1, 2), where=pairs)
            levels += sums / np.maximum(pairs.sum(axis=(1, 2)), 1)
        return _middle_of(levels / max(len(pooled), 1))

    def _matrix(self, texts: Sequence[str]) -> Floats:
        return similarity_matrix(texts, self._similarity)

    def _pooled(self, samples: Sequence[_Sample]) -> dict[tuple[str, int], list[str]]:
        numbers = sorted({number for sample in samples for number in sample})[:_MAX_INPUTS]
        joined = {number: [text for sample in samples for text in sample.get(number, ())] for number in numbers}
        return {number: texts[-_MAX_BEFORE:] for number, texts in joined.items()}

    def _parts(self, before: Sequence[_Sample], sample: _Sample) -> list[tuple[list[str], list[str]]]:
        """For each input of both, the last answers before and those of the sample."""
        now = self._pooled([sample])
        return [(texts, now[number]) for number, texts in self._pooled(before).items() if texts and now.get(number)]


Samples = _Numbers | _Answers
"""Evaluates the samples of one measure; a sample has its values at one time."""


def samples_of(measure: str) -> Samples:
    """How to read a measure: answers, or numbers."""
    return _Answers(measure) if measure in (ANSWERS, DETERMINISM) else _Numbers(GAUGES[measure].share)


def _joined(samples: Sequence[Sequence[float]]) -> list[float]:
    return [value for sample in samples for value in sample]


def _middle_of(levels: Floats) -> tuple[float, float]:
    low, high = np.quantile(levels, (0.025, 0.975))
    return float(low), float(high)
