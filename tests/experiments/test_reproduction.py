"""Reproduced answers against the original ones."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from components.experiments.reproduction import Reproduced, overall, reproduction
from components.log.record import RunRecord
from components.streaming.outcome import Status, ToolCall
from tests.experiments.conftest import a_run

WORDS = ["the", "sea", "is", "calm", "and", "far", "blue", "tonight", "while", "ships", "pass", "under", "old", "stars"]


def answers(*texts: str) -> list[RunRecord]:
    return [a_run(text).record() for text in texts]


def drawn(seed: int, count: int, words: list[str] = WORDS) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.sample(words, len(words))) for _ in range(count)]


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        (["a"], ["a"], Reproduced.IDENTICAL),
        (["a", "b"], ["b", "a", "a"], Reproduced.IDENTICAL),
        (["a"], [], Reproduced.FAILED),
        (["a"], ["b"], Reproduced.TOO_FEW),
        # The endpoint is deterministic, with another answer than before.
        (["a"], ["b", "b", "b"], Reproduced.CHANGED),
        (["a calm sea"], ["a calm sea!", "a calm sea", "ships under stars"], Reproduced.WITHIN_NOISE),
        (["0123456789" * 8], drawn(2, 4), Reproduced.TOO_FEW),
        (["0123456789" * 8], drawn(2, 20), Reproduced.CHANGED),
        (drawn(1, 4), drawn(2, 4), Reproduced.WITHIN_NOISE),
        (drawn(1, 6), drawn(2, 6, [word.upper() for word in WORDS]), Reproduced.CHANGED),
    ],
)
def test_the_verdict_compares_new_answers_with_the_originals(
    before: list[str], now: list[str], verdict: Reproduced
) -> None:
    assert reproduction(answers(*before), answers(*now)).verdict is verdict


def test_unchanged_answers_are_rarely_called_changed() -> None:
    verdicts = [
        reproduction(answers(*drawn(2 * seed, 4)), answers(*drawn(2 * seed + 1, 4))).verdict for seed in range(40)
    ]
    assert verdicts.count(Reproduced.CHANGED) <= 5


def test_incomplete_answers_are_counted_and_not_compared() -> None:
    result = reproduction(answers("a"), [*answers("a"), a_run("", Status.ERROR).record()])
    assert (result.verdict, result.complete, result.requested) == (Reproduced.IDENTICAL, 1, 2)


def test_an_incomplete_original_is_not_compared() -> None:
    cut = a_run("a", Status.CANCELLED).record()
    assert reproduction([cut], answers("a")).verdict is Reproduced.INCOMPARABLE
    assert reproduction([cut, *answers("b")], answers("b")).verdict is Reproduced.IDENTICAL
    unknown = reproduction([cut], answers("a"))
    assert overall([unknown]) is Reproduced.INCOMPARABLE
    assert overall([unknown, reproduction(answers("a"), answers("a"))]) is Reproduced.IDENTICAL


def test_random_ids_of_tool_calls_do_not_count() -> None:
    one, other = (a_run(tool_calls=(ToolCall(name, "look", "{}"),)).record() for name in ("c1", "c2"))
    assert reproduction([one], [other, other]).verdict is Reproduced.IDENTICAL


def test_the_verdict_names_the_first_difference_and_the_served_model() -> None:
    before, now = answers("The sea.")[0], answers("The sky.")[0]
    result = reproduction([before], [now])
    assert result.parts == "first differs at character 6"
    assert ("made with version", before.app_version, now.app_version) in result.served


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        ([True], [True, True], Reproduced.IDENTICAL),
        ([True], [False], Reproduced.TOO_FEW),
        ([True] * 4, [True] * 3 + [False], Reproduced.WITHIN_NOISE),
        ([True] * 6, [False] * 6, Reproduced.CHANGED),
        ([None], [True], None),
    ],
)
def test_pass_rates_have_their_own_verdict(
    before: list[bool | None], now: list[bool], verdict: Reproduced | None
) -> None:
    originals, again = ([replace(answers("a")[0], passed=passed) for passed in results] for results in (before, now))
    result = reproduction(originals, again)
    assert result.verdict is Reproduced.IDENTICAL
    assert (result.checks.verdict if result.checks else None) is verdict


APART, AMONG = ["0123456789" * 8], drawn(1, 1)


@pytest.mark.parametrize(
    ("originals", "verdict"),
    [
        ([APART], Reproduced.TOO_FEW),
        ([APART, AMONG, AMONG, AMONG], Reproduced.WITHIN_NOISE),
        ([APART] * 4, Reproduced.CHANGED),
    ],
)
def test_several_requests_with_one_original_each_are_judged_together(
    originals: list[list[str]], verdict: Reproduced
) -> None:
    results = [
        reproduction(answers(*before), answers(*drawn(seed, 4))) for seed, before in enumerate(originals, start=11)
    ]
    assert overall(results) is verdict


def test_a_certain_change_of_one_request_decides_the_verdict() -> None:
    same = reproduction(answers("a"), answers("a"))
    other = reproduction(answers("a"), answers("b", "b"))
    assert overall([same, same]) is Reproduced.IDENTICAL
    assert overall([same, other, reproduction(answers("a"), answers("b"))]) is Reproduced.CHANGED
    assert overall([other, reproduction(answers("a"), [])]) is Reproduced.FAILED
