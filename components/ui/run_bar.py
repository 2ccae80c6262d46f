"""The row between the form and what came of it: Run, Stop, and what to look at."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from components.ui import shortcuts, state
from components.ui.shortcuts import draw_shortcuts

ANSWER, REQUEST, EVENTS, CODE = "Answer", "Request", "Events", "Code"


@dataclass(frozen=True)
class RunBar:
    """What was pressed or chosen in the row."""

    run: bool
    stop: bool
    send_anyway: bool
    view: str


def draw_run_bar(*, may_be_refused: bool) -> RunBar:
    """Draw the row. ``may_be_refused`` says whether sending takes a purpose."""
    with st.container(horizontal=True, vertical_alignment="center", key="run_bar"):
        run = st.button("Run", key=state.RUN, type="primary", shortcut=shortcuts.RUN, icon=":material/play_arrow:")
        stop = st.button("Stop", key=state.STOP, shortcut=shortcuts.STOP, icon=":material/stop:")
        send_anyway = may_be_refused and st.checkbox(
            "Send anyway", key=state.SEND_ANYWAY, help="Lets the endpoint say itself what it thinks of this."
        )
        st.space("stretch")
        view = st.segmented_control(
            "What to look at",
            [ANSWER, REQUEST, EVENTS, CODE],
            default=ANSWER,
            key=state.VIEW,
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
        draw_shortcuts()
    return RunBar(run, stop, send_anyway, view or ANSWER)
