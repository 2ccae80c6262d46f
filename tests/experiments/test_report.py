"""A report: the result of each check, limit and comparison, and of the whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.checks.check import Result
from components.checks.kinds import read_check
from components.contract.chunk import Usage
from components.experiments.cases import Case, TimeForChecks, case_of
from components.experiments.report import Outcome, Report, report_on
from components.experiments.rules import Rules, read_rules
from components.streaming.moments import Timings
from components.streaming.outcome import Status
from tests.experiments.conftest import a_run

PARIS = read_rules("checks:\n  - contains: Paris\n")


def a_case(text: str, rules: Rules = PARIS, *, row: str = "base", number: int = 0, **values: float) -> Case:
    record = a_run(text).record()
    made = case_of(record, row, number, rules.checks, {})
    return Case(**{**vars(made), "values": {**made.values, **values}})


def report(*cases: Case, rules: Rules = PARIS) -> Report:
    return report_on("e" * 32, "Capitals", cases, rules)


def sentences(found: Report, outcome: Outcome) -> list[str]:
    return [finding.sentence for finding in found.findings if finding.outcome is outcome]


def test_a_report_passes_when_all_answers_pass() -> None:
    found = report(a_case("Paris"), a_case("In Paris."))
    assert found.outcome is Outcome.PASSED
    assert sentences(found, Outcome.PASSED) == ["All 2 runs ended well.", "2 of 2 pass."]
    assert found.outcome.exit_code == 0


def test_one_failed_answer_fails_the_report_with_its_reason_and_run() -> None:
    bad = a_case("Rome", row="temperature 1")
    found = report(a_case("Paris"), bad)
    assert found.outcome.exit_code == 1
    [finding] = [finding for finding in found.findings if finding.outcome is Outcome.FAILED]
    assert (finding.row, finding.subject) == ("temperature 1", "contains “Paris”")
    assert finding.sentence == "1 of 1 fail: “Paris” is not in the answer."
    assert finding.run_ids == (bad.run_id,)


@pytest.mark.parametrize(("least", "outcome"), [(0.5, Outcome.PASSED), (0.6, Outcome.FAILED)])
def test_a_pass_rate_limit_replaces_the_results_of_single_answers(least: float, outcome: Outcome) -> None:
    rules = read_rules(f"checks:\n  - contains: Paris\nlimits:\n  - pass_rate: {{at_least: {least}}}\n")
    assert report(a_case("Paris"), a_case("Rome"), rules=rules).outcome is outcome


@pytest.mark.parametrize(
    ("limit", "outcome", "sentence", "runs"),
    [
        ("ttft_ms: {at_most: 200}", Outcome.PASSED, "200 ms; the limit is at most 200 ms (n = 3).", ""),
        ("ttft_ms: {at_most: 199}", Outcome.FAILED, "200 ms; the limit is at most 199 ms (n = 3).", "12"),
        ("ttft_ms: {of: max, at_most: 250}", Outcome.FAILED, "300 ms; the limit is at most 250 ms (n = 3).", "2"),
        (
            "ttft_ms: {of: mean, at_least: 100, at_most: 250}",
            Outcome.PASSED,
            "200 ms; the limit is at least 100 ms and ",
            "",
        ),
        ("ttft_ms: {of: p95, at_most: 280}", Outcome.FAILED, "290 ms; ", "2"),
        ("determinism: {at_least: 0.5}", Outcome.FAILED, "33.3 %; the limit is at least 50.0 % (n = 3).", "012"),
        ("success_rate: {at_least: 1}", Outcome.PASSED, "100.0 %; ", ""),
        ("cost: {at_most: 1}", Outcome.UNKNOWN, "No run has the measure cost.", ""),
    ],
)
def test_a_limit_applies_to_each_row_and_names_the_runs_beyond_it(
    limit: str, outcome: Outcome, sentence: str, runs: str
) -> None:
    rules = read_rules(f"limits:\n  - {limit}\n")
    times = [a_case(text, rules, ttft_ms=ms) for text, ms in (("a", 100.0), ("b", 200.0), ("a", 300.0))]
    found = report(*times, rules=rules)
    assert found.outcome is outcome
    assert found.findings[-1].sentence.startswith(sentence)
    assert found.findings[-1].run_ids == tuple(times[int(number)].run_id for number in runs)


def test_a_run_without_an_answer_makes_the_report_undecided_unless_a_limit_allows_it() -> None:
    broken = case_of(a_run("", Status.ERROR, message="It broke.").record(), "base", 0, PARIS.checks, {})
    found = report(a_case("Paris"), broken)
    assert found.outcome.exit_code == 2
    assert sentences(found, Outcome.UNKNOWN) == ["1 of 2 runs did not end well: It broke."]
    allowed = read_rules("checks:\n  - contains: Paris\nlimits:\n  - success_rate: {at_least: 0.5}\n")
    assert report(a_case("Paris"), broken, rules=allowed).outcome is Outcome.PASSED


def test_a_failure_outweighs_unknown_results() -> None:
    broken = case_of(a_run("", Status.ERROR).record(), "base", 0, PARIS.checks, {})
    assert report(a_case("Rome"), broken).outcome is Outcome.FAILED


def test_an_impossible_check_does_not_pass() -> None:
    rules = read_rules("checks:\n  - judge: Is it good? {{answer}}\n")
    assert report(a_case("x", rules), rules=rules).outcome is Outcome.UNKNOWN


def test_a_report_without_cases_does_not_pass() -> None:
    assert report().outcome is Outcome.UNKNOWN


def test_each_input_has_its_own_findings() -> None:
    found = report(a_case("Paris", number=1), a_case("Rome", number=2))
    assert [finding.row for finding in found.findings] == ["base", "base, input 1", "base, input 2"]


def test_a_judge_is_asked_about_successful_answers_only() -> None:
    check = read_check("judge", "{{answer}}")
    good, bad = a_run("x").record(), a_run("", Status.ERROR).record()
    judged = []

    def ask(_check: object, answer: object, _record: object) -> Result:
        judged.append(answer)
        return Result(True, "It is good.")

    results = [case_of(record, "base", 0, [check], {}, ask=ask).results[0].passed for record in (good, bad)]
    assert results == [True, None]
    assert len(judged) == 1


def test_a_comparison_with_a_baseline_names_the_changes_and_the_repeats_needed() -> None:
    rules = read_rules("tolerances:\n  ttft_ms: 10 %\n  length: 0\n")
    slow = [a_case("abc", rules, ttft_ms=200.0 + ms) for ms in range(6)]
    quick = [a_case("abc", rules, ttft_ms=100.0 + ms) for ms in range(6)]
    found = report_on("e" * 32, "", slow, rules, baseline=quick)
    assert found.outcome is Outcome.FAILED
    assert sentences(found, Outcome.FAILED) == [
        "102.5 ms → 202.5 ms: more than chance (p = 0.0043) and more than the tolerance of 10 %."
    ]
    few = report_on("e" * 32, "", slow[:3], rules, baseline=quick)
    assert few.outcome is Outcome.UNKNOWN
    assert "too few repeats to tell. 5 of each are needed." in sentences(few, Outcome.UNKNOWN)[0]
    assert report_on("e" * 32, "", slow, rules, baseline=slow).outcome is Outcome.PASSED
    assert report_on("e" * 32, "", slow, rules, baseline=[]).outcome is Outcome.UNKNOWN


def test_times_with_a_cached_prompt_count_and_a_change_names_the_difference_in_caching() -> None:
    rules = read_rules("tolerances:\n  ttft_ms: 10 %\nlimits:\n  - ttft_ms: {at_most: 60}\n")
    timings = Timings(ttft_ms=50.0)
    [quick, slow] = [
        [
            case_of(a_run("x", usage=Usage(9, 1, 10, cached), timings=times).record(), "base", 0, (), {})
            for times in [replace(timings, ttft_ms=ms + number) for number in range(6)]
        ]
        for ms, cached in ((50.0, 7), (100.0, None))
    ]
    assert report(*quick, rules=rules).outcome is Outcome.PASSED
    assert sentences(report_on("e" * 32, "", slow, rules, baseline=quick), Outcome.FAILED)[1].endswith(
        "tolerance of 10 %. Prompts came from a cache in 0 of 6 runs, and before in 6 of 6 runs."
    )


def test_a_page_stops_checking_at_its_time_limit() -> None:
    record = a_run("Rome").record()
    result, checked = TimeForChecks(1.0).result(record, PARIS.checks, {})
    assert (result.passed, result.check, checked) == (False, "contains “Paris”: “Paris” is not in the answer.", True)
    result, checked = TimeForChecks(0.0).result(record, PARIS.checks, {})
    assert (result.passed, checked) == (None, False)
    assert result.check.startswith("Not checked yet")
    assert TimeForChecks(0.0).result(record, (), {})[1] is True
