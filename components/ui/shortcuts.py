"""The keyboard shortcuts: on the buttons that they press, and in a list behind the question mark."""

from __future__ import annotations

import streamlit as st

RUN = "Ctrl+Enter"
STOP = "Esc"
CLOSE = "Esc"
REGENERATE = "Alt+G"
CONTINUE = "Alt+K"
ADD_ANSWER = "Alt+M"
COMPARE = "Alt+V"
ADD_USER = "Alt+U"
UNDO = "Alt+Z"
RESET_ALL = "Alt+0"

_MEANINGS = {
    RUN: "Run, from anywhere, also while you type",
    STOP: "Stop the run shown; what arrived is kept",
    REGENERATE: "Regenerate the answer",
    CONTINUE: "Continue an answer that was cut",
    ADD_ANSWER: "Add the answer to the messages",
    COMPARE: "Compare the answer with what you have changed since",
    ADD_USER: "Add a user message",
    UNDO: "Undo the last deletion or filling of the form",
    RESET_ALL: "Reset all settings",
    "Tab": "To the next control; arrow keys choose within one",
}


def draw_shortcuts() -> None:
    """Draw the question mark with the list."""
    with st.popover("?", type="tertiary", key="shortcuts", help="Keyboard shortcuts"):
        rows = "\n".join(f"| `{key}` | {meaning} |" for key, meaning in _MEANINGS.items())
        st.markdown(f"| Key | What it does |\n|---|---|\n{rows}")
        st.caption("On a Mac, Ctrl is Cmd and Alt is Option.")
