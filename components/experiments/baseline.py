"""Whether measures got worse since a baseline: by more than chance, and by more than a tolerance.

All comparisons of a report are one family: their probabilities are corrected after S. Holm, "A simple sequentially
rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from components.checks.similarity import similarity
from components.experiments.cases import Case, answers_of, by_row
from components.experiments.noise import CHANCE, FEWEST_REPEATS, chance_of_numbers
from components.experiments.permutation import permuted, same, similarity_matrix
from components.experiments.thresholds import ANSWERS, DETERMINISM, GAUGES, PASS_RATE, SUCCESS_RATE, Tolerance

_RESAMPLES = 9_999
_SEED = 0


class Change(StrEnum):
    """The result of a comparison with a baseline."""

    NONE = "no more than chance"
    TOLERATED = "more than chance, and within the tolerance"
    BETTER = "better"
    WORSE = "worse"
    TOO_FEW = "too few repeats to tell"
    ABSENT = "not in both"


@dataclass(frozen=True)
class Comparison:
    """One measure of one row against the baseline; ``before`` and ``now`` are in the measure's unit.

    For answers, ``before`` is the similarity among the baseline's and ``now`` that of both. ``chance`` is the corrected
    probability of such a difference by chance alone.
    """

    row: str
    measure: str
    change: Change
    before: float | None = None
    now: float | None = None
    chance: float | None = None
    repeats_needed: int | None = None


@dataclass(frozen=True)
class _Measured:
    row: str
    measure: str
    before: float
    now: float
    chance: float
    least_chance: Callable[[int], float]
    """The smallest probability that is possible with this number of repeats of each input."""
    repeats: int


def compare_with_baseline(
    cases: Sequence[Case], baseline: Sequence[Case], tolerances: Mapping[str, Tolerance]
) -> list[Comparison]:
    """Each tolerated measure of each row against the same row of the baseline, in their order. Deterministic."""
    before, now = by_row(baseline), by_row(cases)
    results: list[_Measured | Comparison] = []
    for row, cases_now in now.items():
        for measure in tolerances:
            measured = _measured(row, measure, before.get(row, []), cases_now)
            results.append(measured or Comparison(row, measure, Change.ABSENT))
    family = [each for each in results if isinstance(each, _Measured)]
    chances = iter(_corrected([each.chance for each in family]))
    return [
        _judged(each, next(chances), len(family), tolerances[each.measure]) if isinstance(each, _Measured) else each
        for each in results
    ]


def _judged(measured: _Measured, chance: float, family: int, tolerance: Tolerance) -> Comparison:
    gauge = GAUGES[measured.measure]
    difference = measured.now - measured.before
    allowed = tolerance.amount * abs(measured.before) if tolerance.relative else tolerance.amount
    needed = None
    if measured.repeats < FEWEST_REPEATS or measured.least_chance(measured.repeats) * family >= CHANCE:
        change = Change.TOO_FEW
        counts = range(max(measured.repeats, FEWEST_REPEATS), 1_000)
        needed = next((count for count in counts if measured.least_chance(count) * family < CHANCE), None)
    elif chance >= CHANCE:
        change = Change.NONE
    elif gauge.less_is_better is not None and (difference < 0) == gauge.less_is_better:
        change = Change.BETTER
    else:
        # Rounding of binary fractions must not make 0.3 - 0.2 more than 0.1.
        change = Change.WORSE if abs(difference) > allowed * (1 + 1e-9) else Change.TOLERATED
    return Comparison(measured.row, measured.measure, change, measured.before, measured.now, chance, needed)


def _measured(row: str, measure: str, before: Sequence[Case], now: Sequence[Case]) -> _Measured | None:
    if measure in (ANSWERS, DETERMINISM):
        return _measured_answers(row, measure, before, now)
    earlier, later = (case_values(measure, cases) for cases in (before, now))
    if not earlier or not later:
        return None
    middle: Callable[[Iterable[float]], float] = statistics.fmean if GAUGES[measure].share else statistics.median
    test: Callable[[Sequence[float], Sequence[float]], float]
    test = chance_of_shares if GAUGES[measure].share else chance_of_numbers
    inputs = len({case.input_number for case in now})

    def least(repeats: int) -> float:
        low, high = [0.0] * (repeats * inputs), [1.0] * (repeats * inputs)
        if not GAUGES[measure].share:
            low, high = [float(n) for n in range(len(low))], [float(n + len(low)) for n in range(len(low))]
        return test(low, high)

    repeats = min(len(earlier), len(later)) // inputs
    return _Measured(row, measure, middle(earlier), middle(later), test(earlier, later), least, repeats)


def case_values(measure: str, cases: Sequence[Case]) -> list[float]:
    """The values of a measure, one for each case that has it; shares are 0 and 1. Determinism has none."""
    if measure == SUCCESS_RATE:
        return [float(case.problem is None) for case in cases]
    if measure == PASS_RATE:
        return [float(case.passed) for case in cases if case.passed is not None]
    return [case.values[measure] for case in cases if measure in case.values]


def chance_of_shares(before: Sequence[float], now: Sequence[float]) -> float:
    """Fisher's exact test of two shares of 0 and 1."""
    import scipy.stats

    table = np.array([[sum(values), len(values) - sum(values)] for values in (before, now)], dtype=int)
    return float(scipy.stats.fisher_exact(table).pvalue)


def _measured_answers(row: str, measure: str, before: Sequence[Case], now: Sequence[Case]) -> _Measured | None:
    """Permutes the answers to each input between the baseline and now.

    Of answers it tests whether those of different experiments are less similar than those of one; of determinism,
    whether equal ones have become rarer.
    """
    compare = similarity if measure == ANSWERS else same
    earlier, later = answers_of(before), answers_of(now)
    pairs = [(earlier.get(place, []), texts) for place, texts in later.items()]
    groups = [pair for pair in pairs if min(map(len, pair)) >= 2]
    if not groups:
        return None
    rng = np.random.default_rng(_SEED)
    observed, resampled = np.zeros(2), np.zeros(_RESAMPLES)
    for texts, others in groups:
        matrix = similarity_matrix([*texts, *others], compare)
        actual, shuffled = permuted(matrix, len(texts), _RESAMPLES, rng, between=measure == ANSWERS)
        observed += actual
        resampled += shuffled
    drop = float(observed[0] - observed[1])
    chance = (1 + int(np.sum(resampled >= drop - 1e-12))) / (_RESAMPLES + 1)
    equal_assignments = 2 if measure == ANSWERS else 1

    def least(repeats: int) -> float:
        chance_of_group = equal_assignments / math.comb(2 * repeats, repeats) if repeats else 1.0
        return float(max(chance_of_group ** len(groups), 1 / (_RESAMPLES + 1)))

    repeats = min(min(len(texts), len(others)) for texts, others in groups)
    first, second = (float(value) / len(groups) for value in observed)
    return _Measured(row, measure, first, second, chance, least, repeats)


def _corrected(chances: Sequence[float]) -> list[float]:
    """Holm's corrected probabilities, in the given order."""
    corrected = [0.0] * len(chances)
    highest = 0.0
    for place, number in enumerate(sorted(range(len(chances)), key=lambda number: chances[number])):
        highest = max(highest, min(1.0, chances[number] * (len(chances) - place)))
        corrected[number] = highest
    return corrected
