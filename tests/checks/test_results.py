"""The stored checks of a run: whether its answer passes, and each result with its reason."""

from __future__ import annotations

import pytest

from components.checks.check import Result
from components.checks.judge import Judge
from components.checks.kinds import read_check
from components.checks.results import AnswerChecks, StoredResult, all_passed, facts_of, in_words, stored_results
from components.log.record import RunRecord
from components.runs.run import Run
from components.streaming.outcome import Outcome, Status
from tests.orders import order, text_event

CHECKS = AnswerChecks((read_check("contains", "{{capital}}"), read_check("length", 3.0)), {"capital": "Paris"})


def ended(checks: AnswerChecks | None, text: str = "It is Paris.", status: Status = Status.OK) -> RunRecord:
    run = Run(order(checks=checks))
    run.take(text_event(text))
    run.finish(Outcome(status))
    return run.record()


def test_a_run_ends_with_the_results_of_its_checks() -> None:
    record = ended(CHECKS)
    assert record.passed is False
    assert stored_results(record.check_results) == [
        StoredResult("contains “Paris”", True, "“Paris” is at character 7."),
        StoredResult("at most 3 characters", False, "The answer has 12 characters."),
    ]
    assert (
        in_words(stored_results(record.check_results)) == "1 of 2 · at most 3 characters: The answer has 12 characters."
    )


def test_a_run_without_checks_or_without_a_complete_answer_keeps_none() -> None:
    for record in (ended(None), ended(AnswerChecks(())), ended(CHECKS, status=Status.CANCELLED)):
        assert (record.passed, record.check_results, stored_results(record.check_results)) == (None, None, [])


def test_a_check_of_a_column_without_a_value_cannot_be_made() -> None:
    [result] = stored_results(ended(AnswerChecks((read_check("equals", "{{capital}}"),))).check_results)
    assert result.passed is None
    assert result.reason.startswith("There is no value for {{capital}}: ")


@pytest.mark.parametrize(
    ("passed", "all_of_them"),
    [([], None), ([True], True), ([True, False, None], False), ([True, None], None), ([False], False)],
)
def test_an_answer_passes_when_every_check_does(passed: list[bool | None], all_of_them: bool | None) -> None:
    assert all_passed([Result(each, "") for each in passed]) is all_of_them


def test_results_of_a_later_release_are_ignored() -> None:
    for content in ('{"checks": []}', "[[1]]", "x"):
        assert stored_results(content) == []


def test_two_judges_with_the_same_words_are_distinguished() -> None:
    judges = [read_check("judge", prompt) for prompt in ("Is {{answer}} kind?", "Is {{answer}} short?")]
    facts = facts_of(judges, [Result(True, "yes"), Result(False, "no")], {})
    first, second = stored_results(facts["check_results"])
    assert isinstance(judges[0], Judge)
    assert first.check == second.check
    assert first.judge != second.judge
