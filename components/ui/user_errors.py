"""Shows a person what did not work: at once, or when the page is drawn next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from components.ui.plain_words import plain_words
from components.user_error import UserError


@contextmanager
def shown() -> Iterator[None]:
    """Show the error that ends this block, and go on behind it. A function decorated with it returns None then."""
    try:
        yield
    except UserError as error:
        st.error(plain_words(error.sentence))


@contextmanager
def shown_next(key: str, before: str = "") -> Iterator[None]:
    """Keep the error that ends this block for ``draw_kept``: what a callback draws is gone with the next page."""
    try:
        yield
    except UserError as error:
        st.session_state[key] = before + error.sentence


def draw_kept(key: str) -> None:
    """Show the sentence that is kept under ``key``, once."""
    if sentence := st.session_state.get(key):
        st.error(plain_words(sentence))
        # Last: a script that ends before the sentence is drawn leaves it to the next one.
        del st.session_state[key]
