"""A button that copies a text to the clipboard without the server."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_button = st.components.v2.component(
    "tempera_copy_button",
    html='<button type="button" class="copy-text">Copy</button>',
    js=Path(__file__).with_suffix(".js").read_text(),
    isolate_styles=False,
)


def draw_copy_button(text: str, key: str) -> None:
    """Draw the button; ``key`` is that of its place on the page."""
    with st.container(key=key, width="content"):
        _button(key=f"{key}_button", data={"text": text})
