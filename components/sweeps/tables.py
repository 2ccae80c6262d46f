"""The runs of a sweep as tables: one line a cell, one line a value of an axis, one line a row, and as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from components.experiments.numbers import incomparable
from components.runs.run import RunRecord
from components.streaming.outcome import Status
from components.sweeps.axes import BASE
from components.sweeps.measures import SweepMeasure
from components.sweeps.planning import Row
from components.sweeps.results import base_row, row_in_words

ROW, INPUT, REPEAT, STATUS, ANSWER, VALUE, RUN = "row", "input", "repeat", "status", "answer", "value", "run"
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")
_KEPT = (ROW, INPUT, REPEAT, ANSWER)
"""Columns that tell which cell it is, and what it says, are shown also where they are all alike."""


def long_table(
    fields: Sequence[str],
    rows: Sequence[Row],
    inputs: Sequence[Mapping[str, str]],
    by_position: Sequence[Sequence[RunRecord]],
) -> pd.DataFrame:
    """One line a run, in the order of positions: the values of all axes, the input, and what came of it.

    Times end in their unit. Those that cannot be held against others are given all the same, with the reason beside
    them. ``by_position`` is what ``records_by_row`` gives.
    """
    several = max(len(inputs), 1)
    lines = [
        {
            ROW: row_in_words(rows[position // several]),
            **{field: rows[position // several].get(field, BASE) for field in fields},
            **({INPUT: position % several + 1, **inputs[position % several]} if inputs else {}),
            REPEAT: record.repeat,
            STATUS: record.status,
            "finish reason": record.finish_reason,
            ANSWER: record.text,
            "characters": len(record.text),
            "tokens": record.completion_tokens,
            "TTFT ms": record.ttft_ms,
            "tokens/s": record.tokens_per_second,
            "total ms": record.total_ms,
            "distinct-2": SweepMeasure.DISTINCT_2.of(record),
            "at once": record.concurrency,
            "not comparable": ", ".join(incomparable(record)) or None,
            "why": record.error_message if record.status not in (Status.OK, Status.RUNNING) else None,
            RUN: record.id,
        }
        for position, records in enumerate(by_position)
        for record in records
    ]
    return pd.DataFrame(lines)


def grouped(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """One line a value of a column of ``long_table``: cells, different answers, and the middle of each number."""
    numbers = ["characters", "tokens", "TTFT ms", "tokens/s", "distinct-2"]
    well = table[table[STATUS] == Status.OK.value]
    groups = table.groupby(by, sort=False)
    lines = groups.agg(cells=(RUN, "count")).join(well.groupby(by, sort=False)[numbers].median().astype(float))
    lines.insert(1, "well", well.groupby(by, sort=False)[RUN].count())
    lines.insert(2, "different answers", well.groupby(by, sort=False)[ANSWER].nunique())
    lines.insert(3, "finish reasons", groups["finish reason"].agg(_counted))
    return lines.reset_index()


def collapsed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with identical answers of the same row and input once, and ``times`` how often each came."""
    cell = [name for name in (ROW, INPUT) if name in table]
    ended = table[table[STATUS] == Status.OK.value]
    others = table[table[STATUS] != Status.OK.value].assign(times=1)
    times = ended.groupby([*cell, ANSWER], sort=False)[RUN].transform("count")
    once = ended.assign(times=times).drop_duplicates([*cell, ANSWER])
    return pd.concat([once, others]).sort_index()


def different_only(table: pd.DataFrame, base_label: str = BASE) -> pd.DataFrame:
    """Without the columns that are alike in all lines, and the lines whose answer is one of the base's own."""
    base = set(table.loc[table[ROW] == base_label, ANSWER])
    lines = table[(table[ROW] == base_label) | ~table[ANSWER].isin(base)]
    alike = [name for name in lines if name not in _KEPT and lines[name].nunique(dropna=False) <= 1]
    return lines.drop(columns=alike)


def measured(
    measure: SweepMeasure,
    fields: Sequence[str],
    rows: Sequence[Row],
    inputs: Sequence[Mapping[str, str]],
    by_position: Sequence[Sequence[RunRecord]],
) -> pd.DataFrame:
    """One line a run that has the measure: the values of all axes, the row in words, and the number as ``value``.

    What is compared to the base is compared to its other runs of the same input, what is compared to repeats to the
    others of its position.
    """
    several = max(len(inputs), 1)
    place = base_row(rows)
    lines = []
    for position, records in enumerate(by_position):
        base = by_position[place * several + position % several] if place is not None else []
        row = rows[position // several]
        if measure.is_of_repeats:
            base = records
        for record in records:
            others = [other.text for other in base if other.id != record.id and other.status == Status.OK]
            value = measure.of(record, others)
            if value is not None:
                said = {field: row.get(field, BASE) for field in fields}
                lines.append({ROW: row_in_words(row), **said, VALUE: value})
    return pd.DataFrame(lines, columns=[ROW, *fields, VALUE])


def wide_table(table: pd.DataFrame, number: str) -> pd.DataFrame:
    """One line a row and input of ``long_table``, with the number of each repeat in a column of its own."""
    cell = [name for name in (ROW, INPUT) if name in table]
    wide = table.pivot_table(index=cell, columns=REPEAT, values=number, aggfunc="last", sort=False)
    return wide.rename(columns=lambda repeat: f"{number} {repeat}").reset_index()


def as_csv(table: pd.DataFrame) -> bytes:
    """The table as CSV in UTF-8. A text that a spreadsheet would compute begins with an apostrophe there."""

    def safe(cell: object) -> object:
        return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_BEGINS) else cell

    # Line ends as RFC 4180 has them: so a text with either of their halves is quoted.
    return table.rename(columns=safe).map(safe).to_csv(index=False, lineterminator="\r\n").encode("utf-8", "replace")


def _counted(reasons: pd.Series) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in reasons.value_counts().items())
