"""The runs of a sweep, row by row of its plan, and what its axes do to a measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.drafts.in_words import OMITTED
from components.runs.run import RunRecord
from components.streaming.outcome import Status
from components.sweeps.axes import BASE
from components.sweeps.measures import SweepMeasure
from components.sweeps.planning import Row
from components.sweeps.reading import AxisFinding, axis_findings


def records_by_row(records: Sequence[RunRecord], rows: int) -> list[list[RunRecord]]:
    """The newest run of each repeat, for each row, in the order of the repeats."""
    by_row: list[dict[int, RunRecord]] = [{} for _ in range(rows)]
    for record in sorted(records, key=lambda record: record.created_at):
        if record.position is not None and record.position < rows and record.repeat:
            by_row[record.position][record.repeat] = record
    return [[found[repeat] for repeat in sorted(found)] for found in by_row]


def join_inputs(by_position: Sequence[Sequence[RunRecord]], inputs: int) -> list[list[RunRecord]]:
    """The runs of each row with all its ``inputs``, of which there is at least one, from those of each position."""
    return [
        [record for records in by_position[begin : begin + inputs] for record in records]
        for begin in range(0, len(by_position), inputs)
    ]


def missing_cells(by_row: Sequence[Sequence[RunRecord]], repeats: int) -> list[tuple[int, int]]:
    """Row, counted from 0, and repeat of each cell that has no run which ended well."""
    answered = [{record.repeat for record in records if record.status == Status.OK} for records in by_row]
    return [
        (row, repeat) for repeat in range(1, repeats + 1) for row, done in enumerate(answered) if repeat not in done
    ]


def row_in_words(row: Row) -> str:
    """What a row changes, in one line."""
    return ", ".join(f"{field} {words}" for field, words in row.items()) or BASE


def values_of(measure: SweepMeasure, records: Sequence[RunRecord], base: Sequence[RunRecord]) -> list[float]:
    """The measure of each run that has it. What is compared to the base is compared to its other runs."""
    values = (
        measure.of(record, [other.text for other in base if other.id != record.id and other.status == Status.OK])
        for record in records
    )
    return [value for value in values if value is not None]


def base_row(rows: Sequence[Row]) -> int | None:
    """Which row, from 0, is the base itself; None when the plan has no such row."""
    return next((number for number, row in enumerate(rows) if not row), None)


def findings(
    fields: Sequence[str], rows: Sequence[Row], by_row: Sequence[Sequence[RunRecord]], measure: SweepMeasure
) -> list[AxisFinding]:
    """What each axis does to the measure, by the rows that change that axis alone; none without a row of the base."""
    place = base_row(rows)
    if place is None:
        return []
    base = by_row[place]
    found = []
    for field in fields:
        alone: Mapping[str, list[float]] = {
            row.get(field, OMITTED): values_of(measure, records, base)
            for row, records in zip(rows, by_row, strict=True)
            if list(row) == [field]
        }
        if alone:
            found.append(axis_findings(field, alone, values_of(measure, base, base), measure.label))
    return found
