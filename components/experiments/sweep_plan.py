"""The rows of a sweep: combinations of values, counted before they are built."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain, product
from typing import Any

import numpy as np
import pandas as pd

from components.experiments import sentences
from components.experiments.axes import BASE, Axis, AxisProblem, read_word
from components.experiments.problem import SweepProblem
from components.experiments.ranges import in_figures

MAX_ROWS = 10_000

_UNCHANGED = ("", BASE)

Row = Mapping[str, str]
"""The words of the fields that a row changes; other fields are as in the base."""


class PlanKind(StrEnum):
    """How the values of several axes are combined."""

    ONE_AT_A_TIME = "one at a time"
    """The base, then each value of each axis alone."""
    ZIP = "zip"
    """The first values of all axes together, then the second ones."""
    PRODUCT = "product"
    """Every value of each axis with every value of the others."""
    LIST = "list"
    """Rows written by hand."""


class PlanProblem(SweepProblem):
    """The axes make no plan; the text says what to do."""


def rows_of(kind: PlanKind, axes: Sequence[Axis]) -> list[dict[str, str]]:
    """The rows of a plan, in order; in a product the last axis changes fastest. Without axes there is the base alone.

    A list begins with only the base; ``read_rows`` reads the edited table. Raises PlanProblem when axes
    do not fit together or rows are more than ``MAX_ROWS``, AxisProblem when an axis has no values.
    """
    _check(axes)
    lengths = [len(axis.values) for axis in axes]
    changes = [[(axis.field, value) for value in axis.values] for axis in axes]
    combinations: Iterable[tuple[tuple[str, str], ...]]
    match kind:
        case PlanKind.ONE_AT_A_TIME:
            alone = [(change,) for change in chain(*changes) if change[1] not in _UNCHANGED]
            count, combinations = 1 + len(alone), [(), *alone]
        case PlanKind.ZIP if axes:
            if len(set(lengths)) > 1:
                each = ", ".join(f"{axis.field} {len(axis.values):,}" for axis in axes)
                raise PlanProblem(sentences.ZIP_OF_DIFFERENT_LENGTHS.format(each=each))
            count, combinations = lengths[0], zip(*changes, strict=True)
        case PlanKind.PRODUCT:
            count, combinations = math.prod(lengths), product(*changes)
        case _:
            return [{}]
    if count > MAX_ROWS:
        raise PlanProblem(sentences.PLAN_TOO_LONG.format(count=in_figures(count), max_rows=MAX_ROWS))
    return [{field: value for field, value in combination if value not in _UNCHANGED} for combination in combinations]


def records_of(fields: Sequence[str], rows: Iterable[Row]) -> list[dict[str, str]]:
    """The rows as a table to edit: the words of each field, or ``base``."""
    return [{field: row.get(field) or BASE for field in fields} for row in rows]


def read_rows(fields: Sequence[str], records: Iterable[Mapping[str, object]]) -> list[dict[str, str]]:
    """The rows of an edited table. An empty cell is as in the base.

    Empty rows and repeats of an earlier row are left out; a row whose cells are all ``base`` is the base.
    Raises AxisProblem that names the row, counted from 1, and the field; PlanProblem when there are more than
    ``MAX_ROWS`` or none.
    """
    rows: dict[tuple[tuple[str, str], ...], None] = {}
    for number, record in enumerate(records, 1):
        changes = {field: words for field in fields if (words := _cell_in_words(record.get(field))).strip()}
        if not changes:
            continue
        rows[tuple(_words_of_row(number, changes))] = None
        if len(rows) > MAX_ROWS:
            raise PlanProblem(sentences.TABLE_TOO_LONG.format(max_rows=MAX_ROWS))
    if not rows:
        raise PlanProblem(sentences.TABLE_WITHOUT_ROWS.format(base=BASE))
    return [dict(row) for row in rows]


def numbers_in_table(
    fields: Sequence[str], records: Sequence[Mapping[str, object]], rows: Sequence[Row]
) -> Sequence[int]:
    """For each row that ``read_rows`` returns, the number of its first record, from 1."""
    if len(records) == len(rows):
        return range(1, len(rows) + 1)
    # Some records are empty or repeat an earlier one.
    numbers: dict[tuple[tuple[str, str], ...], int] = {}
    for number, record in enumerate(records, 1):
        try:
            [row] = read_rows(fields, [record])
        except PlanProblem:
            continue
        numbers.setdefault(tuple(row.items()), number)
    return [numbers[tuple(row.items())] for row in rows]


def _check(axes: Sequence[Axis]) -> None:
    for axis in axes:
        if not axis.values:
            raise AxisProblem(axis.field, sentences.AXIS_WITHOUT_VALUES.format(field=axis.field))
    field, times = max(Counter(axis.field for axis in axes).items(), key=lambda counted: counted[1], default=("", 0))
    if times > 1:
        raise AxisProblem(field, sentences.FIELD_ON_SEVERAL_AXES.format(field=field, times=times))


def _words_of_row(number: int, row: Row) -> Iterator[tuple[str, str]]:
    for field, words in row.items():
        try:
            word = read_word(field, words)
        except AxisProblem as problem:
            raise AxisProblem(
                field, sentences.TABLE_VALUE_WRONG.format(number=number, field=field, problem=problem)
            ) from None
        if word:
            yield field, word


def _cell_in_words(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, np.generic):
        cell = cell.item()
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return ""
    return json.dumps(cell, ensure_ascii=False, default=str)
