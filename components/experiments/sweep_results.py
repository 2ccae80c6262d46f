"""The runs of a sweep, row by row of its plan, and what its axes do to a measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from components.drafts.in_words import OMITTED
from components.experiments.axes import BASE
from components.experiments.cell_result import CellResult
from components.experiments.findings import AxisFinding, axis_findings
from components.experiments.measures import SweepMeasure
from components.experiments.sweep_plan import Row
from components.streaming.outcome import Status


class Placed(Protocol):
    """A run with its place in a sweep: a ``RunRecord``, or a ``CellResult``."""

    @property
    def created_at(self) -> str:
        """When it was begun, in UTC."""

    @property
    def position(self) -> int | None:
        """Which row with which input, from 0."""

    @property
    def repeat(self) -> int | None:
        """Which repeat, from 1; 0 for a warm-up."""

    @property
    def status(self) -> str:
        """How it ended."""


_Placed = TypeVar("_Placed", bound=Placed)


def records_by_row(records: Sequence[_Placed], rows: int) -> list[list[_Placed]]:
    """The newest run of each repeat, for each row, in the order of the repeats."""
    by_row: list[dict[int, _Placed]] = [{} for _ in range(rows)]
    for record in sorted(records, key=lambda record: record.created_at):
        if record.position is not None and record.position < rows and record.repeat:
            by_row[record.position][record.repeat] = record
    return [[found[repeat] for repeat in sorted(found)] for found in by_row]


def join_inputs(by_position: Sequence[Sequence[_Placed]], inputs: int) -> list[list[_Placed]]:
    """The runs of each row with all its ``inputs``, of which there is at least one, from those of each position."""
    return [
        [record for records in by_position[begin : begin + inputs] for record in records]
        for begin in range(0, len(by_position), inputs)
    ]


def missing_cells(by_row: Sequence[Sequence[Placed]], repeats: int) -> list[tuple[int, int]]:
    """Row, counted from 0, and repeat of each cell that has no run which ended well."""
    answered = [{record.repeat for record in records if record.status == Status.OK} for records in by_row]
    return [
        (row, repeat) for repeat in range(1, repeats + 1) for row, done in enumerate(answered) if repeat not in done
    ]


def row_in_words(row: Row) -> str:
    """What a row changes, in one line."""
    return ", ".join(f"{field} {words}" for field, words in row.items()) or BASE


def values_of(measure: SweepMeasure, results: Sequence[CellResult], alike: Mapping[str, float]) -> list[float]:
    """The measure of each run that has it; ``alike`` is what ``SweepMeasure.of`` needs for the similarity."""
    values = (measure.of(result, alike=alike) for result in results)
    return [value for value in values if value is not None]


def base_row(rows: Sequence[Row]) -> int | None:
    """Which row, from 0, is the base itself; None when the plan has no such row."""
    return next((number for number, row in enumerate(rows) if not row), None)


def findings(
    fields: Sequence[str],
    rows: Sequence[Row],
    by_row: Sequence[Sequence[CellResult]],
    measure: SweepMeasure,
    alike: Mapping[str, float],
) -> list[AxisFinding]:
    """What each axis does to the measure, by the rows that change that axis alone; none without a row of the base.

    How alike repeats are is no number of a single answer, so there are none to be tested, and nothing is found.
    """
    place = base_row(rows)
    if place is None or measure.is_of_repeats:
        return []
    base = values_of(measure, by_row[place], alike)
    found = []
    for field in fields:
        alone: Mapping[str, list[float]] = {
            row.get(field, OMITTED): values_of(measure, results, alike)
            for row, results in zip(rows, by_row, strict=True)
            if list(row) == [field]
        }
        if alone:
            found.append(axis_findings(field, alone, base, measure.label))
    return found
