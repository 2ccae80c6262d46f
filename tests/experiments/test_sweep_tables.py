"""Tables of a sweep: their lines and filters, and the escaping of formulas."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.drafts.draft import new_draft
from components.experiments.cell_result import CellResult, result_of
from components.experiments.measures import DETERMINISM, LENGTH, SIMILARITY, TIMED_MEASURES, SweepMeasure
from components.experiments.stored_sweep import StoredSweep
from components.experiments.sweep_setup import Setup, TypedAxis
from components.experiments.sweep_tables import (
    as_csv,
    axis_column,
    collapsed,
    different_only,
    grouped,
    long_table,
    measured,
    wide_table,
)
from components.log.record import RunRecord

ROWS: list[dict[str, str]] = [{}, {"temperature": "1"}]


def run(number: int, text: str, position: int, repeat: int, **parts: Any) -> CellResult:
    facts = {"status": "ok", "finish_reason": "stop", "ttft_ms": 10.0 * number, "concurrency": 2, **parts}
    record = RunRecord(
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
        **facts,
    )
    return result_of(record)


def a_sweep(fields: list[str], rows: list[dict[str, str]], inputs: list[dict[str, str]] | None = None) -> StoredSweep:
    return StoredSweep(new_draft(), Setup(axes=tuple(TypedAxis(field=field) for field in fields)), rows, inputs or [])


BASE_RUNS = [run(1, "the sea", 0, 1), run(2, "the sea", 0, 2)]
WARM_RUNS = [run(3, "the sea", 1, 1), run(4, "a moon", 1, 2, finish_reason="length")]
TABLE = long_table(a_sweep(["temperature"], ROWS), [BASE_RUNS, WARM_RUNS])


def test_each_run_is_a_line_with_the_values_of_all_axes() -> None:
    columns = TABLE[["row", "temperature", "repeat", "answer", "characters", "TTFT ms", "at once"]]
    assert columns.to_numpy().tolist() == [
        ["base", "base", 1, "the sea", 7, 10.0, 2],
        ["base", "base", 2, "the sea", 7, 20.0, 2],
        ["temperature 1", "1", 1, "the sea", 7, 30.0, 2],
        ["temperature 1", "1", 2, "a moon", 6, 40.0, 2],
    ]


def test_each_line_names_its_input() -> None:
    inputs = [{"word": "one"}, {"word": "two"}]
    table = long_table(a_sweep([], [{}], inputs), [[run(1, "1", 0, 1)], [run(2, "2", 1, 1)]])
    assert table[["input", "word", "answer"]].to_numpy().tolist() == [[1, "one", "1"], [2, "two", "2"]]


def test_a_group_has_a_cell_count_and_medians() -> None:
    failed = run(5, "", 1, 3, status="error", finish_reason=None)
    table = grouped(long_table(a_sweep(["temperature"], ROWS), [BASE_RUNS, [*WARM_RUNS, failed]]), "temperature")
    columns = ["temperature", "cells", "well", "different answers", "finish reasons", "TTFT ms"]
    assert table[columns].to_numpy().tolist() == [
        ["base", 2, 2, 1, "stop 2", 15.0],
        ["1", 3, 2, 2, "stop 1, length 1", 35.0],
    ]


def test_goodput_is_the_share_of_ended_cells_that_succeeded_within_all_limits() -> None:
    cells = [
        run(1, "a", 0, 1, gap_p95_ms=20.0),
        run(2, "b", 0, 2, gap_p95_ms=90.0),
        run(9, "c", 0, 3, gap_p95_ms=20.0),
        run(1, "d", 0, 4),
        run(1, "", 0, 5, status="error", gap_p95_ms=20.0),
        run(1, "", 0, 6, status="running"),
    ]
    table = long_table(a_sweep(["temperature"], ROWS), [cells])
    assert grouped(table, "temperature", {"TTFT ms": 20.0})["goodput"].tolist() == [0.6]
    assert grouped(table, "temperature", {"TTFT ms": 20.0, "chunk gap p95 ms": 50.0})["goodput"].tolist() == [0.2]
    assert "goodput" not in grouped(table, "temperature")


def test_checked_cells_have_a_result_and_groups_a_pass_rate() -> None:
    cells = [
        replace(run(number, "a", 0, number), passed=passed, check=check)
        for number, (passed, check) in enumerate([(True, ""), (False, "contains b: no."), (None, "judge: Not yet.")], 1)
    ]
    table = long_table(a_sweep(["temperature"], ROWS), [cells])
    assert table["check"].fillna("").tolist() == ["", "contains b: no.", "judge: Not yet."]
    assert grouped(table, "temperature")["pass rate"].tolist() == ["50% (9% to 91%, n = 2)"]
    assert "passed" not in TABLE
    assert "pass rate" not in grouped(TABLE, "temperature")


def test_identical_answers_of_a_row_are_grouped_with_a_count() -> None:
    assert collapsed(TABLE)[["row", "answer", "times"]].to_numpy().tolist() == [
        ["base", "the sea", 2],
        ["temperature 1", "the sea", 1],
        ["temperature 1", "a moon", 1],
    ]


def test_the_differences_filter_keeps_the_base_and_different_answers() -> None:
    table = different_only(TABLE)
    assert table["answer"].tolist() == ["the sea", "the sea", "a moon"]
    assert "status" not in table
    assert "finish reason" in table


def wide(measure: SweepMeasure, inputs: list[dict[str, str]], runs: list[list[CellResult]]) -> pd.DataFrame:
    return wide_table(measured(measure, a_sweep(["temperature"], ROWS, inputs), runs, {}), len(inputs))


def test_repeats_are_shown_side_by_side() -> None:
    table = wide(TIMED_MEASURES["ttft_ms"], [], [BASE_RUNS, WARM_RUNS])
    assert list(table) == ["row", "repeat 1", "repeat 2"]
    assert table.to_numpy().tolist() == [["base", 10.0, 20.0], ["temperature 1", 30.0, 40.0]]


def test_a_row_has_one_line_for_all_its_inputs_and_rows_of_the_same_text_stay_apart() -> None:
    inputs = [{"word": "one"}, {"word": "two"}]
    runs = [[run(1, "a", 0, 1)], [run(2, "ab", 1, 1)], [run(3, "abc", 2, 1)], [run(4, "abcd", 3, 1)]]
    table = wide(LENGTH, inputs, runs)
    assert list(table) == ["row", "input 1 repeat 1", "input 2 repeat 1"]
    assert table.to_numpy().tolist() == [["base", 1.0, 2.0], ["temperature 1", 3.0, 4.0]]
    alike = [{"a": "1, b 2"}, {"a": "1", "b": "2"}]
    both = measured(LENGTH, a_sweep(["a", "b"], alike), [[run(1, "a", 0, 1)], [run(2, "ab", 1, 1)]], {})
    assert wide_table(both, 0)["repeat 1"].tolist() == [1.0, 2.0]


def test_names_of_axes_and_inputs_do_not_replace_other_columns() -> None:
    table = long_table(
        a_sweep(["answer", "word"], [{"answer": "9"}], [{"word": "one", "row": "two"}]), [[run(1, "said", 0, 1)]]
    )
    columns = ["row", "answer (axis)", "word", "word (input)", "row (input)", "answer"]
    assert table[columns].to_numpy().tolist() == [["answer 9", "9", "base", "one", "two", "said"]]
    assert axis_column("answer") == "answer (axis)"
    assert axis_column("temperature") == "temperature"


def test_answers_are_compared_with_the_base_per_input() -> None:
    inputs = [{"word": "one"}, {"word": "two"}]
    runs = [[run(1, "aa", 0, 1)], [run(2, "bb", 1, 1)], [run(3, "aa", 2, 1)], [run(4, "aa", 3, 1)]]
    table = different_only(long_table(a_sweep(["temperature"], ROWS, inputs), runs))
    assert table["run"].str[-1].tolist() == ["1", "2", "4"]


def test_long_answers_with_the_same_beginning_differ() -> None:
    runs = [[run(1, "x" * 100, 0, 1), run(2, "x" * 101, 0, 2)]]
    assert collapsed(long_table(a_sweep([], [{}]), runs))["times"].tolist() == [1, 1]


@pytest.mark.parametrize("begun", [[], [run(1, "", 0, 1, status="running")]])
def test_tables_of_a_new_sweep_are_empty(begun: list[CellResult]) -> None:
    table = long_table(a_sweep(["temperature"], ROWS), [begun, []])
    assert len(collapsed(table)) == len(different_only(table)) == len(begun)
    assert measured(LENGTH, a_sweep(["temperature"], ROWS), [begun, []], {}).empty
    assert grouped(table, "temperature")["well"].tolist() == [0] * len(begun)


def test_the_similarity_of_a_run_is_taken_from_the_log() -> None:
    found = measured(SIMILARITY, a_sweep(["temperature"], ROWS), [BASE_RUNS, WARM_RUNS], {f"{4:032x}": 0.5})
    assert found[["temperature", "value"]].to_numpy().tolist() == [["1", 0.5]]


def test_determinism_is_the_share_of_equal_answers_among_the_other_repeats() -> None:
    runs = [BASE_RUNS, [*WARM_RUNS, run(5, "a moon", 1, 3)]]
    found = measured(DETERMINISM, a_sweep(["temperature"], ROWS), runs, {})
    assert found["value"].tolist() == [1.0, 1.0, 0.0, 0.5, 0.5]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_text_is_a_formula(text: str) -> None:
    _, line = csv.reader(io.StringIO(as_csv(pd.DataFrame([[text]])).decode(), newline=""))
    assert line == [f"'{text}"]


def test_a_csv_file_has_one_byte_order_mark_at_its_start() -> None:
    table = pd.DataFrame({"größe": ["日本"]})
    content = as_csv(table) + as_csv(table, with_names=False)
    assert content == "\ufeffgröße\r\n日本\r\n日本\r\n".encode()


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_texts_without_a_formula_are_unchanged(texts: list[str]) -> None:
    content = as_csv(pd.DataFrame({"a": texts})).decode()
    _, *lines = csv.reader(io.StringIO(content, newline=""))
    read = ["".join(line) for line in lines if line]
    for text in texts:
        has_no_sign = not set("=+-@＝＋－＠\t\r") & set(text)
        is_one_word_first = text[:1].isalnum() and not set(";\t") & set(text)
        if text and (has_no_sign or is_one_word_first):
            assert text.encode("utf-8", "replace").decode() in read
