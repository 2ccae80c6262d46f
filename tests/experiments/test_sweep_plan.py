"""Plans: every combination, counted before it is built, and edited tables."""

from __future__ import annotations

import math
import re
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.experiments.axes import Axis, AxisProblem
from components.experiments.ranges import in_figures
from components.experiments.sweep_plan import (
    MAX_ROWS,
    PlanKind,
    PlanProblem,
    read_rows,
    records_of,
    rows_of,
)

TEMPERATURE = Axis(field="temperature", values=("0", "1"))
SEED = Axis(field="random_seed", values=("1", "2", "3"))
words = {
    "temperature": st.sampled_from(["", "base", "omitted", "null", "0.5"]),
    "model": st.sampled_from(["", "base", "small", "large"]),
    "stop": st.sampled_from(["", "base", "omitted", '["a"]']),
}


def an_axis(field: str, count: int) -> Axis:
    return Axis(field=field, values=tuple(map(str, range(count))))


def test_one_factor_at_a_time_is_the_base_and_each_value_alone() -> None:
    assert rows_of(PlanKind.ONE_AT_A_TIME, [TEMPERATURE, Axis(field="model", values=("base", "large", ""))]) == [
        {},
        {"temperature": "0"},
        {"temperature": "1"},
        {"model": "large"},
    ]


def test_a_zip_takes_the_values_of_all_axes_together() -> None:
    seeds = Axis(field="random_seed", values=("base", "2"))
    assert rows_of(PlanKind.ZIP, [TEMPERATURE, seeds]) == [
        {"temperature": "0"},
        {"temperature": "1", "random_seed": "2"},
    ]


def test_a_zip_of_axes_of_different_lengths_is_refused_with_the_lengths() -> None:
    with pytest.raises(PlanProblem) as problem:
        rows_of(PlanKind.ZIP, [TEMPERATURE, SEED])
    assert str(problem.value) == (
        "A zip needs equally many values on each axis, but there are temperature 2, random_seed 3."
    )


def test_a_grid_has_every_combination_and_its_last_axis_changes_fastest() -> None:
    assert rows_of(PlanKind.PRODUCT, [TEMPERATURE, SEED]) == [
        {"temperature": temperature, "random_seed": seed} for temperature, seed in product("01", "123")
    ]


@pytest.mark.parametrize("kind", PlanKind)
def test_a_plan_without_axes_is_the_base(kind: PlanKind) -> None:
    assert rows_of(kind, []) == [{}]


def test_a_list_begins_with_the_base() -> None:
    assert rows_of(PlanKind.LIST, [TEMPERATURE, SEED]) == [{}]


@given(st.sampled_from(PlanKind), st.lists(st.integers(1, 6), max_size=4))
def test_a_plan_has_as_many_rows_as_its_axes_give(kind: PlanKind, lengths: list[int]) -> None:
    axes = [an_axis(f"key_{place}", length) for place, length in enumerate(lengths)]
    if kind is PlanKind.ZIP and len(set(lengths)) > 1:
        with pytest.raises(PlanProblem):
            rows_of(kind, axes)
        return
    rows = rows_of(kind, axes)
    assert (
        len(rows)
        == {
            PlanKind.ONE_AT_A_TIME: 1 + sum(lengths),
            PlanKind.ZIP: lengths[0] if lengths else 1,
            PlanKind.PRODUCT: math.prod(lengths),
            PlanKind.LIST: 1,
        }[kind]
    )
    assert len({tuple(sorted(row.items())) for row in rows}) == len(rows)


@pytest.mark.parametrize(("axes", "figures"), [(3, "1,000,000,000"), (10, "1" + ",000" * 10), (20, "about 10^60")])
def test_a_grid_is_counted_before_it_is_built(axes: int, figures: str) -> None:
    with pytest.raises(PlanProblem) as problem:
        rows_of(PlanKind.PRODUCT, [an_axis(f"key_{place}", 1_000) for place in range(axes)])
    assert str(problem.value) == (
        f"This plan would have {figures} rows, and a sweep has at most 10,000. "
        "Remove values, or try one axis at a time."
    )


def test_a_grid_may_have_the_maximum_number_of_rows() -> None:
    rows = rows_of(PlanKind.PRODUCT, [an_axis("a", 100), an_axis("b", 100)])
    assert len(rows) == MAX_ROWS
    with pytest.raises(PlanProblem, match="10,100 rows"):
        rows_of(PlanKind.PRODUCT, [an_axis("a", 101), an_axis("b", 100)])


@pytest.mark.parametrize("kind", PlanKind)
def test_an_empty_axis_and_a_field_on_two_axes_are_refused(kind: PlanKind) -> None:
    with pytest.raises(AxisProblem, match=r"^top_p has no values yet\. ") as problem:
        rows_of(kind, [TEMPERATURE, Axis(field="top_p", values=())])
    assert problem.value.field == "top_p"
    with pytest.raises(AxisProblem, match=r"^temperature is on 2 axes\. "):
        rows_of(kind, [TEMPERATURE, SEED, TEMPERATURE])


@given(st.lists(st.fixed_dictionaries({}, optional=words), min_size=1, max_size=6))
def test_rows_survive_the_table(rows: list[dict[str, str]]) -> None:
    effective = [{field: cell for field, cell in row.items() if cell not in ("", "base")} for row in rows]
    once = [row for place, row in enumerate(effective) if row not in effective[:place]]
    assert read_rows(list(words), records_of(list(words), rows)) == once


def test_empty_cells_take_the_value_of_the_base() -> None:
    nothing = [None, float("nan"), pd.NA, pd.NaT, "", " \n", np.float64("nan")]
    records = [{"temperature": cell, "model": "large", "ignored": 1} for cell in nothing]
    assert read_rows(["temperature", "model", "top_p"], records) == [{"model": "large"}]


def test_empty_and_repeated_rows_are_dropped_and_an_explicit_base_stays() -> None:
    records = [{"temperature": cell} for cell in ["0.50", None, "base", "0.5", "", " base "]]
    assert read_rows(["temperature"], records) == [{"temperature": "0.5"}, {}]


def test_cells_of_a_table_may_be_numbers_and_booleans() -> None:
    record = {
        "temperature": np.float64(0.5),
        "max_tokens": 16.0,
        "random_seed": np.int64(7),
        "stream": np.bool_(False),
        "safe_prompt": True,
        "stop": ["ä"],
        "{{count}}": 3,
    }
    assert read_rows(list(record), [record]) == [
        {
            "temperature": "0.5",
            "max_tokens": "16",
            "random_seed": "7",
            "stream": "false",
            "safe_prompt": "true",
            "stop": '["ä"]',
            "{{count}}": "3",
        }
    ]


def test_an_invalid_cell_names_its_row_and_field() -> None:
    with pytest.raises(AxisProblem) as problem:
        read_rows(["temperature"], [{"temperature": "1"}, {}, {"temperature": "hot"}])
    assert problem.value.field == "temperature"
    assert str(problem.value).startswith("Row 3, temperature: hot is invalid for temperature, which takes ")


def test_a_table_without_rows_or_with_too_many_is_refused() -> None:
    with pytest.raises(PlanProblem, match=r"^The table has no rows\. "):
        read_rows(["temperature"], [{"temperature": None}])
    with pytest.raises(PlanProblem, match=r"^The table has more than 10,000 rows"):
        read_rows(["n"], ({"n": str(number)} for number in range(MAX_ROWS + 1)))


@given(st.lists(st.integers(1, 1_000), max_size=12))
def test_a_grid_of_any_size_can_be_counted(lengths: list[int]) -> None:
    axes = [an_axis(f"key_{place}", length) for place, length in enumerate(lengths)]
    count = math.prod(lengths)
    if count <= MAX_ROWS:
        assert len(rows_of(PlanKind.PRODUCT, axes)) == count
        return
    with pytest.raises(PlanProblem, match=re.escape(f"{in_figures(count)} rows")):
        rows_of(PlanKind.PRODUCT, axes)
