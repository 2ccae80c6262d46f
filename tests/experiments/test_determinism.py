"""Determinism checks: whether the same bytes gave the same answer, in words."""

from __future__ import annotations

import pytest

from components.experiments.determinism import IDENTICAL, determinism, write_determinism
from components.log.log import Log
from components.runs.run import Run
from components.streaming.outcome import Status, ToolCall
from tests.experiments.conftest import a_run, kept, written
from tests.experiments.test_divergent_tokens import ONE, OTHER
from tests.waiting import wait_for


def result_of(one: Run, other: Run) -> str:
    return determinism(one.record(), other.record())


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("", "", IDENTICAL),
        ("The sea.", "The sea.", IDENTICAL),
        ("The sea.", "the sea.", "first differs at character 1"),
        ("🐙a", "🐙b", "first differs at character 2"),
        ("The", "The sea", "first differs at character 4"),
        ("x" * 1_234 + "a", "x" * 1_234 + "b", "first differs at character 1,235"),
    ],
)
def test_the_first_different_character_is_named(one: str, other: str, words: str) -> None:
    assert result_of(a_run(one), a_run(other)) == words
    assert result_of(a_run(other), a_run(one)) == words


def test_a_difference_has_the_probabilities_of_both_tokens() -> None:
    one, other = a_run("See the cat").record(), a_run("See a dog").record()
    tokens = {one.text: ONE, other.text: OTHER}
    words = determinism(one, other, lambda run: tokens[run.text])
    assert words == "first differs at character 5, token 2, where “ the” had 0.412 and “ a” 0.409"
    assert determinism(one, other, lambda _run: ()) == "first differs at character 5"


@pytest.mark.parametrize("status", [status for status in Status if status not in (Status.OK, Status.RUNNING)])
def test_determinism_is_unknown_for_an_incomplete_answer(status: Status) -> None:
    whole, not_whole = a_run("The sea."), a_run("The sea.", status)
    assert result_of(not_whole, whole) == f"unknown: the first answer is {status.value}"
    assert result_of(whole, not_whole) == f"unknown: the second answer is {status.value}"


def test_answers_cut_at_max_tokens_are_compared() -> None:
    assert result_of(a_run("The", finish_reason="length"), a_run("The", finish_reason="length")) == IDENTICAL


def test_different_reasoning_is_not_identical() -> None:
    assert result_of(a_run("4", reasoning="2+2"), a_run("4", reasoning="2*2")) == (
        "first differs at character 2 of the reasoning"
    )


def test_different_tool_calls_are_not_identical_and_their_ids_are_ignored() -> None:
    call = ToolCall("c1", "look", '{"at": "sea"}')
    again, other = ToolCall("c2", "look", '{"at": "sea"}'), ToolCall("c2", "look", '{"at": "sky"}')
    assert result_of(a_run(tool_calls=(call,)), a_run(tool_calls=(again,))) == IDENTICAL
    assert result_of(a_run(tool_calls=(call,)), a_run(tool_calls=(other,))) == (
        "first differs at character 15 of the tool calls"
    )
    assert result_of(a_run(tool_calls=(call,)), a_run()) == "first differs at character 1 of the tool calls"


def test_the_result_is_stored_with_both_runs_only(log: Log) -> None:
    one, other, third, fourth = (written(log, a_run("same")) for _ in range(4))
    write_determinism(log, (one, other), IDENTICAL)
    wait_for(lambda: kept(log, one).determinism)
    assert [kept(log, run_id).determinism for run_id in (one, other, third)] == [IDENTICAL, IDENTICAL, None]
    # Several at once.
    write_determinism(log, (one, third), "first differs at character 3")
    write_determinism(log, (fourth, fourth), "unknown: the first answer is lost")
    wait_for(lambda: kept(log, third).determinism and kept(log, fourth).determinism)
    assert [kept(log, run_id).determinism for run_id in (one, other, fourth)] == [
        "first differs at character 3",
        IDENTICAL,
        "unknown: the first answer is lost",
    ]
