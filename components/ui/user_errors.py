"""Shows errors to the visitor, at once or on the next draw of the page, and faults of Tempera itself."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from components.access.login import NotLetIn
from components.ui.plain_words import plain_words
from components.user_error import UserError


@contextmanager
def show_errors() -> Iterator[None]:
    """Show the error that ends this block and continue after it. A decorated function then returns None."""
    try:
        yield
    except NotLetIn:
        # Ends the whole page: ``report_script_error`` shows it.
        raise
    except UserError as error:
        st.error(plain_words(error.sentence))


@contextmanager
def show_errors_later(key: str, before: str = "") -> Iterator[None]:
    """Keep the error that ends this block for ``draw_error``: drawings of a callback vanish with the next draw."""
    try:
        yield
    except NotLetIn:
        raise
    except UserError as error:
        st.session_state[key] = before + error.sentence


def draw_error(key: str) -> None:
    """Show the sentence kept under ``key``, once."""
    if sentence := st.session_state.get(key):
        st.error(plain_words(sentence))
        # Last: a script that ends before it drew the sentence leaves it to the next script.
        del st.session_state[key]


def report_script_error(error: Exception) -> bool:
    """Log the fault under an id and show the visitor only that id."""
    if isinstance(error, NotLetIn):  # the login ended while the page was open
        st.info(f"{error} This page stays as it is until you reload it.")
        return True
    name = uuid.uuid4().hex[:8]
    logging.getLogger("tempera").error("Fault %s", name, exc_info=error)
    st.error(f"Something went wrong in Tempera (fault {name}; details are in its terminal). Reload the page.")
    return True
