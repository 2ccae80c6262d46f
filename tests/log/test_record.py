"""The facts of a run: one list for tables, files, pages, shared copies and the documentation."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from components.log.export import COLUMNS
from components.log.record import FACTS, NUMBERS, RunRecord
from components.log.tables import runs
from components.sharing.capsule import CapsuleRun

DOCUMENT = Path(__file__).parents[2] / "docs" / "runs.md"


@pytest.mark.parametrize("name", [field.name for field in fields(RunRecord)])
def test_each_fact_has_a_label_and_a_public_mark(name: str) -> None:
    assert FACTS[name].label
    assert FACTS[name].title
    assert FACTS[name].public is (name in CapsuleRun.model_fields)
    assert name in runs.c
    assert (name in COLUMNS) is (name != "owner")


@pytest.mark.parametrize("name", NUMBERS)
def test_the_documentation_has_each_definition(name: str) -> None:
    number = NUMBERS[name]
    assert f"| {number.label} | `{name}` | {number.unit} | {number.definition} |" in DOCUMENT.read_text()


def test_no_two_facts_have_the_same_label() -> None:
    assert len({fact.label for fact in FACTS.values()}) == len(FACTS)
    assert len({fact.title for fact in FACTS.values()}) == len(FACTS)
