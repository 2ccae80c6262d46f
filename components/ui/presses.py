"""Presses are done once and whole, also when a further message from the browser stops the script in between.

Streamlit calls a widget's callback once, and stops a script at its next use of Streamlit when a further message comes,
callbacks included: what they were about to do is lost. So the callbacks here only note what is to be done, without any
use of Streamlit. The script then does it at its beginning; a script that was stopped earlier leaves it to the next one.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import current_thread
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

PENDING_PRESSES = "pending_presses"
"""What was pressed and is still to be done, in its order."""


def soon(action: Callable[..., object], *args: Any) -> Callable[[], None]:
    """A callback of a widget that has ``action`` done by ``act``."""
    return partial(_pending().append, partial(action, *args))


def soon_chosen(key: str, action: Callable[[str], object]) -> Callable[[], None]:
    """A callback of the menu of that key that has ``action`` done by ``act``, with what was chosen in it."""
    pending = _pending()
    # The choice is gone with the script that it began. Read as a dict, the state does not stop the script.
    return lambda: pending.append(partial(action, st.session_state.to_dict()[key]))


def act() -> None:
    """Do what was pressed and is not done yet, in its order; call it before the widgets are drawn."""
    pending = _pending()
    while pending:
        unbroken(pending.pop(0))


def unbroken(action: Callable[[], object]) -> None:
    """Do an action that a further message from the browser cannot stop in between."""
    # Streamlit stops a script in the script's own thread only.
    script = get_script_run_ctx()
    context = contextvars.copy_context()

    def do() -> None:
        add_script_run_ctx(current_thread(), script)
        context.run(action)

    with ThreadPoolExecutor(1) as other_thread:
        other_thread.submit(do).result()


def _pending() -> list[Callable[[], object]]:
    pending: list[Callable[[], object]] = st.session_state.setdefault(PENDING_PRESSES, [])
    return pending
