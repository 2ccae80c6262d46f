"""The row between the form and its results: Run, Stop and the choice of view."""

from __future__ import annotations

import streamlit as st

from components.ui import presses, shortcuts, state
from components.ui.choices import choose_view
from components.ui.form.run_button import draw_run_button, draw_send_anyway
from components.ui.playground import keys
from components.ui.playground.form_run import run_form, stop_shown
from components.ui.shortcuts import draw_shortcuts

ANSWER, REQUEST, EVENTS, CODE = "Answer", "Request", "Events", "Code"


def draw_run_bar(*, may_be_refused: bool, running: bool) -> str:
    """Draw the row; returns the chosen view. ``may_be_refused`` adds *Send anyway*; ``running`` enables *Stop*."""
    with st.container(horizontal=True, vertical_alignment="center", key="run_bar"):
        draw_run_button("Run", run_form)
        st.button(
            "Stop",
            key=state.STOP,
            shortcut=shortcuts.STOP,
            icon=":material/stop:",
            disabled=not running,
            on_click=presses.soon(stop_shown),
        )
        if may_be_refused:
            draw_send_anyway()
        st.space("stretch")
        view = choose_view("View", [ANSWER, REQUEST, EVENTS, CODE], keys.VIEW)
        draw_shortcuts()
    return view
