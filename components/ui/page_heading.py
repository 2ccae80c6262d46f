"""The heading of a page: in one row with its purpose and its menus, or for screen readers only."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def draw_heading(title: str) -> None:
    """Draw a heading that takes no space: for the eye, the marked place in the navigation says it."""
    with st.container(key="page_heading"):
        st.title(title, anchor=False)


def draw_heading_row(title: str, purpose: str) -> DeltaGenerator:
    """Draw the row; returns the place at its right end."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="small", key="page_title")
    with row:
        st.title(title, anchor=False, width="content")
        st.caption(purpose, width="content")
        st.space("stretch")
    return row
