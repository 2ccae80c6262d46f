"""The one place where HTML of ours enters a page: marks around foreign words that were escaped, and styles."""

from __future__ import annotations

import nh3
import streamlit as st

_TAGS = {"div", "b", "i", "ins", "del"}
_ATTRIBUTES = {"div": {"class"}, "i": {"class"}}


def draw_marked(html: str) -> None:
    """Draw text in which some words are marked. Whatever else the HTML holds is taken out by the gate before it."""
    st.html(nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=set()))


def draw_style(css: str) -> None:
    """Add a style of ours to the page, or none. Raises ValueError for what could end the style: it is never foreign."""
    if "<" in css:
        raise ValueError("This is no style.")
    st.html(f"<style>{css}</style>")
