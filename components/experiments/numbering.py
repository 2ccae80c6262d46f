"""Maps the rows of a plan to the rows of the edited table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.experiments.sweep_plan import PlanProblem, Row, read_rows


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
