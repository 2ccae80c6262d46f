"""The runs of a sweep by row of its plan, and the effect of its axes on a measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.drafts.in_words import OMITTED
from components.experiments.axes import BASE
from components.experiments.cell_result import CellResult
from components.experiments.findings import axis_finding
from components.experiments.measures import SweepMeasure
from components.experiments.sweep_plan import Row
from components.streaming.outcome import Status


def records_by_row(records: Sequence[CellResult], rows: int) -> list[list[CellResult]]:
    """The newest run of each repeat, for each row, in the order of the repeats."""
    by_row: list[dict[int, CellResult]] = [{} for _ in range(rows)]
    for record in sorted(records, key=lambda record: record.created_at):
        if record.position is not None and record.position < rows and record.repeat:
            by_row[record.position][record.repeat] = record
    return [[by_repeat[repeat] for repeat in sorted(by_repeat)] for by_repeat in by_row]


def join_inputs(by_position: Sequence[Sequence[CellResult]], inputs: int) -> list[list[CellResult]]:
    """The runs of each row with all its ``inputs``, of which there is at least one, from those of each position."""
    return [
        [record for records in by_position[begin : begin + inputs] for record in records]
        for begin in range(0, len(by_position), inputs)
    ]


def missing_cells(by_row: Sequence[Sequence[CellResult]], repeats: int) -> list[tuple[int, int]]:
    """Row, from 0, and repeat of each cell without a run that ended well."""
    answered = [{record.repeat for record in records if record.status == Status.OK} for records in by_row]
    return [
        (row, repeat) for repeat in range(1, repeats + 1) for row, done in enumerate(answered) if repeat not in done
    ]


def row_in_words(row: Row) -> str:
    """The changes of a row, in one line."""
    return ", ".join(f"{field} {words}" for field, words in row.items()) or BASE


def values_of(measure: SweepMeasure, results: Sequence[CellResult], scores: Mapping[str, float]) -> list[float]:
    """The measure of each run that has it; ``scores`` is passed to ``SweepMeasure.of`` for the similarity."""
    values = (measure.of(result, scores=scores) for result in results)
    return [value for value in values if value is not None]


def base_row(rows: Sequence[Row]) -> int | None:
    """The row, from 0, that is the base; None when the plan has none."""
    return next((number for number, row in enumerate(rows) if not row), None)


def findings(
    fields: Sequence[str],
    rows: Sequence[Row],
    by_row: Sequence[Sequence[CellResult]],
    measure: SweepMeasure,
    scores: Mapping[str, float],
) -> list[str]:
    """The effect of each axis on the measure as a sentence, from rows that change only it; none without a base row.

    The similarity of repeats is no number of a single answer, so it has no findings.
    """
    base_index = base_row(rows)
    if base_index is None or measure.is_of_repeats:
        return []
    base = values_of(measure, by_row[base_index], scores)
    result = []
    for field in fields:
        by_value: Mapping[str, list[float]] = {
            row.get(field, OMITTED): values_of(measure, results, scores)
            for row, results in zip(rows, by_row, strict=True)
            if list(row) == [field]
        }
        if by_value:
            result.append(axis_finding(field, by_value, base, measure.label))
    return result
