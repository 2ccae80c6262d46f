"""The cells of a sweep as a table, single or grouped, and the actions on selected cells."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import pandas as pd
import streamlit as st

from components.drafts.comparison import MAX_LANES
from components.experiments.cell_result import ByPosition, CellResult
from components.experiments.experiment import Experiment
from components.experiments.measures import closed_loop
from components.experiments.stored_sweep import StoredSweep
from components.experiments.sweep_results import row_in_words
from components.experiments.sweep_tables import (
    ANSWER,
    ANSWER_COLUMNS,
    CHECK,
    DIGEST,
    FINISH_REASON,
    GOODPUT,
    INPUT,
    PASS_RATE,
    PASSED,
    POSITION,
    ROW,
    RUN,
    STATUS,
    TIMED_COLUMNS,
    TIMES,
    axis_column,
    collapsed,
    different_only,
    grouped,
    long_table,
)
from components.log.record import NUMBERS, RunRecord
from components.ui import presses, state
from components.ui.answer.answer_differences import draw_word_differences
from components.ui.answer.numbers import draw_numbers
from components.ui.plain_words import plain_words
from components.ui.sweep import keys
from components.ui.sweep.running import compare_positions, run_cells
from components.ui.sweep.sweep_runs import whole_runs
from components.ui.user_errors import show_errors

_MAX_ROWS = 500
_EACH = "each run"
_COLUMNS = {
    **{
        column: st.column_config.NumberColumn(
            NUMBERS[name].label,
            width=108,
            format="%d ms" if name.endswith("_ms") else "%.1f" if name == "tokens_per_second" else "%d",
            help=NUMBERS[name].definition,
        )
        for column, name in TIMED_COLUMNS.items()
    },
    **{
        column: st.column_config.NumberColumn(format="%.3g", help=NUMBERS[name].definition)
        for column, name in ANSWER_COLUMNS.items()
    },
    "distinct-2": st.column_config.NumberColumn(format="%.2f", help="The share of different word pairs."),
    "at once": st.column_config.NumberColumn(help="The maximum number of concurrent requests."),
    # Widths that do not depend on the first rows to end.
    ROW: st.column_config.TextColumn(width=150),
    STATUS: st.column_config.TextColumn(width=130),
    ANSWER: st.column_config.TextColumn(width="large"),
    PASSED: st.column_config.CheckboxColumn(help="Whether the answer passes all checks."),
    CHECK: st.column_config.TextColumn(help="The first check that the answer does not pass, and why."),
    PASS_RATE: st.column_config.TextColumn(
        help="The share of answers that pass all checks, with its 95 % interval and their number."
    ),
    GOODPUT: st.column_config.NumberColumn(
        format="percent", help="The share of ended runs that succeeded within all limits."
    ),
    TIMES: st.column_config.NumberColumn(format="×%d", help="The number of identical answers."),
    RUN: st.column_config.LinkColumn(display_text="open"),
}


def draw_cells(sweep_id: str, sweep: StoredSweep, by_position: ByPosition, experiment: Experiment | None) -> None:
    """Draw the choices and the table."""
    fields = sweep.setup.fields
    results = {result.id: result for row_results in by_position for result in row_results}
    if not results:
        st.caption("No run has started yet.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        groups = [_EACH, ROW, *map(axis_column, fields), *([INPUT] if sweep.inputs else [])]
        group = st.selectbox("By", groups, key=keys.SWEEP_GROUP, label_visibility="collapsed", width=200)
        merged = st.toggle("Group identical", key=keys.SWEEP_ONCE, disabled=group != _EACH)
        different = st.toggle("Differences only", key=keys.SWEEP_DIFFERENT, disabled=group != _EACH)
    # A plain list shows only its first cells, to avoid a table of all cells every second.
    needed = by_position if group != _EACH or merged or different else _first_cells(by_position)
    table = long_table(sweep, needed)
    if group != _EACH:
        st.dataframe(grouped(table, group, _limits()), hide_index=True, placeholder="–", column_config=_COLUMNS)
        st.caption(f"Numbers are medians of successful answers. {closed_loop(sweep.setup.at_once)}")
        return
    if merged:
        table = collapsed(table)
    if different:
        table = different_only(table)
    shown = table[:_MAX_ROWS]
    chosen = st.dataframe(
        _as_displayed(shown, results, fields),
        key=keys.SWEEP_GRID,
        hide_index=True,
        placeholder="–",
        height=min(38 + 35 * len(shown), 520),
        column_config=_COLUMNS,
        on_select="rerun",
        selection_mode="multi-row",
    )
    count = len(table) if merged or different else len(results)
    if count > _MAX_ROWS:
        st.caption(f"The first {_MAX_ROWS:,} of {count:,} runs. The export has all.")
    selected = [place for place in chosen.get("selection", {}).get("rows", []) if place < len(shown)]
    _draw_chosen(sweep_id, sweep, [results[shown[RUN].iloc[place]] for place in selected], experiment)


def _limits() -> dict[str, float]:
    """The visitor's limits of an answer: the maximum of each column."""
    with st.container(horizontal=True, gap="medium"):
        limits = {
            f"{NUMBERS[name].label} ms": st.number_input(
                f"{NUMBERS[name].label} limit, ms",
                min_value=0.0,
                value=None,
                step=10.0,
                key=key,
                width=200,
                placeholder="none",
                help=f"Goodput counts answers within it. {NUMBERS[name].definition}",
            )
            for name, key in (("ttft_ms", keys.SWEEP_TTFT_LIMIT), ("gap_p95_ms", keys.SWEEP_GAP_LIMIT))
        }
    return {column: limit for column, limit in limits.items() if limit is not None}


def _first_cells(by_position: ByPosition) -> list[Sequence[CellResult]]:
    counted = accumulate(map(len, by_position), initial=0)
    return [results for results, before in zip(by_position, counted, strict=False) if before < _MAX_ROWS]


def _as_displayed(table: pd.DataFrame, results: dict[str, CellResult], fields: Sequence[str]) -> pd.DataFrame:
    shown = table.copy()
    shown[RUN] = [f"./?{state.OPEN_PARAMETER}={run_id}" for run_id in table[RUN]]
    if STATUS in shown:
        shown[STATUS] = [results[run_id].status_words for run_id in table[RUN]]
    # The row shows its values in one cell, which leaves room for the answer.
    hidden = [FINISH_REASON, INPUT, POSITION, DIGEST, *map(axis_column, fields)]
    return shown.drop(columns=hidden, errors="ignore")


@show_errors()
def _draw_chosen(
    sweep_id: str, sweep: StoredSweep, chosen: Sequence[CellResult], experiment: Experiment | None
) -> None:
    if not chosen:
        st.caption("Select runs to make them again, stop them, or compare two to eight of them.")
        return
    running = [record for record in chosen if record.running]
    ended = [record for record in chosen if not record.running]
    with st.container(horizontal=True, gap="small"):
        if ended:
            st.button(
                f"Run {len(ended)} again",
                key="again_cells",
                icon=":material/replay:",
                on_click=presses.soon(run_cells, sweep_id, sweep, _places(ended)),
            )
        if running and experiment:
            st.button(
                f"Stop {len(running)}",
                key="stop_cells",
                icon=":material/stop:",
                on_click=experiment.stop_cells,
                args=(_places(running),),
            )
        positions = list(dict.fromkeys(record.position or 0 for record in chosen))
        if 2 <= len(positions) <= MAX_LANES and st.button(
            "Open in Compare",
            key="compare_cells",
            icon=":material/view_column:",
            help="Makes a lane of each request.",
            on_click=compare_positions,
            args=(sweep, positions),
        ):
            st.switch_page("compare.py")
    if len(chosen) > MAX_LANES:
        return
    run_ids = [result.id for result in chosen]
    by_id = {record.id: record for record in whole_runs(sweep, run_ids)}
    records = [by_id[run_id] for run_id in run_ids if run_id in by_id]
    answers = {_title(sweep, record): record for record in records if record.text}
    if len(answers) > 1:
        draw_word_differences(answers, next(iter(answers)))
        draw_numbers(answers)
    elif len(records) == 1:
        st.text(records[0].text or records[0].error_message or "")


def _places(results: Sequence[CellResult]) -> list[tuple[int, int]]:
    return [(result.position or 0, result.repeat or 1) for result in results]


def _title(sweep: StoredSweep, record: RunRecord) -> str:
    position = record.position or 0
    input_words = f", input {sweep.input_number_at(position)}" if sweep.inputs else ""
    return plain_words(f"{row_in_words(sweep.row_at(position))}{input_words} · {record.repeat}", 60)
