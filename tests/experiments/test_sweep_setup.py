"""The set-up of a sweep: its plan, problems of its axes, and its JSON."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.experiments.axes import AxisProblem
from components.experiments.data_set import as_json_lines
from components.experiments.sweep_plan import PlanKind, PlanProblem, records_of
from components.experiments.sweep_setup import MAX_AT_ONCE, MAX_REPEATS, Setup, TypedAxis, read_setup

TEMPERATURE = TypedAxis(field="temperature", text="0, 1")
SEED = TypedAxis(field="random_seed", text="seeds 2")


def a_setup(*axes: TypedAxis, **parts: Any) -> Setup:
    return Setup(axes=axes or (TEMPERATURE,), **parts)


def test_a_new_setup_is_a_runnable_example() -> None:
    rows = Setup().plan()
    assert records_of(Setup().fields, rows) == [
        {"temperature": words} for words in ("base", "0", "0.25", "0.5", "0.75", "1")
    ]
    assert Setup().problem_of(0) is None


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        (
            PlanKind.ONE_AT_A_TIME,
            [{}, {"temperature": "0"}, {"temperature": "1"}, {"random_seed": "1"}, {"random_seed": "2"}],
        ),
        (PlanKind.ZIP, [{"temperature": "0", "random_seed": "1"}, {"temperature": "1", "random_seed": "2"}]),
        (
            PlanKind.PRODUCT,
            [{"temperature": warmth, "random_seed": seed} for warmth in ("0", "1") for seed in ("1", "2")],
        ),
        (PlanKind.LIST, [{}]),
    ],
)
def test_each_kind_of_plan_combines_the_typed_values(kind: PlanKind, rows: list[dict[str, str]]) -> None:
    assert a_setup(TEMPERATURE, SEED, kind=kind).plan() == rows


def test_fields_are_unique_in_the_order_of_their_axes() -> None:
    assert a_setup(SEED, TEMPERATURE, SEED).fields == ["random_seed", "temperature"]


def test_invalid_values_prevent_the_plan_and_are_named_on_their_axis() -> None:
    setup = a_setup(TEMPERATURE, TypedAxis(field="max_tokens", text="5, many"))
    with pytest.raises(AxisProblem) as problem:
        setup.plan()
    assert str(problem.value) == (
        "many is invalid for max_tokens, which takes whole numbers such as 256, null or omitted."
    )
    assert [setup.problem_of(number) for number in (0, 1)] == [None, str(problem.value)]


def test_a_second_axis_of_the_same_field_is_named_and_prevents_the_plan() -> None:
    setup = a_setup(TEMPERATURE, SEED, TypedAxis(field="temperature", text="0.5"))
    assert [setup.problem_of(number) for number in range(3)] == [
        None,
        None,
        "temperature already has an axis. Put all its values on one.",
    ]
    with pytest.raises(AxisProblem):
        setup.plan()


def test_axes_of_different_lengths_are_each_valid() -> None:
    setup = a_setup(TEMPERATURE, TypedAxis(field="random_seed", text="1..3"), kind=PlanKind.ZIP)
    with pytest.raises(PlanProblem):
        setup.plan()
    assert [setup.problem_of(0), setup.problem_of(1)] == [None, None]


@pytest.mark.parametrize("text", ["", "no number"])
def test_a_list_plan_needs_no_values_of_its_axes(text: str) -> None:
    setup = a_setup(TypedAxis(field="temperature", text=text), kind=PlanKind.LIST)
    assert setup.plan() == [{}]
    assert setup.problem_of(0) is None


def test_a_list_has_no_column_for_unsweepable_fields() -> None:
    setup = a_setup(TypedAxis(field="messages"), kind=PlanKind.LIST)
    assert setup.problem_of(0) == "messages cannot be swept as a whole. Sweep a variable in them, such as {{topic}}."
    with pytest.raises(AxisProblem):
        setup.plan()


@given(
    st.builds(
        Setup,
        axes=st.lists(st.builds(TypedAxis, field=st.text(), text=st.text()), max_size=3).map(tuple),
        kind=st.sampled_from(PlanKind),
        repeats=st.integers(1, MAX_REPEATS),
        at_once=st.integers(1, MAX_AT_ONCE),
        shuffled=st.booleans(),
    )
)
def test_a_setup_survives_json(setup: Setup) -> None:
    assert read_setup(setup.model_dump_json()) == setup


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '{"kind": "spiral"}', '{"repeats": 0}', '{"axes": [{}]}'])
def test_an_invalid_set_up_is_read_as_none(text: str) -> None:
    assert read_setup(text) is None


@pytest.mark.parametrize(
    "parts", [{"repeats": 0}, {"repeats": MAX_REPEATS + 1}, {"at_once": 0}, {"at_once": MAX_AT_ONCE + 1}]
)
def test_repeats_and_requests_at_once_have_limits(parts: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        a_setup(**parts)


def test_edited_rows_keep_swept_fields_without_repeated_rows() -> None:
    axes = (TypedAxis(field="top_p", text="0.5"),)
    rows = ({}, {"temperature": "1"}, {"top_p": "0.5", "temperature": "1"})
    assert Setup(axes=axes, rows=rows).edited_rows() == [{}, {"top_p": "0.5"}]
    assert Setup(axes=axes).edited_rows() is None


def test_a_data_set_is_read_from_its_text_and_sampled() -> None:
    setup = Setup(data="word\none\ntwo\nthree\n")
    whole, part = setup.data_set(), setup.model_copy(update={"sample_rows": 2}).data_set()
    assert whole is not None
    assert part is not None
    assert [row["word"] for row in whole.rows] == ["one", "two", "three"]
    assert len(part.rows) == 2
    assert Setup().data_set() is None


def test_a_stored_data_set_is_read_at_any_length() -> None:
    rows = [{"a_long_name_of_a_column": "x" * 200, "number": str(number)} for number in range(5_000)]
    found = Setup(data=as_json_lines(rows)).data_set()
    assert found is not None
    assert list(found.rows) == rows
