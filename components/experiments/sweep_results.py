"""The runs of a sweep by row of its plan, and the effect of its axes on a measure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from components.contract.strict_json import read_json
from components.drafts.in_words import OMITTED
from components.experiments.axes import BASE
from components.experiments.cell_result import CellResult
from components.experiments.measures import SweepMeasure
from components.experiments.noise import FEWEST_REPEATS, Verdict, compare_numbers
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


def axis_finding(field: str, groups: Mapping[str, Sequence[float]], base: Sequence[float], measure_label: str) -> str:
    """What an axis changes in a measure, in any unit, in one sentence. ``groups`` has the repeats of each value.

    Each value is compared with the base separately (``compare_numbers``): of 20 values without effect, one is
    expected to show one.
    """
    verdicts = {words: compare_numbers(base, repeats) for words, repeats in groups.items()}
    known = [words for words, verdict in verdicts.items() if verdict is not Verdict.TOO_FEW]
    unknown = [words for words, verdict in verdicts.items() if verdict is Verdict.TOO_FEW]
    differing = [words for words, verdict in verdicts.items() if verdict is Verdict.MORE]
    if not known:
        return f"{FEWEST_REPEATS} repeats of each are needed."
    noise = f"{measure_label} by more than the base's own variation"
    counts = _repeats([len(base), *(len(groups[words]) for words in known)])
    if differing:
        sentence = f"{field} changes {noise} {_differing_values(differing, groups)} ({counts})."
    else:
        sentence = f"{field} does not change {noise} ({counts})."
    return f"{sentence} {FEWEST_REPEATS} repeats are needed at {_joined(unknown)}." if unknown else sentence


def _differing_values(differing: Sequence[str], values: Collection[str]) -> str:
    numbers = {words: number for words in values if (number := _number(words)) is not None}
    highest = sorted(numbers, key=lambda words: numbers[words])[-len(differing) :]
    # One value has no "up"; if every value differs, none is the start.
    if 1 < len(differing) < len(numbers) and set(differing) == set(highest):
        return f"from {highest[0]} up"
    return f"at {_joined(differing)}"


def _number(words: str) -> float | None:
    try:
        number = read_json(words)
    except ValueError:
        return None
    return number if isinstance(number, (int, float)) and not isinstance(number, bool) else None


def _joined(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _repeats(counts: Sequence[int]) -> str:
    fewest, most = min(counts), max(counts)
    return f"k = {most}" if fewest == most else f"k = {fewest} to {most}"
