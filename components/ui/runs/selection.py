"""Ticked runs: the bar above the list to compare, export, check and delete them, and their differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from components.counted import counted
from components.drafts.comparison import MAX_LANES
from components.drafts.side_by_side import side_by_side
from components.log.deletion import DeletedRun, delete_run, restore_run
from components.log.record import RunRecord
from components.log.view import View
from components.sharing.capsule import Kind
from components.ui import presses, state
from components.ui.answer.run_differences import draw_differences
from components.ui.answer.run_lookup import find, record_of
from components.ui.choices import draw_popover
from components.ui.experiment_file import rules_form
from components.ui.experiment_file.answer_checks import draw_checking
from components.ui.form import draft_form
from components.ui.runs import keys
from components.ui.runs.export import draw_file_links
from components.ui.runs.opened_run import close_run
from components.ui.share.share_answers import Answers
from components.ui.share.share_dialog import draw_share_button
from components.ui.time_zone import local_time
from components.ui.user_errors import show_errors_later
from components.ui.visitor import own_log


def draw_selection(on_change: Callable[[], None]) -> None:
    """Draw the bar; ``on_change`` lists the runs again."""
    chosen: list[str] = st.session_state.get(keys.CHOSEN_RUNS, [])
    if chosen:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="selection"):
            st.markdown(f"**{counted(len(chosen), 'run')} selected**", width="content")
            few = 2 <= len(chosen) <= MAX_LANES
            if st.button(
                "Open in Compare",
                key="compare_runs",
                icon=":material/compare_arrows:",
                type="tertiary",
                disabled=not few,
                help=None if few else f"Select two to {MAX_LANES} runs.",
                on_click=_compare,
                args=(chosen,),
            ):
                st.switch_page("compare.py")
            with st.popover("Export", icon=":material/download:", type="tertiary", key="export_selection"):
                draw_file_links(View(ids=tuple(chosen)), keys.SELECTION_TICKET)
            draw = partial(draw_checking, chosen)
            what = "Checks the answers in the log."
            draw_popover("Run checks", keys.CHECKS_OF_SELECTION, ":material/rule:", draw, help=what)
            st.button(
                "Delete",
                key="remove_selection",
                icon=":material/delete:",
                type="tertiary",
                on_click=delete,
                args=(chosen, on_change),
            )
            st.button("Clear selection", key="clear_selection", type="tertiary", on_click=on_change)


def draw_several_runs(run_ids: Sequence[str]) -> None:
    """Draw the differences between two to eight runs, in the order of the table."""
    if len(run_ids) > MAX_LANES:
        st.info(f"Choose at most {MAX_LANES} runs to compare them.", icon=":material/compare_arrows:")
        return
    records = _records(run_ids)
    if len(records) < 2:
        return
    titles = {
        f"Run {number}, {local_time(record.created_at):%d %b, %H:%M:%S}": record
        for number, record in enumerate(records, 1)
    }
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        draw_share_button(lambda: Answers(Kind.RUNS, titles, checks=rules_form.read().checks), key="share_runs")
    draw_differences(titles)


def draw_undo(on_change: Callable[[], None]) -> None:
    """Offer to restore the runs that were deleted last."""
    if deleted := st.session_state.get(keys.DELETED_RUNS):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="deleted"):
            st.markdown(f"{counted(len(deleted), 'run')} deleted.", width="content")
            st.button("Undo", key="bring_back", icon=":material/undo:", on_click=presses.soon(_restore, on_change))


def delete(run_ids: list[str], on_change: Callable[[], None]) -> None:
    """Delete runs that have ended, and close the opened one among them; they can be restored."""
    deleted: list[DeletedRun] = []
    with show_errors_later(keys.RUNS_PROBLEM):
        # One by one: those before a failure can be restored.
        deleted.extend(run for run_id in run_ids if (run := delete_run(own_log(), run_id)))
    st.session_state[keys.DELETED_RUNS] = deleted
    if st.session_state.get(keys.OPENED_RUN) in run_ids:
        close_run()
    st.session_state[keys.JUST_OPENED] = True
    on_change()


def _compare(run_ids: list[str]) -> None:
    drafts = [draft for record in _records(run_ids) if (draft := draft_form.draft_of(record))]
    if drafts:
        draft_form.fill(side_by_side(*drafts), "comparison begun")
        st.session_state.pop(state.EXPERIMENT, None)


def _records(run_ids: Sequence[str]) -> list[RunRecord]:
    return [record for run_id in run_ids if (record := record_of(find(run_id)))]


def _restore(on_change: Callable[[], None]) -> None:
    deleted: list[DeletedRun] = st.session_state.get(keys.DELETED_RUNS, [])
    with show_errors_later(keys.RUNS_PROBLEM):
        while deleted:
            restore_run(own_log(), deleted[-1])
            deleted.pop()
    on_change()
