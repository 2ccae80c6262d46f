"""The rows of a sweep as an editable table, and their storage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from components.counted import counted
from components.experiments.problem import SweepProblem
from components.experiments.sweep_plan import PlanKind, numbers_in_table, read_rows, records_of
from components.experiments.sweep_setup import Setup, TypedAxis
from components.ui import presses
from components.ui.sweep import keys, setup_form

_TABLE = "plan_table"
_GRID_HINT = "X across, Y down. A cell without a tick is not run."
_MAX_GRID_CELLS = 400
_Before = tuple[tuple[TypedAxis, ...], tuple[dict[str, str], ...]]


def draw_plan(setup: Setup) -> tuple[list[dict[str, str]], Sequence[int]]:
    """Draw the table; returns its rows and the number of each row in it.

    Raises SweepProblem after the table is drawn, if there is one.
    """
    generated = setup.plan()
    records = _source(setup, generated)
    setup = setup_form.read()  # edits may just have been set aside
    count = len(setup.edited_rows() or generated)
    as_grid = is_grid(setup, generated)
    label = f"Plan: {counted(count, 'row')}"
    with st.expander(label, expanded=as_grid, key="plan_grid" if as_grid else "plan_box"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(_GRID_HINT if as_grid else "Edit values, add rows, remove rows. base: the base value.")
            if setup.rows is not None:
                st.button("Undo all edits", key="reset_plan", type="tertiary", on_click=presses.soon(_reset))
        edited = _draw_grid(setup, generated, records) if as_grid else _draw_list(setup, records)
        _draw_set_aside()
    rows, numbers = _rows_of(setup.fields, edited)
    _keep(setup, rows, generated)
    return rows, numbers


def is_grid(setup: Setup, generated: Sequence[dict[str, str]]) -> bool:
    """Whether the plan is a choice of cells of a grid of two axes; rows written by hand make it a list."""
    edited = setup.edited_rows()
    return (
        setup.kind is PlanKind.PRODUCT
        and len(setup.fields) == 2
        and len(generated) <= _MAX_GRID_CELLS
        and (edited is None or all(row in generated for row in edited))
    )


def _draw_list(setup: Setup, records: list[dict[str, str]]) -> pd.DataFrame:
    return st.data_editor(
        pd.DataFrame(records, columns=setup.fields),
        num_rows="dynamic",
        key=f"{_TABLE}_{_drawn()}",
        column_config={field: st.column_config.TextColumn() for field in setup.fields},
    )


def _draw_grid(setup: Setup, generated: list[dict[str, str]], records: list[dict[str, str]]) -> pd.DataFrame:
    """Draw a tick for each cell; returns the ticked ones as a table of rows."""
    across, down = setup.fields
    all_records = records_of(setup.fields, generated)
    columns = list(dict.fromkeys(record[across] for record in all_records))
    lines = list(dict.fromkeys(record[down] for record in all_records))
    ticks = pd.DataFrame(
        [[{across: column, down: line} in records for column in columns] for line in lines],
        # Not the bare words: a column may not be named twice, nor like another part of the table.
        columns=[f"{across} {column}" for column in columns],
        index=pd.Index(lines, name=down),
    )
    words = st.column_config.TextColumn(disabled=True)
    ticked = st.data_editor(ticks, key=f"{_TABLE}_grid_{_drawn()}", width="content", column_config={"_index": words})
    chosen = [record for record in all_records if ticked.iat[lines.index(record[down]), columns.index(record[across])]]
    return pd.DataFrame(chosen, columns=setup.fields)


def has_table(setup: Setup) -> bool:
    """Whether the axes make a plan; any problem is then in the table."""
    try:
        setup.plan()
    except SweepProblem:
        return False
    return True


def _source(setup: Setup, generated: list[dict[str, str]]) -> list[dict[str, str]]:
    """The initial rows of the table. They must not change while edits apply to them."""
    axes_and_kind = (setup.axes, setup.kind)
    cached: tuple[Any, list[dict[str, str]]] | None = st.session_state.get(keys.PLAN_SOURCE)
    if cached and cached[0] == axes_and_kind:
        return cached[1]
    edited = setup.edited_rows()
    if cached and setup.rows and (setup.kind is not PlanKind.LIST or edited != list(setup.rows)):
        # The axes changed: rows edited for the previous ones are set aside, not lost.
        st.session_state[keys.PLAN_SET_ASIDE] = cached[0][0], setup.rows
        edited = edited if setup.kind is PlanKind.LIST else None
        setup_form.change(rows=tuple(edited) if edited else None)
    records = records_of(setup.fields, generated if edited is None else edited)
    st.session_state[keys.PLAN_SOURCE] = axes_and_kind, records
    st.session_state[keys.PLANS_DRAWN] = _drawn() + 1
    return records


def _rows_of(fields: list[str], table: pd.DataFrame) -> tuple[list[dict[str, str]], Sequence[int]]:
    """The table's rows and their numbers; cached by table, because ten thousand rows are slow to read."""
    cached: tuple[pd.DataFrame, list[dict[str, str]], Sequence[int]] | None = st.session_state.get(keys.PLAN_READ)
    if cached and cached[0].equals(table):
        return cached[1], cached[2]
    records = [dict(zip(fields, row, strict=True)) for row in table.to_numpy().tolist()]
    rows = read_rows(fields, records)
    numbers = numbers_in_table(fields, records, rows)
    st.session_state[keys.PLAN_READ] = table, rows, numbers
    return rows, numbers


def _drawn() -> int:
    """The number of tables so far: a new table must not take over the edits of the previous one."""
    drawn: int = st.session_state.get(keys.PLANS_DRAWN, 0)
    return drawn


def _keep(setup: Setup, rows: list[dict[str, str]], generated: list[dict[str, str]]) -> None:
    edited = None if rows == generated else tuple(rows)
    if edited != setup_form.read().rows:
        setup_form.change(rows=edited)
        if (edited is None) != (setup.rows is None):
            st.rerun()  # for the count, and the button that restores the generated plan


def _reset() -> None:
    st.session_state.pop(keys.PLAN_SOURCE, None)
    setup_form.change(rows=None)


def _draw_set_aside() -> None:
    before: _Before | None = st.session_state.get(keys.PLAN_SET_ASIDE)
    if before is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("The axes have changed, so the plan was generated again.")
        restore = presses.soon(_restore_edited, *before)
        st.button("Restore edited rows", key="edited_back", type="tertiary", on_click=restore)


def _restore_edited(axes: tuple[TypedAxis, ...], rows: tuple[dict[str, str], ...]) -> None:
    """Restore the rows as a list, which no axis regenerates, with their previous axes added to the current ones."""
    st.session_state.pop(keys.PLAN_SET_ASIDE, None)
    st.session_state.pop(keys.PLAN_SOURCE, None)
    current = setup_form.read()
    all_axes = (*current.axes, *(axis for axis in axes if axis.field not in current.fields))
    setup_form.put(current.model_copy(update={"axes": all_axes, "kind": PlanKind.LIST, "rows": rows}))
