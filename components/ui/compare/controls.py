"""The page's menus, and the row above the lanes: run and stop all, mode, repeats, and changes of the lanes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from components.drafts.comparison import LANE_SETS, MAX_LANES, MAX_REPEATS, Comparison, Timing, added, with_lane_set
from components.drafts.draft import Draft, read_draft
from components.experiments.file_format import ExperimentFile
from components.experiments.store import COMPARISON, StoredExperiment
from components.ui import presses, shortcuts, state
from components.ui.choices import draw_action, draw_popover
from components.ui.compare import keys
from components.ui.compare.lane_form import draw_change_of_several
from components.ui.compare.starting import change_lanes, open_comparison, start_all, stop
from components.ui.experiment_file import rules_form
from components.ui.experiment_file.file_menu import draw_file_menu
from components.ui.form import draft_form
from components.ui.form.message_editor import draw_undo
from components.ui.form.run_button import draw_run_button, draw_send_anyway
from components.ui.history import draw_earlier
from components.ui.shortcuts import draw_shortcuts
from components.ui.user_errors import draw_error

_TIMINGS = {
    Timing.PARALLEL: "Parallel",
    Timing.ONE_AFTER_ANOTHER: "Sequential",
    Timing.INTERLEAVED: "Interleaved",
}
_TIMING_HELP = """
**Parallel** is quick, but the lanes slow each other down. **Sequential** makes one request at a time, lane by lane.
**Interleaved** makes one at a time as well, in a new random order each round, after a warm-up that counts for nothing:
the fairest for times.
"""


def draw_menus(*, blind: bool, draw_share: Callable[[], None]) -> None:
    """Draw the menus of the whole page; ``draw_share`` is called for answers that are not ``blind``."""
    draw_undo()
    draw_file_menu(lambda: ExperimentFile(draft_form.read(), None, rules_form.read()))
    draw_earlier(COMPARISON, _read_earlier, open_comparison)
    if not blind:
        draw_share()
    draw_shortcuts()


def draw_controls(comparison: Comparison, *, may_be_refused: bool, active: bool) -> None:
    """Draw the row.

    ``may_be_refused`` adds *Send anyway*; ``active`` is whether any lane runs, so that Stop has something to stop.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="run_bar"):
        draw_run_button("Run all", start_all)
        st.button(
            "Stop all",
            key=keys.STOP_ALL,
            shortcut=shortcuts.STOP,
            icon=":material/stop:",
            disabled=not active,
            on_click=presses.soon(stop),
        )
        if may_be_refused:
            draw_send_anyway()
        st.selectbox(
            "Order",
            list(Timing),
            index=list(Timing).index(comparison.timing),
            format_func=_TIMINGS.__getitem__,
            key=keys.TIMING,
            label_visibility="collapsed",
            width=140,
            help=_TIMING_HELP,
            on_change=presses.soon(_apply, "timing", keys.TIMING),
        )
        st.number_input(
            "Repeats",
            1,
            MAX_REPEATS,
            comparison.repeats,
            key=keys.REPEATS,
            label_visibility="collapsed",
            width=110,
            on_change=presses.soon(_apply, "repeats", keys.REPEATS),
            icon=":material/repeat:",
        )
        st.toggle(
            "Blind",
            key=keys.BLIND,
            help="Shows two answers at a time without names and numbers until you have voted.",
            on_change=st.session_state.pop,
            args=(state.BLIND_ORDER, None),
        )
        st.space("stretch")
        is_full = len(comparison.lanes) >= MAX_LANES
        draw_action("Add lane", "add_lane", ":material/add:", draft_form.change_comparison, added, disabled=is_full)
        st.menu_button(
            "Templates",
            list(LANE_SETS),
            key=keys.LANE_SET,
            type="tertiary",
            icon=":material/view_column:",
            on_click=presses.soon_chosen(keys.LANE_SET, _apply_lane_set),
        )
        draw_change = partial(draw_change_of_several, comparison)
        draw_popover("Edit lanes together", "change_several", ":material/tune:", draw_change)
        rules_form.draw_rules()
    # Always there: a message that appears or vanishes must not move the elements below it.
    with st.container():
        draw_error(state.RUN_PROBLEM)
        rules_form.draw_rules_problem()


def _read_earlier(stored: StoredExperiment) -> tuple[Draft, str] | None:
    draft = read_draft(stored.content)
    return (draft, f"{len(draft.comparison.lanes)} lanes") if draft else None


def _apply(part: str, key: str) -> None:
    value = st.session_state[key]
    if value is not None:
        draft_form.change_comparison(lambda comparison: comparison.model_copy(update={part: value}))


def _apply_lane_set(name: str) -> None:
    change_lanes(partial(with_lane_set, name=name), f"lanes {name}")
