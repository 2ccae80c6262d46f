"""Has Streamlit take in every message of the browser whole, also when the next one comes before the script has run.

Each message stops the script that the one before began, if it was begun at all. With ``runner.fastReruns`` off,
Streamlit joins the messages that wait for the script, and keeps the presses in them. Four losses remain, mended here:
values of widgets that the later message does not have, as one that asks for another page; a message that the script
has taken up when the next one comes, which is dropped before its values are set and its callbacks called; the last
message of a page that is closed, whose script is stopped with it; and what has come before the end of a connection and
is not read yet, once something could not be sent on it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner_utils import script_requests
from streamlit.runtime.state import SafeSessionState

_join = script_requests._coalesce_widget_states


def take_in_whole_messages() -> None:
    """Put the three functions here in the place of Streamlit's own."""
    # Streamlit Community Cloud switches it on, whatever the file says.
    config.set_option("runner.fastReruns", False)
    script_requests._coalesce_widget_states = _joined  # type: ignore[assignment]
    SafeSessionState.on_script_will_rerun = _on_script_will_rerun  # type: ignore[assignment,method-assign]
    AppSession.request_script_stop = _let_the_script_end  # type: ignore[assignment,method-assign]


class ReadToTheEnd:
    """Has what a page has sent read to its end, also when nothing reaches the page any more."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return

        async def send_if_open(message: Message) -> None:
            # Streamlit reads nothing more after an error; that the connection has ended is read at its end.
            with suppress(OSError):
                await send(message)

        await self._app(scope, receive, send_if_open)


def _joined(earlier: WidgetStates | None, later: WidgetStates | None) -> WidgetStates | None:
    joined = _join(earlier, later)
    if joined and earlier and later:
        known = {state.id for state in joined.widgets}
        joined.widgets.extend(state for state in earlier.widgets if state.id not in known)
    return joined


def _on_script_will_rerun(session: SafeSessionState, *states: Any, **more: Any) -> None:
    """Set the values of a message and call its callbacks. Streamlit's own looks first whether another one has come."""
    with session._lock:
        session._state.on_script_will_rerun(*states, **more)


def _let_the_script_end(_session: AppSession) -> None:
    """Do nothing: a page's script is short, and ends by itself when no message waits for it."""
