"""The findings of an experiment under its rules, and whether they pass."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from components.experiments.baseline import Change, Comparison, case_values, compare_with_baseline
from components.experiments.cases import CACHED_TOKENS, Case, by_row
from components.experiments.measures import TIMED_MEASURES
from components.experiments.rules import Rules
from components.experiments.thresholds import DETERMINISM, GAUGES, PASS_RATE, SUCCESS_RATE, Limit


class Outcome(StrEnum):
    """Whether a finding, or a report, passes."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "cannot be told"
    """A run has no answer, a check could not be made, or the repeats are too few."""

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        return {Outcome.PASSED: 0, Outcome.FAILED: 1, Outcome.UNKNOWN: 2}[self]


@dataclass(frozen=True)
class Finding:
    """One finding on a row, or on one of its inputs. ``run_ids`` are the runs that show it."""

    row: str
    subject: str
    outcome: Outcome
    sentence: str
    run_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """An experiment with its cases and findings. ``problem`` says why runs are missing."""

    experiment_id: str
    name: str
    cases: tuple[Case, ...]
    findings: tuple[Finding, ...]
    problem: str | None = None

    @property
    def outcome(self) -> Outcome:
        """Failed when any finding is, else the worst of them."""
        outcomes = {finding.outcome for finding in self.findings}
        if Outcome.FAILED in outcomes:
            return Outcome.FAILED
        return Outcome.UNKNOWN if Outcome.UNKNOWN in outcomes or self.problem or not self.cases else Outcome.PASSED


def report_on(
    experiment_id: str,
    name: str,
    cases: Sequence[Case],
    rules: Rules,
    *,
    baseline: Sequence[Case] | None = None,
    problem: str | None = None,
) -> Report:
    """The report on an experiment's cases; without ``baseline`` the tolerances are not applied."""
    findings = []
    rows = by_row(cases)
    for row, row_cases in rows.items():
        findings += _of_runs(row, row_cases, rules)
        for number in dict.fromkeys(case.input_number for case in row_cases):
            findings += _of_checks(row, [case for case in row_cases if case.input_number == number], rules)
        findings += [_of_limit(row, row_cases, measure, limit) for measure, limit in rules.limits]
    if baseline is not None:
        before = by_row(baseline)
        for compared in compare_with_baseline(cases, baseline, rules.tolerances):
            findings.append(_of_comparison(compared, rules, rows[compared.row], before.get(compared.row, [])))
    return Report(experiment_id, name, tuple(cases), tuple(findings), problem)


def _of_runs(row: str, cases: Sequence[Case], rules: Rules) -> list[Finding]:
    broken = [case for case in cases if case.problem]
    if not broken:
        return [Finding(row, "runs", Outcome.PASSED, f"All {len(cases):,} runs ended well.")]
    has_limit = any(measure == SUCCESS_RATE for measure, _limit in rules.limits)
    sentence = f"{len(broken):,} of {len(cases):,} runs did not end well: {broken[0].problem}"
    outcome = Outcome.PASSED if has_limit else Outcome.UNKNOWN
    return [Finding(row, "runs", outcome, sentence, tuple(case.run_id for case in broken))]


def _of_checks(row: str, cases: Sequence[Case], rules: Rules) -> list[Finding]:
    has_limit = any(measure == PASS_RATE for measure, _limit in rules.limits)
    answered = [case for case in cases if not case.problem]
    which = f", input {cases[0].input_number}" if cases[0].input_number else ""
    findings = []
    for number, check in enumerate(rules.checks if answered else ()):
        results = [(case, case.results[number]) for case in answered]
        failed = [(case, result) for case, result in results if result.passed is False]
        unknown = [(case, result) for case, result in results if result.passed is None]
        shown = failed or unknown
        what = f"{len(failed):,} of {len(results):,} fail" if failed else f"{len(unknown):,} of {len(results):,} untold"
        sentence = f"{what}: {shown[0][1].reason}" if shown else f"{len(results):,} of {len(results):,} pass."
        outcome = Outcome.FAILED if failed else Outcome.UNKNOWN if unknown else Outcome.PASSED
        if failed and has_limit:
            outcome = Outcome.PASSED
        runs = tuple(case.run_id for case, _result in shown)
        findings.append(Finding(f"{row}{which}", check.words, outcome, sentence, runs))
    return findings


_OF: Mapping[str, Callable[[Sequence[float]], float]] = {
    "median": statistics.median,
    "mean": statistics.fmean,
    "min": min,
    "max": max,
    "p95": lambda values: statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0],
}


def _of_limit(row: str, cases: Sequence[Case], measure: str, limit: Limit) -> Finding:
    gauge = GAUGES[measure]
    of = "mean" if gauge.share else limit.of
    subject = f"limit: {gauge.label}" + ("" if gauge.share else f" ({of})")
    values = gauge_values(measure, cases)
    if not values:
        return Finding(row, subject, Outcome.UNKNOWN, f"No run has the measure {gauge.label}{_why_not(cases)}.")
    value = _OF[of](values)
    limits = {"at least": limit.at_least, "at most": limit.at_most}
    bounds = [f"{which} {number_in_words(measure, bound)}" for which, bound in limits.items() if bound is not None]
    sentence = f"{number_in_words(measure, value)}; the limit is {' and '.join(bounds)} (n = {len(values):,})."
    if not limit.is_broken_by(value):
        return Finding(row, subject, Outcome.PASSED, sentence)
    # The runs that are beyond the limit alone, or else all.
    breaking = tuple(case.run_id for case in cases if any(map(limit.is_broken_by, gauge_values(measure, [case]))))
    return Finding(row, subject, Outcome.FAILED, sentence, breaking or tuple(case.run_id for case in cases))


def _why_not(cases: Sequence[Case]) -> str:
    reason = next((case.incomparable for case in cases if case.incomparable), "")
    return f" in a comparable form: {reason}" if reason else ""


def gauge_values(measure: str, cases: Sequence[Case]) -> list[float]:
    """The values of a measure like those of ``case_values``; determinism is the share of a case's repeats."""
    return _sameness(cases) if measure == DETERMINISM else case_values(measure, cases)


def _sameness(cases: Sequence[Case]) -> list[float]:
    answered = [case for case in cases if not case.problem]
    shares = []
    for case in answered:
        others = [other for other in answered if other is not case and other.input_number == case.input_number]
        if others:
            shares.append(statistics.fmean(other.answer == case.answer for other in others))
    return shares


def _of_comparison(compared: Comparison, rules: Rules, cases: Sequence[Case], baseline: Sequence[Case]) -> Finding:
    gauge = GAUGES[compared.measure]
    tolerance = rules.tolerances[compared.measure]
    subject = f"baseline: {gauge.label}"
    if compared.before is None or compared.now is None:
        sentence = f"The baseline and this experiment do not both have the measure {gauge.label} here."
        return Finding(compared.row, subject, Outcome.UNKNOWN, sentence)
    numbers = [number_in_words(compared.measure, number) for number in (compared.before, compared.now)]
    change = f"{numbers[0]} → {numbers[1]}"
    match compared.change:
        case Change.TOO_FEW:
            needs = f" {compared.repeats_needed} of each are needed." if compared.repeats_needed else ""
            return Finding(compared.row, subject, Outcome.UNKNOWN, f"{change}: too few repeats to tell.{needs}")
        case Change.WORSE:
            sentence = (
                f"{change}: more than chance (p = {compared.chance:.2g}) and more than the tolerance of {tolerance}."
            )
            if compared.measure in TIMED_MEASURES:
                sentence += _in_cache(cases, baseline)
            return Finding(compared.row, subject, Outcome.FAILED, sentence, tuple(case.run_id for case in cases))
        case Change.TOLERATED:
            sentence = f"{change}: more than chance, within the tolerance of {tolerance}."
        case _:
            sentence = f"{change}: {compared.change.value}."
    return Finding(compared.row, subject, Outcome.PASSED, sentence)


def _in_cache(cases: Sequence[Case], baseline: Sequence[Case]) -> str:
    """A sentence where an endpoint that now reads other shares of the prompts from its cache may explain the times."""
    shares = [[bool(case.values.get(CACHED_TOKENS)) for case in part] for part in (cases, baseline)]
    now, before = (f"{sum(share):,} of {len(share):,} runs" for share in shares)
    return f" Prompts came from a cache in {now}, and before in {before}." if now != before else ""


def number_in_words(measure: str, number: float) -> str:
    """A value of a measure with its unit."""
    gauge = GAUGES[measure]
    if gauge.share:
        return f"{number * 100:.1f} %"
    return f"{number:,.4g} {gauge.unit}".strip() if abs(number) < 1e4 else f"{number:,.0f} {gauge.unit}".strip()
