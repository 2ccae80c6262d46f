"""Tables of a sweep: what each line says, what is left out, and what a spreadsheet must not compute."""

from __future__ import annotations

import csv
import io
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.runs.run import RunRecord
from components.sweeps.measures import SweepMeasure
from components.sweeps.tables import as_csv, collapsed, different_only, grouped, long_table, measured, wide_table

ROWS: list[dict[str, str]] = [{}, {"temperature": "1"}]


def run(number: int, text: str, position: int, repeat: int, **parts: Any) -> RunRecord:
    said = {"status": "ok", "finish_reason": "stop", "ttft_ms": 10.0 * number, "concurrency": 2, **parts}
    return RunRecord(
        id=f"{number:032x}",
        created_at="",
        heartbeat_at="",
        endpoint="here",
        dialect="beezy",
        model="m",
        request_body="",
        app_version="",
        text=text,
        position=position,
        repeat=repeat,
        **said,
    )


BASE_RUNS = [run(1, "the sea", 0, 1), run(2, "the sea", 0, 2)]
WARM_RUNS = [run(3, "the sea", 1, 1), run(4, "a moon", 1, 2, finish_reason="length")]
TABLE = long_table(["temperature"], ROWS, [], [BASE_RUNS, WARM_RUNS])


def test_each_run_is_a_line_with_the_values_of_all_axes() -> None:
    said = TABLE[["row", "temperature", "repeat", "answer", "characters", "TTFT ms", "at once"]]
    assert said.to_numpy().tolist() == [
        ["base", "base", 1, "the sea", 7, 10.0, 2],
        ["base", "base", 2, "the sea", 7, 20.0, 2],
        ["temperature 1", "1", 1, "the sea", 7, 30.0, 2],
        ["temperature 1", "1", 2, "a moon", 6, 40.0, 2],
    ]


def test_an_input_stands_in_its_line() -> None:
    inputs = [{"word": "one"}, {"word": "two"}]
    table = long_table([], [{}], inputs, [[run(1, "1", 0, 1)], [run(2, "2", 1, 1)]])
    assert table[["input", "word", "answer"]].to_numpy().tolist() == [[1, "one", "1"], [2, "two", "2"]]


def test_a_group_counts_its_cells_and_has_the_middle_of_its_numbers() -> None:
    failed = run(5, "", 1, 3, status="error", finish_reason=None)
    table = grouped(long_table(["temperature"], ROWS, [], [BASE_RUNS, [*WARM_RUNS, failed]]), "temperature")
    columns = ["temperature", "cells", "well", "different answers", "finish reasons", "TTFT ms"]
    assert table[columns].to_numpy().tolist() == [
        ["base", 2, 2, 1, "stop 2", 15.0],
        ["1", 3, 2, 2, "stop 1, length 1", 35.0],
    ]


def test_identical_answers_of_a_row_stand_once_with_their_number() -> None:
    assert collapsed(TABLE)[["row", "answer", "times"]].to_numpy().tolist() == [
        ["base", "the sea", 2],
        ["temperature 1", "the sea", 1],
        ["temperature 1", "a moon", 1],
    ]


def test_only_what_differs_from_the_base_is_left() -> None:
    table = different_only(TABLE)
    assert table["answer"].tolist() == ["the sea", "the sea", "a moon"]
    assert "status" not in table
    assert "finish reason" in table


def test_repeats_stand_beside_each_other() -> None:
    assert wide_table(TABLE, "TTFT ms").to_numpy().tolist() == [["base", 10.0, 20.0], ["temperature 1", 30.0, 40.0]]
    assert list(wide_table(TABLE, "TTFT ms")) == ["row", "TTFT ms 1", "TTFT ms 2"]


def test_an_answer_is_compared_to_the_base_s_others_of_the_same_input() -> None:
    inputs = [{"word": "one"}, {"word": "two"}]
    runs = [[run(1, "aa", 0, 1)], [run(2, "bb", 1, 1)], [run(3, "aa", 2, 1)], [run(4, "aa", 3, 1)]]
    found = measured(SweepMeasure.SIMILARITY, ["temperature"], ROWS, inputs, runs)
    assert found[["temperature", "value"]].to_numpy().tolist() == [["1", 1.0], ["1", 0.0]]


def test_determinism_is_the_share_of_the_same_answers_among_the_other_repeats() -> None:
    runs = [BASE_RUNS, [*WARM_RUNS, run(5, "a moon", 1, 3)]]
    found = measured(SweepMeasure.DETERMINISM, ["temperature"], ROWS, [], runs)
    assert found["value"].tolist() == [1.0, 1.0, 0.0, 0.5, 0.5]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_text_is_a_formula(text: str) -> None:
    _, line = csv.reader(io.StringIO(as_csv(pd.DataFrame([[text]])).decode(), newline=""))
    assert line == [f"'{text}"]


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_all_other_texts_are_as_they_were(texts: list[str]) -> None:
    content = as_csv(pd.DataFrame({"a": texts})).decode()
    _, *lines = csv.reader(io.StringIO(content, newline=""))
    said = ["".join(line) for line in lines if line]
    for text in texts:
        if text and not text.startswith(("=", "+", "-", "@", "\t", "\r")):
            assert text.encode("utf-8", "replace").decode() in said
