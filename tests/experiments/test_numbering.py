"""Rows keep their numbers in the table, although some lines give no row."""

from __future__ import annotations

from components.experiments.sweep_plan import numbers_in_table, read_rows

FIELDS = ["temperature"]


def numbers(*cells: object) -> list[int]:
    records = [{"temperature": cell} for cell in cells]
    return list(numbers_in_table(FIELDS, records, read_rows(FIELDS, records)))


def test_each_line_is_numbered() -> None:
    assert numbers("base", "0", "0.5") == [1, 2, 3]


def test_empty_and_repeated_lines_are_counted() -> None:
    assert numbers("base", "", "0.5", None, "0.50", "base", "1") == [1, 3, 7]
