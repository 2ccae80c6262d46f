"""Whether two settings differ by more than the repeats of one setting differ among themselves."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from components.checks.similarity import similarity
from components.experiments.permutation import similarity_matrix

FEWEST_REPEATS = 4
"""The repeats that each of two settings needs for a comparison.

Three and three have only 20 arrangements, each with an equally extreme mirror image: the smallest possible p is
2 in 20, however clear the difference. With four and four it is 2 in 70.
"""

CHANCE = 0.05
"""A difference counts when chance alone gives it in fewer cases than this."""
_RESAMPLES = 999
_SEED = 0


class Verdict(StrEnum):
    """The result of a comparison of two settings."""

    TOO_FEW = "too few"
    """One of the settings has fewer than ``FEWEST_REPEATS`` repeats."""
    AS_MUCH = "as much"
    """The difference is within that of repeats of one setting."""
    MORE = "more"
    """Chance alone gives such a difference in fewer than 5 % of cases."""


@dataclass(frozen=True)
class Spread:
    """The spread of values: median, minimum, maximum and count."""

    median: float
    low: float
    high: float
    count: int


def spread(values: Sequence[float]) -> Spread | None:
    """The spread of the values, in their unit; None without values."""
    if not values:
        return None
    return Spread(statistics.median(values), min(values), max(values), len(values))


def similarities_within(answers: Sequence[str]) -> list[float]:
    """The similarity of each answer to each later one."""
    return [similarity(first, second) for first, second in combinations(answers, 2)]


def similarities_between(answers: Sequence[str], others: Sequence[str]) -> list[float]:
    """The similarity of each of the answers to each of the others."""
    return [similarity(first, second) for first, second in product(answers, others)]


def compare_answers(base: Sequence[str], other: Sequence[str]) -> Verdict:
    """Whether answers of two settings are less similar than answers of one. Deterministic for equal input.

    A permutation test: the mean similarity within settings minus that between them is compared with its values when
    the answers are reassigned to the settings: in all ways if there are at most 999, else in 999 random ways plus the
    observed one: B. Phipson, G. K. Smyth, "Permutation P-values should never be zero", Statistical Applications in
    Genetics and Molecular Biology 9 (2010).
    """
    if min(len(base), len(other)) < FEWEST_REPEATS:
        return Verdict.TOO_FEW
    # Imported on use: it takes longer to load than Streamlit.
    import scipy.stats

    matrix = similarity_matrix([*base, *other], similarity)
    pairs_within = len(base) * (len(base) - 1) + len(other) * (len(other) - 1)

    def closer_within(base_rows: NDArray[np.intp], other_rows: NDArray[np.intp], axis: int) -> NDArray[np.float64]:
        # SciPy passes many permutations at once, each along the last axis.
        within = _sum_of_pairs(matrix, base_rows, base_rows) + _sum_of_pairs(matrix, other_rows, other_rows)
        between = _sum_of_pairs(matrix, base_rows, other_rows)
        return within / pairs_within - between / (len(base) * len(other))

    rows = np.arange(len(matrix))
    test = scipy.stats.permutation_test(
        (rows[: len(base)], rows[len(base) :]),
        closer_within,
        vectorized=True,
        n_resamples=_RESAMPLES,
        alternative="greater",
        rng=np.random.default_rng(_SEED),
    )
    return _verdict(float(test.pvalue))


def compare_numbers(base: Sequence[float], other: Sequence[float]) -> Verdict:
    """Whether a measure, in any unit, tends to be higher in one setting than in the other.

    The two-sided U test: H. B. Mann, D. R. Whitney, "On a test of whether one of two random variables is
    stochastically larger than the other", Annals of Mathematical Statistics 18 (1947).
    """
    if min(len(base), len(other)) < FEWEST_REPEATS:
        return Verdict.TOO_FEW
    return _verdict(chance_of_numbers(base, other))


def chance_of_numbers(base: Sequence[float], other: Sequence[float]) -> float:
    """The probability of such a difference by chance alone, from the test of ``compare_numbers``."""
    import scipy.stats

    return float(scipy.stats.mannwhitneyu(base, other, alternative="two-sided").pvalue)


def _sum_of_pairs(
    matrix: NDArray[np.float64], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float64]:
    total: NDArray[np.float64] = matrix[rows[..., :, np.newaxis], columns[..., np.newaxis, :]].sum(axis=(-2, -1))
    return total


def _verdict(probability: float) -> Verdict:
    return Verdict.MORE if probability < CHANCE else Verdict.AS_MUCH
