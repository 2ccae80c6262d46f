"""The runs of a sweep as tables, with a line per cell, per value of an axis or per row; also as CSV."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

from components.experiments.axes import BASE
from components.experiments.cases import rate_in_words
from components.experiments.cell_result import ByPosition, CellResult
from components.experiments.measures import SweepMeasure
from components.experiments.stored_sweep import StoredSweep
from components.experiments.sweep_results import row_in_words
from components.log.formula_safe import formula_safe
from components.log.record import NUMBERS, OF_ANSWER, TIMED
from components.streaming.outcome import Status

ROW, INPUT, REPEAT, STATUS, ANSWER, VALUE, RUN = "row", "input", "repeat", "status", "answer", "value", "run"
POSITION, DIGEST = "position", "digest"
FINISH_REASON, WHY, TIMES, GOODPUT = "finish reason", "why", "times", "goodput"
PASSED, CHECK, PASS_RATE = "passed", "check", "pass rate"
_NO_LIMITS: Mapping[str, float] = MappingProxyType({})
TIMED_COLUMNS = {f"{NUMBERS[name].label}{' ms' if name.endswith('_ms') else ''}": name for name in TIMED}
"""The field of each timed column; column names end in their unit."""
ANSWER_COLUMNS = {NUMBERS[name].label: name for name in OF_ANSWER}
"""The field of each column about the probabilities of tokens; without probabilities, a table has no such column."""
_NUMBERS = ("characters", "tokens", *TIMED_COLUMNS, "distinct-2", *ANSWER_COLUMNS)
_OWN_COLUMNS = frozenset(
    (
        *(ROW, INPUT, REPEAT, STATUS, ANSWER, VALUE, RUN, POSITION, DIGEST, FINISH_REASON, WHY, TIMES, *_NUMBERS),
        *(
            PASSED,
            CHECK,
            PASS_RATE,
            "at once",
            "not comparable",
            "cells",
            GOODPUT,
            "well",
            "different answers",
            "finish reasons",
        ),
    )
)
_IDENTIFYING = (ROW, INPUT, REPEAT, ANSWER, POSITION, DIGEST, RUN)
"""Columns that identify a cell or its answer; kept even when all lines are equal."""


def axis_column(field: str) -> str:
    """The column of an axis: its field, with a suffix if the tables use that name."""
    return f"{field} (axis)" if field in _OWN_COLUMNS else field


def long_table(sweep: StoredSweep, by_position: ByPosition) -> pd.DataFrame:
    """One line per run, by position: the values of all axes, the input and the result.

    Column names of times end in their unit. Times that are not comparable are included, with the reason. The answer
    is shortened; equal answers have the same ``digest``. ``by_position`` comes from ``records_by_row``.
    """
    results = [result for row_results in by_position for result in row_results]
    columns = _places(sweep, by_position)
    # By column: ten thousand dictionaries take three times as long.
    columns |= {
        STATUS: [result.status for result in results],
        FINISH_REASON: [result.finish_reason for result in results],
        **_checked(results),
        ANSWER: [result.beginning for result in results],
        "characters": [result.characters for result in results],
        "tokens": [result.completion_tokens for result in results],
        **{column: [result.timed[name] for result in results] for column, name in TIMED_COLUMNS.items()},
        "distinct-2": [result.distinct_2 for result in results],
        **_of_answers(results),
        "at once": [result.concurrency for result in results],
        "not comparable": [result.incomparable or None for result in results],
        WHY: [None if result.ended_well or result.running else result.error_message for result in results],
        DIGEST: [result.digest for result in results],
        RUN: [result.id for result in results],
    }
    return pd.DataFrame(columns)


def _of_answers(results: Sequence[CellResult]) -> dict[str, list[float | None]]:
    columns = {column: [result.of_answer.get(name) for result in results] for column, name in ANSWER_COLUMNS.items()}
    return {column: values for column, values in columns.items() if any(value is not None for value in values)}


def _checked(results: Sequence[CellResult]) -> dict[str, list[Any]]:
    if not any(result.passed is not None or result.check for result in results):
        return {}
    return {PASSED: [result.passed for result in results], CHECK: [result.check or None for result in results]}


def grouped(table: pd.DataFrame, by: str, limits: Mapping[str, float] = _NO_LIMITS) -> pd.DataFrame:
    """One line per value of a column of ``long_table``: cells, distinct answers, median of each number.

    ``limits`` has the maximum of a column. With limits, ``GOODPUT`` is the share of the ended cells that ended well
    with each such number known and within its limit. With checks, ``PASS_RATE`` is in words.
    """
    numbers = [name for name in _NUMBERS if name in table]
    well = table[table[STATUS] == Status.OK.value]
    groups = table.groupby(by, sort=False)
    medians = well.astype(dict.fromkeys(numbers, float)).groupby(by, sort=False)[numbers].median()
    lines = groups.agg(cells=(RUN, "count")).join(medians)
    lines.insert(1, "well", well.groupby(by, sort=False)[RUN].count())
    lines.insert(2, "different answers", well.groupby(by, sort=False)[DIGEST].nunique())
    lines.insert(3, "finish reasons", groups[FINISH_REASON].agg(_counted))
    if PASSED in table:
        lines.insert(2, PASS_RATE, groups[PASSED].agg(lambda passed: rate_in_words(map(_known, passed))))
    if limits:
        ended = table[table[STATUS] != Status.RUNNING.value]
        in_limits = ended[STATUS] == Status.OK.value
        for column, limit in limits.items():
            in_limits &= ended[column].astype(float) <= limit
        lines.insert(2, GOODPUT, in_limits.groupby(ended[by], sort=False).mean())
    return lines.fillna({"well": 0, "different answers": 0}).reset_index()


def _known(passed: object) -> bool | None:
    return None if pd.isna(passed) else bool(passed)  # type: ignore[call-overload]


def collapsed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with identical answers of a row and input merged; ``times`` counts them."""
    ended = table[table[STATUS] == Status.OK.value]
    others = table[table[STATUS] != Status.OK.value].assign(times=1)
    times = ended.groupby([POSITION, DIGEST], sort=False)[RUN].transform("count")
    merged = ended.assign(times=times).drop_duplicates([POSITION, DIGEST])
    return pd.concat([part for part in (merged, others) if not part.empty] or [merged]).sort_index()


def different_only(table: pd.DataFrame) -> pd.DataFrame:
    """The table without constant columns and without lines whose answer equals the base's to the same input."""
    input_numbers = table[INPUT] if INPUT in table else pd.Series(0, index=table.index)
    answers = pd.Series(list(zip(input_numbers, table[DIGEST], strict=True)), index=table.index, dtype=object)
    is_base = table[ROW] == BASE
    lines = table[is_base | ~answers.isin(set(answers[is_base]))]
    constant = [name for name in lines if name not in _IDENTIFYING and lines[name].nunique(dropna=False) <= 1]
    return lines.drop(columns=constant)


def measured(
    measure: SweepMeasure,
    sweep: StoredSweep,
    by_position: ByPosition,
    scores: Mapping[str, float],
) -> pd.DataFrame:
    """One line per run with the measure: its place, the values of all axes, the number as ``value``.

    ``scores`` maps run ids to the similarity to the base, where it is known.
    """
    values: list[float | None] = []
    for results in by_position:
        repeats = [result for result in results if result.ended_well] if measure.is_of_repeats else []
        values += [
            measure.of(result, [other for other in repeats if other.id != result.id], scores) for result in results
        ]
    table = pd.DataFrame({**_places(sweep, by_position), VALUE: pd.Series(values, dtype=float)})
    return table.dropna(subset=[VALUE])


def wide_table(table: pd.DataFrame, inputs: int) -> pd.DataFrame:
    """One line per row of the plan, with a column per repeat, or per input and repeat.

    ``table`` comes from ``measured``; ``inputs`` is their number, 0 without a data set.
    """
    names = [INPUT, REPEAT] if inputs else [REPEAT]
    # By row number first: it gives the plan's order, and two rows may have equal words.
    numbered = table.assign(**{POSITION: table[POSITION] // max(inputs, 1)})
    wide = numbered.pivot(index=[POSITION, ROW], columns=names, values=VALUE)
    places = [place if isinstance(place, tuple) else (place,) for place in wide.columns]
    wide.columns = pd.Index([" ".join(f"{n} {number}" for n, number in zip(names, at, strict=True)) for at in places])
    return wide.reset_index().drop(columns=POSITION)


def as_csv(table: pd.DataFrame, *, with_names: bool = True) -> bytes:
    """The table as CSV in UTF-8 with a byte order mark. An apostrophe precedes text that spreadsheets would compute.

    Further lines of the same file have neither column names nor the mark.
    """
    # Line ends of RFC 4180, so that text with CR or LF is quoted.
    safe = table.rename(columns=formula_safe).map(formula_safe)
    lines = safe.to_csv(index=False, header=with_names, lineterminator="\r\n").encode("utf-8", "replace")
    return codecs.BOM_UTF8 + lines if with_names else lines


def _places(sweep: StoredSweep, by_position: ByPosition) -> dict[str, list[Any]]:
    """The columns that identify a cell; all tables begin with them."""
    several = sweep.inputs_per_row
    positions = [position for position, results in enumerate(by_position) for _ in results]

    def of_rows(values: Sequence[str]) -> list[str]:
        return [values[position // several] for position in positions]

    columns: dict[str, list[Any]] = {ROW: of_rows([row_in_words(row) for row in sweep.rows])}
    for field in sweep.setup.fields:
        columns[axis_column(field)] = of_rows([row.get(field, BASE) for row in sweep.rows])
    if sweep.inputs:
        columns[INPUT] = [sweep.input_number_at(position) for position in positions]
        inputs = [sweep.input_at(position) for position in positions]
        for name in sweep.inputs[0]:
            # A data set column may have the name of an axis or of a table column.
            own = f"{name} (input)" if name in _OWN_COLUMNS or name in columns else name
            columns[own] = [texts[name] for texts in inputs]
    columns[REPEAT] = [result.repeat for results in by_position for result in results]
    columns[POSITION] = positions
    return columns


def _counted(reasons: pd.Series) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in reasons.value_counts().items())
