"""The script of every page: focus, Escape, Enter and Tab, and menus that close automatically on narrow pages."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_FOCUS = "focus"
"""The key of the widget that gets the focus next, and the number of the request."""

_script = st.components.v2.component(
    "tempera_page_script", js=(Path(__file__).parent / "page_script.js").read_text(), isolate_styles=False
)


def focus(key: str) -> None:
    """Move the keyboard focus to the widget with this key once it is drawn; call it before the page is drawn."""
    _, number = st.session_state.get(_FOCUS, ("", 0))
    st.session_state[_FOCUS] = key, number + 1


def draw_page_script() -> None:
    """Draw the script; it takes no space."""
    key, number = st.session_state.get(_FOCUS, ("", 0))
    with st.container(key="page_script"):
        _script(key="page_script_component", data={"key": key, "number": number})
