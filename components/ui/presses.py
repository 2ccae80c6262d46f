"""Actions of widgets that run once and completely, even when another browser message stops the script.

Streamlit calls a widget's callback once. A new message stops the running script, callbacks included, at its next call
of Streamlit, and the rest of a callback is lost. Therefore callbacks here only note the action, without Streamlit. The
script runs noted actions at its start; when it was stopped before, the next script runs them.
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
"""The pending actions, in their order."""


def soon(action: Callable[..., object], *args: Any) -> Callable[[], None]:
    """A widget callback that queues ``action`` to be run by ``act``."""
    return partial(_pending().append, partial(action, *args))


def soon_chosen(key: str, action: Callable[[Any], object]) -> Callable[[], None]:
    """A callback of the menu ``key`` that queues ``action`` with the chosen option, to be run by ``act``."""
    pending = _pending()
    # The choice is gone after the script that it started. Reading the state as a dict does not stop the script.
    return lambda: pending.append(partial(action, st.session_state.to_dict()[key]))


def act() -> None:
    """Run the pending actions in their order; call it before the widgets are drawn."""
    pending = _pending()
    while pending:
        unbroken(pending.pop(0))


def unbroken(action: Callable[[], object]) -> None:
    """Run an action that no browser message can interrupt."""
    # Streamlit stops a script only in the script's own thread.
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
