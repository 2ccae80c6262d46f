"""One line for a field, the same on every page: its name, its value or the meaning of its absence, its state."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

NAME_WIDTH = 128
VALUE_WIDTH = 72
STATE_WIDTH = 72


def field_line(key: str) -> DeltaGenerator:
    """The container of a line; ``key`` is the field's."""
    return st.container(key=f"{key}_line", horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False)


def draw_name(name: str, help_text: str, *, modified: bool = False) -> DeltaGenerator:
    """Draw the name, bold when the field is modified; returns its container, for a button that resets the field."""
    box = st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", width=NAME_WIDTH, wrap=False)
    box.markdown(f":small[**{name}**]" if modified else f":small[{name}]", help=help_text, width="content")
    return box


def draw_note(note: str) -> None:
    """Draw the note between name and value, such as the meaning of an omitted field; empty for a value that is sent."""
    if note:
        st.caption(note, width="stretch")
    else:
        st.container()  # the value keeps its place in the line


def draw_state(name: str, options: list[str], chosen: str, *, key: str) -> None:
    """Draw the menu of states at the end of the line."""
    st.selectbox(
        f"{name}: {', '.join(options[:-1])} or {options[-1]}",
        options,
        options.index(chosen),
        key=key,
        label_visibility="collapsed",
        filter_mode=None,
        width=STATE_WIDTH,
        on_change="rerun",
        persist_state="session",
    )
