"""Holds back Streamlit's messages at the start of a page's script until its button presses are handled.

A page that learns of a script draws all its widgets again, which takes a browser longer than the first text of a run.
"""

from __future__ import annotations

import time
from typing import Any

from streamlit.runtime import exists, get_instance
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner

_MAX_S = 0.2
"""A script that takes longer to begin is shown as running."""

_run_script: Any = ScriptRunner._run_script
_flush: Any = AppSession.flush_browser_queue
_held_until: dict[str, float] = {}
"""For each session whose messages are held back, until when at most, in monotonic seconds."""


def hold_back_messages() -> None:
    """Make Streamlit hold back a session's messages from the start of each whole script until ``release_messages``."""
    ScriptRunner._run_script = _hold_and_run  # type: ignore[assignment,method-assign]
    AppSession.flush_browser_queue = _flush_unless_held  # type: ignore[assignment,method-assign]


def release_messages() -> None:
    """Send the messages of this script's session; call it before the script draws."""
    context = get_script_run_ctx(suppress_warning=True)
    if context and _held_until.pop(context.session_id, None) and exists():
        get_instance()._enqueued_some_message()


def _hold_and_run(runner: Any, rerun_data: Any) -> None:
    # A fragment's script runs no action before it draws.
    if not rerun_data.fragment_id_queue:
        _held_until[runner._session_id] = time.monotonic() + _MAX_S
    try:
        _run_script(runner, rerun_data)
    finally:
        _held_until.pop(runner._session_id, None)


def _flush_unless_held(session: Any) -> Any:
    return [] if time.monotonic() < _held_until.get(session.id, 0.0) else _flush(session)
