"""Makes Streamlit process every message of the browser, even if the next one arrives before the script has run.

Each message stops the script of the previous one, even before its start. With ``runner.fastReruns`` off, Streamlit
joins the waiting messages and keeps the button presses in them. Five losses remain, fixed here: widget values that the
later message lacks, such as one that requests another page; a message that the script has taken when the next one
arrives, which is dropped before its values are set and its callbacks run; the last message of a closed page, whose
script is stopped; messages received but not yet read when a send on the connection fails; and what a script draws last
if the next message starts a new script thread before that has reached the session.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from streamlit.runtime.scriptrunner_utils import script_requests
from streamlit.runtime.state import SafeSessionState

_join = script_requests._coalesce_widget_states
_handle_event: Any = AppSession._handle_scriptrunner_event_on_event_loop


def take_in_whole_messages() -> None:
    """Replace four functions of Streamlit with those of this module."""
    # Streamlit Community Cloud switches it on regardless of the configuration file.
    config.set_option("runner.fastReruns", False)
    script_requests._coalesce_widget_states = _joined  # type: ignore[assignment]
    SafeSessionState.on_script_will_rerun = _on_script_will_rerun  # type: ignore[assignment,method-assign]
    AppSession.request_script_stop = _let_the_script_end  # type: ignore[assignment,method-assign]
    AppSession._handle_scriptrunner_event_on_event_loop = _handle_late_events  # type: ignore[assignment,method-assign]


class ReadToTheEnd:
    """Lets Streamlit read all messages of a page, even if nothing can be sent to the page any more."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return

        async def send_if_open(message: Message) -> None:
            # Streamlit stops reading after a send error; the end of the connection arrives as a message anyway.
            with suppress(OSError):
                await send(message)

        await self._app(scope, receive, send_if_open)


def _joined(earlier: WidgetStates | None, later: WidgetStates | None) -> WidgetStates | None:
    joined = _join(earlier, later)
    if joined and earlier and later:
        ids = {state.id for state in joined.widgets}
        joined.widgets.extend(state for state in earlier.widgets if state.id not in ids)
    return joined


def _on_script_will_rerun(session: SafeSessionState, *states: Any, **more: Any) -> None:
    """Set the values of a message and run its callbacks. Streamlit's own version first checks for a newer message."""
    with session._lock:
        session._state.on_script_will_rerun(*states, **more)


def _let_the_script_end(_session: AppSession) -> None:
    """Do nothing: a page's script is short, and ends when no message waits for it."""


def _handle_late_events(session: Any, sender: Any, event: ScriptRunnerEvent, *facts: Any) -> None:
    """Handle also the last events of a script thread that another one has followed; Streamlit ignores them.

    They precede all events of the new thread. Only the end of a thread concerns that thread alone.
    """
    _handle_event(session, sender if event == ScriptRunnerEvent.SHUTDOWN else session._scriptrunner, event, *facts)
