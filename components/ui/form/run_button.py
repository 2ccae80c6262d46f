"""The button that runs what a page holds, and the box that sends it although the endpoint may refuse it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from components.ui import presses, shortcuts, state


def draw_run_button(label: str, action: Callable[[], object], *, key: str = state.RUN, disabled: bool = False) -> None:
    """Draw the button, which Ctrl+Enter presses."""
    st.button(
        label,
        key=key,
        type="primary",
        shortcut=shortcuts.RUN,
        icon=":material/play_arrow:",
        disabled=disabled,
        on_click=presses.soon(action),
    )


def draw_send_anyway() -> None:
    """Draw the box."""
    st.checkbox("Send anyway", key=state.SEND_ANYWAY, help="Sends the request anyway; the endpoint may refuse it.")
