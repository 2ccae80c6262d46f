"""The runs of an experiment with the results of its checks: what a report, a limit and a baseline read."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

from components.checks.check import Answer, Check, Result
from components.checks.judge import Judge
from components.checks.results import all_passed, answer_of, check_answer, opinion_in_log
from components.endpoints.endpoint import Prices
from components.experiments import sentences
from components.experiments.cell_result import CellResult, distinct_2, result_of
from components.experiments.numbers import disturbed
from components.experiments.thresholds import COST
from components.log.record import TIMED, RunRecord

_TWO_SIDED_95 = NormalDist().inv_cdf(0.975)

CACHED_TOKENS = "cached_tokens"
"""A value of a case that is no measure; it explains times."""

Ask = Callable[[Judge, Answer, RunRecord], Result]
"""Gives the opinion of a judge on a run's answer."""


@dataclass(frozen=True)
class Case:
    """One run of an experiment.

    ``row`` names its lane or row and ``input_number`` its input, 0 without a data set. ``results`` are those of the
    checks in their order. ``values`` has the run's numbers by their names in files. ``problem`` says why there is no
    complete answer.
    """

    row: str
    input_number: int
    repeat: int
    run_id: str
    status: str
    problem: str | None = None
    results: tuple[Result, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)
    answer: str = ""
    incomparable: str = ""
    """Why the run's times are not comparable with others, and therefore not among its values.

    A cached prompt is no reason: the same experiment again finds it in the cache, too.
    """

    @property
    def passed(self) -> bool | None:
        """Whether the answer passes all checks; None when that is unknown, and without checks."""
        return None if self.problem else all_passed(self.results)

    def first_problem(self, checks: Sequence[Check]) -> str:
        """The first check that fails, or that could not be made, with its reason; empty when all pass."""
        if self.problem:
            return ""
        pairs = list(zip(checks, self.results, strict=True))
        shown = [(check, result) for check, result in pairs if result.passed is False] or [
            (check, result) for check, result in pairs if result.passed is None
        ]
        return f"{shown[0][0].words}: {shown[0][1].reason}" if shown else ""


def case_of(
    record: RunRecord,
    row: str,
    input_number: int,
    checks: Sequence[Check],
    values: Mapping[str, str],
    *,
    prices: Prices | None = None,
    ask: Ask | None = None,
) -> Case:
    """The case of a run. ``values`` are those of its input; without ``ask`` only kept opinions of judges count."""
    problem = answer_of(record).problem
    disturbance = ", ".join(disturbed(record))
    return Case(
        row,
        input_number,
        record.repeat or 0,
        record.id,
        record.status,
        problem,
        tuple(results_on(record, checks, values, ask)),
        {} if problem else _values(record, prices, timed=not disturbance),
        record.text,
        disturbance,
    )


def results_on(
    record: RunRecord, checks: Sequence[Check], values: Mapping[str, str], ask: Ask | None = None
) -> list[Result]:
    """The results of checks on a run's answer. ``ask`` asks a judge unless the run keeps its opinion."""
    answer = answer_of(record)
    results = []
    for check in checks:
        result = None
        if isinstance(check, Judge) and not answer.problem:
            judge = check.with_values(values)
            result = opinion_in_log(judge, record)
            if ask and (result is None or result.passed is None):
                result = ask(judge, answer, record)
        results.append(result or check_answer(check, answer, values))
    return results


def by_row(cases: Iterable[Case]) -> dict[str, list[Case]]:
    """The cases of each row."""
    rows: dict[str, list[Case]] = {}
    for case in cases:
        rows.setdefault(case.row, []).append(case)
    return rows


def answers_of(cases: Iterable[Case]) -> dict[tuple[str, int], list[str]]:
    """The complete answers by row and input."""
    answers: dict[tuple[str, int], list[str]] = {}
    for case in cases:
        if not case.problem:
            answers.setdefault((case.row, case.input_number), []).append(case.answer)
    return answers


@dataclass
class TimeForChecks:
    """The time that a page gives to checks: one draw must not take minutes."""

    left_s: float

    def result(self, record: RunRecord, checks: Sequence[Check], values: Mapping[str, str]) -> tuple[CellResult, bool]:
        """The result of a cell with that of its checks, and whether they were made; nothing is judged."""
        if not checks or record.running:
            return result_of(record), True
        if self.left_s <= 0:
            return result_of(record, None, sentences.NOT_CHECKED_YET), False
        began = time.monotonic()
        case = case_of(record, "", 0, checks, values)
        self.left_s -= time.monotonic() - began
        return result_of(record, case.passed, case.first_problem(checks)), True


@dataclass(frozen=True)
class PassRate:
    """The share of answers that pass, with Wilson's 95 % interval; ``count`` are those of which it is known."""

    rate: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.rate:.0%} ({self.low:.0%} to {self.high:.0%}, n = {self.count:,})"


def pass_rate(passed: int, count: int) -> PassRate:
    """The pass rate and its confidence interval; ``count`` is at least one."""
    # Scipy has the interval, too, but takes more than a second to load.
    rate, z = passed / count, _TWO_SIDED_95
    middle = (rate + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(rate * (1 - rate) / count + (z / (2 * count)) ** 2)
    # Rounding must not leave a rate of 0 or 1 outside its interval.
    return PassRate(rate, min(max(middle - half, 0.0), rate), max(min(middle + half, 1.0), rate), count)


def rate_in_words(passed: Iterable[bool | None]) -> str:
    """The pass rate in words; a dash when it is known of no answer."""
    known = [each for each in passed if each is not None]
    return str(pass_rate(sum(known), len(known))) if known else "–"


def _values(record: RunRecord, prices: Prices | None, *, timed: bool) -> dict[str, float]:
    numbers: dict[str, float | None] = {
        "length": len(record.text),
        "completion_tokens": record.completion_tokens,
        "distinct_2": distinct_2(record.text),
        CACHED_TOKENS: record.cached_tokens,
        COST: _cost(record, prices),
    }
    if timed:
        numbers |= {name: getattr(record, name) for name in TIMED}
    return {name: float(number) for name, number in numbers.items() if number is not None}


def _cost(record: RunRecord, prices: Prices | None) -> float | None:
    if prices is None or record.prompt_tokens is None or record.completion_tokens is None:
        return None
    return prices.cost(record.prompt_tokens, record.completion_tokens)
