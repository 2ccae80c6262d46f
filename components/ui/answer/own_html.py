"""The only place where Tempera's own HTML enters a page: marks around escaped untrusted text, and styles."""

from __future__ import annotations

import nh3
import streamlit as st

_TAGS = {"div", "b", "i", "ins", "del", "table", "thead", "tbody", "tr", "th", "td"}
_ATTRIBUTES = {"div": {"class", "tabindex"}, "i": {"class"}, "td": {"class"}}


def draw_marked(html: str) -> None:
    """Draw text with marked words, also in a table. Streamlit's sanitiser removes any other HTML."""
    st.html(nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=set()))


def draw_style(css: str) -> None:
    """Add a style of Tempera to the page, never untrusted text. Raises ValueError for text that could end it."""
    if "<" in css:
        raise ValueError("Text could end the style element.")
    st.html(f"<style>{css}</style>")
