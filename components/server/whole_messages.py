"""Makes Streamlit process every message of the browser, even if the next one arrives before the script has run.

Each message stops the script of the previous one, even before its start. With ``runner.fastReruns`` off, Streamlit
joins the waiting messages and keeps the button presses in them. Six losses remain, fixed here: widget values that the
later message lacks, such as one that requests another page; that other page, if the page that is left sends or requests
something after it; a message that the script has taken when the next one arrives, which is dropped before its values
are set and its callbacks run; the last message of a closed page, whose script is stopped; messages received but not yet
read when a send on the connection fails; and what a script draws last if the next message starts a new script thread
before that has reached the session.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import RerunData, ScriptRunnerEvent, get_script_run_ctx
from streamlit.runtime.scriptrunner_utils import script_requests
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests, ScriptRequestType
from streamlit.runtime.state import SafeSessionState

_join = script_requests._coalesce_widget_states
_request: Any = ScriptRequests._request_rerun_locked
_request_rerun: Any = AppSession.request_rerun
_handle_event: Any = AppSession._handle_scriptrunner_event_on_event_loop


def take_in_whole_messages() -> None:
    """Replace six functions of Streamlit with those of this module."""
    # Streamlit Community Cloud switches it on regardless of the configuration file.
    config.set_option("runner.fastReruns", False)
    script_requests._coalesce_widget_states = _joined  # type: ignore[assignment]
    SafeSessionState.on_script_will_rerun = _on_script_will_rerun  # type: ignore[assignment,method-assign]
    ScriptRequests._request_rerun_locked = _take_request  # type: ignore[assignment,method-assign]
    AppSession.request_rerun = _take_message  # type: ignore[assignment,method-assign]
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


def _take_message(session: Any, message: ClientState | None) -> None:
    """Run the page requested last with the widget values of a message, which names the page that sent it.

    Only links and scripts request pages. The message of a link has no values, because the frame around the pages has no
    widget that keeps one.
    """
    runner = session._scriptrunner
    requested = (runner and runner._requests._rerun_data.page_script_hash) or session._client_state.page_script_hash
    # During a session's first script, which the browser requests by its name, this is the frame around the pages.
    unknown = {"", session._pages_manager.main_script_hash}
    if message and message.widget_states.widgets and requested not in {*unknown, message.page_script_hash}:
        message.page_script_hash = requested
        message.fragment_id = ""  # that page lacks it
    _request_rerun(session, message)


def _take_request(requests: Any, data: RerunData) -> bool:
    """Keep the page of a waiting request when a script requests its own page again."""
    waiting, script = requests._rerun_data, get_script_run_ctx(suppress_warning=True)
    is_own_page = script and script.page_script_hash == data.page_script_hash
    if requests._state == ScriptRequestType.RERUN and is_own_page and waiting.page_script_hash != data.page_script_hash:
        data = replace(data, page_script_hash=waiting.page_script_hash, query_string=waiting.query_string)
    return bool(_request(requests, data))


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
