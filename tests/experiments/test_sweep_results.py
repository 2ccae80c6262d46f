"""The runs of a sweep by row: missing ones, and the effects of its axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from components.experiments.cell_result import CellResult, result_of
from components.experiments.measures import DETERMINISM, LENGTH, SIMILARITY
from components.experiments.sweep_results import (
    base_row,
    findings,
    missing_cells,
    records_by_row,
    row_in_words,
    values_of,
)
from components.streaming.outcome import Status
from tests.experiments.conftest import a_run

EARLY, LATE = "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01.000Z"


def a_result(row: int | None, repeat: int | None = 1, text: str = "Hi", **parts: Any) -> CellResult:
    record = a_run(text, parts.pop("status", Status.OK)).record()
    return result_of(replace(record, position=row, repeat=repeat, **parts))


def repeats_of(row: int, *texts: str) -> list[CellResult]:
    return [a_result(row, repeat, text) for repeat, text in enumerate(texts, 1)]


def texts(by_row: Sequence[Sequence[CellResult]]) -> list[list[str]]:
    return [[result.beginning for result in results] for results in by_row]


def test_runs_are_in_their_rows_in_the_order_of_their_repeats() -> None:
    records = [a_result(1, 2, "d"), a_result(0, 1, "a"), a_result(1, 1, "c"), a_result(0, 2, "b")]
    assert texts(records_by_row(records, 3)) == [["a", "b"], ["c", "d"], []]


@pytest.mark.parametrize("newest_first", [True, False])
def test_the_newest_run_of_a_repeat_counts(newest_first: bool) -> None:
    records = [a_result(0, 1, "failed", created_at=EARLY), a_result(0, 1, "again", created_at=LATE)]
    assert texts(records_by_row(records[::-1] if newest_first else records, 1)) == [["again"]]


def test_runs_outside_the_plan_are_left_out() -> None:
    warm_up, nowhere, of_a_longer_plan = a_result(0, 0), a_result(None, None), a_result(2, 1)
    assert records_by_row([warm_up, nowhere, of_a_longer_plan], 2) == [[], []]


def test_cells_without_a_successful_run_are_missing() -> None:
    by_row = [
        [a_result(0, 1), a_result(0, 2, status=Status.CANCELLED)],
        [],
        [a_result(2, 1, status=Status.ERROR), a_result(2, 2)],
    ]
    assert missing_cells(by_row, 2) == [(1, 1), (2, 1), (0, 2), (1, 2)]
    assert missing_cells([[a_result(0, 1)]], 1) == []


def test_a_row_is_named_by_its_changes() -> None:
    assert row_in_words({"temperature": "0", "model": "large"}) == "temperature 0, model large"
    assert row_in_words({}) == "base"


def test_the_base_is_the_row_without_changes() -> None:
    assert base_row([{"temperature": "0"}, {}]) == 1
    assert base_row([{"temperature": "0"}]) is None


def test_unsuccessful_runs_have_no_value() -> None:
    results = [a_result(0, 1, "four"), a_result(0, 2, "half a", status=Status.INTERRUPTED)]
    assert values_of(LENGTH, results, {}) == [4]


def test_a_similarity_is_shown_only_after_it_was_computed() -> None:
    first, second = repeats_of(0, "aaaa", "bbbb")
    assert values_of(SIMILARITY, [first, second], {second.id: 0.25}) == [0.25]


ROWS = [{}, {"temperature": "0"}, {"temperature": "1"}, {"model": "large"}, {"temperature": "1", "model": "large"}]
BY_ROW: list[list[CellResult]] = [
    repeats_of(0, "four", "four", "four", "four"),
    repeats_of(1, "four", "four", "four", "four"),
    repeats_of(2, "seventeen letters", "seventeen letters", "seventeen letters", "seventeen letters"),
    repeats_of(3, "five!", "five!", "five!"),
    repeats_of(4, "both", "both", "both", "both"),
]


def test_an_axis_is_judged_by_rows_that_change_only_it() -> None:
    found = findings(["temperature", "model"], ROWS, BY_ROW, LENGTH, {})
    assert found == [
        "temperature changes length by more than the base's own variation at 1 (k = 4).",
        "4 repeats of each are needed.",
    ]


def test_an_axis_without_such_rows_has_no_finding() -> None:
    assert findings(["temperature"], [{}, ROWS[4]], [BY_ROW[0], BY_ROW[4]], LENGTH, {}) == []


def test_without_a_base_row_there_are_no_findings() -> None:
    assert findings(["temperature", "model"], ROWS[1:], BY_ROW[1:], LENGTH, {}) == []


def test_measures_of_several_answers_are_not_tested_per_answer() -> None:
    assert findings(["temperature", "model"], ROWS, BY_ROW, DETERMINISM, {}) == []
