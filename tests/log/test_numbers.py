"""The numbers of a run in words: one list, of which screens, shared copies and the documentation are made."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from components.log.numbers import NUMBERS
from components.log.record import RunRecord
from components.log.tables import runs

DOCUMENT = Path(__file__).parents[2] / "docs" / "runs.md"


def test_every_number_is_a_field_and_a_column() -> None:
    assert NUMBERS.keys() <= {field.name for field in fields(RunRecord)}
    assert NUMBERS.keys() <= set(runs.columns.keys())


@pytest.mark.parametrize("name", NUMBERS)
def test_the_documentation_has_each_definition(name: str) -> None:
    number = NUMBERS[name]
    assert f"| {number.label} | `{name}` | {number.unit} | {number.definition} |" in DOCUMENT.read_text()


def test_no_two_numbers_have_the_same_words() -> None:
    assert len({number.label for number in NUMBERS.values()}) == len(NUMBERS)
    assert len({number.title for number in NUMBERS.values()}) == len(NUMBERS)
