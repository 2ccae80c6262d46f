"""The page's heading for screen readers; for the eye, the marked place in the navigation says it."""

from __future__ import annotations

import streamlit as st


def draw_heading(title: str) -> None:
    """Draw the heading, which takes no space."""
    with st.container(key="page_heading"):
        st.title(title, anchor=False)
