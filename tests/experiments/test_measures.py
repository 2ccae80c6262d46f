"""The measures of an answer, and when they cannot be compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.experiments.cell_result import CellResult, distinct_2, result_of
from components.experiments.measures import (
    ANSWER_MEASURES,
    COMPLETION_TOKENS,
    DETERMINISM,
    DISTINCT_2,
    LENGTH,
    MEASURES,
    SIMILARITY,
    TIMED_MEASURES,
    closed_loop,
    mean_similarity,
)
from components.log.record import OF_ANSWER, TIMED
from components.streaming.outcome import Status
from tests.experiments.conftest import a_run

RECORD = a_run("a b a b", attempts=1, finish_reason="stop").record()
KNOWN = {name: 10.0 * number for number, name in enumerate((*TIMED, *OF_ANSWER), 1)}
TIMES = [measure for measure in MEASURES if measure.timed]


def a_result(**parts: Any) -> CellResult:
    return result_of(replace(RECORD, **{**KNOWN, "completion_tokens": 4, **parts}))


def test_every_measure_is_read_from_the_run() -> None:
    repeats = [a_result(), a_result(text="zzzzzzz")]
    result = a_result()
    assert {measure: measure.of(result, repeats, {result.id: 0.25}) for measure in MEASURES} == {
        LENGTH: 7,
        COMPLETION_TOKENS: 4,
        **{measure: KNOWN[measure.timed] for measure in TIMES},
        **{measure: KNOWN[name] for name, measure in ANSWER_MEASURES.items()},
        DISTINCT_2: pytest.approx(2 / 3),
        SIMILARITY: 0.25,
        DETERMINISM: 0.5,
    }


def test_measures_have_names_and_units() -> None:
    assert (TIMED_MEASURES["ttft_ms"].label, TIMED_MEASURES["ttft_ms"].unit) == ("TTFT", "ms")
    assert len({measure.label for measure in MEASURES}) == len(MEASURES)
    assert all(measure.definition for measure in TIMES)


def test_the_load_is_described_as_a_closed_loop() -> None:
    assert closed_loop(1).startswith("Closed loop: one request at a time,")
    assert closed_loop(4).startswith("Closed loop: at most 4 concurrent requests,")


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.OK])
def test_an_unsuccessful_run_has_no_numbers(status: Status) -> None:
    result = a_result(status=status.value)
    assert {measure.of(result, [a_result()], {result.id: 1.0}) for measure in MEASURES} == {None}


@pytest.mark.parametrize("reason", [{"attempts": 2}, {"queued_ms": 500.0}, {"cached_tokens": 3}])
def test_incomparable_runs_keep_the_measures_of_the_answer_only(reason: dict[str, Any]) -> None:
    result = a_result(**reason)
    assert {measure.of(result) for measure in TIMES} == {None}
    assert LENGTH.of(result) == 7
    assert COMPLETION_TOKENS.of(result) == 4


def test_unreported_numbers_are_none() -> None:
    result = a_result(completion_tokens=None, ttft_ms=None, tokens_per_second=None, text="")
    unknown = [measure for measure in MEASURES if measure.of(result) is None]
    assert unknown == [
        COMPLETION_TOKENS,
        TIMED_MEASURES["ttft_ms"],
        TIMED_MEASURES["tokens_per_second"],
        DISTINCT_2,
        SIMILARITY,
        DETERMINISM,
    ]


@pytest.mark.parametrize(
    ("text", "share"),
    [("", None), ("one", None), ("a b", 1), ("a a a", 0.5), ("a  b\na\tb", 2 / 3), ("a A a", 1)],
)
def test_distinct_2_is_the_share_of_different_pairs_of_words(text: str, share: float | None) -> None:
    assert distinct_2(text) == (None if share is None else pytest.approx(share))


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=2, max_size=30))
def test_distinct_2_is_above_0_and_at_most_1_and_lower_for_a_repeated_text(words: list[str]) -> None:
    once, twice = distinct_2(" ".join(words)), distinct_2(" ".join([*words, *words]))
    assert once is not None
    assert twice is not None
    assert 0 < twice < 1
    assert 0 < once <= 1


def test_similarity_is_the_mean_over_the_answers_of_the_base() -> None:
    assert mean_similarity("ab", ["ab", "ab", "zz", "ax"]) == pytest.approx(2.5 / 4)
    assert mean_similarity("ab", []) is None


def test_the_fingerprint_of_a_long_answer_is_short_and_unique() -> None:
    one, same, other = (a_result(text="x" * 500 + end) for end in ("a", "a", "b"))
    assert (one.beginning, one.characters) == ("x" * 80, 501)
    assert one.digest == same.digest != other.digest
    assert a_result(text="\ud800").digest
