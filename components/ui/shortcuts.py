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
    RUN: "Run, also while you type",
    STOP: "Stop the shown run; its text is kept",
    REGENERATE: "Regenerate the answer",
    CONTINUE: "Continue an incomplete answer",
    ADD_ANSWER: "Add the answer to the conversation",
    COMPARE: "Compare the answer with your later changes",
    ADD_USER: "Add a user message",
    UNDO: "Undo the last deletion or import",
    RESET_ALL: "Reset all settings",
    "Tab": "Next control; arrow keys choose within it",
}


def draw_shortcuts() -> None:
    """Draw the question mark with the list."""
    with st.popover("?", type="tertiary", key="shortcuts", help="Keyboard shortcuts"):
        rows = "\n".join(f"| `{key}` | {meaning} |" for key, meaning in _MEANINGS.items())
        st.markdown(f"| Key | What it does |\n|---|---|\n{rows}")
        st.caption("On a Mac, Ctrl is Cmd and Alt is Option.")
