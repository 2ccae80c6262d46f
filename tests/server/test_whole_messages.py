"""Replaced functions in Streamlit's own classes: an upgrade that changes their assumptions fails here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import current_thread
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import ScriptRunnerEvent, StopException, add_script_run_ctx
from streamlit.runtime.scriptrunner_utils import script_requests
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests
from streamlit.runtime.state import SafeSessionState, SessionState

from components.server.whole_messages import ReadToTheEnd, take_in_whole_messages
from tests.waiting import run_apart


@pytest.fixture(autouse=True)
def _in_place() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as undone_afterwards:
        for place, name in (
            (script_requests, "_coalesce_widget_states"),
            (SafeSessionState, "on_script_will_rerun"),
            (ScriptRequests, "_request_rerun_locked"),
            (AppSession, "request_rerun"),
            (AppSession, "request_script_stop"),
            (AppSession, "_handle_scriptrunner_event_on_event_loop"),
        ):
            undone_afterwards.setattr(place, name, getattr(place, name))
        take_in_whole_messages()
        yield


class SessionWithoutPage(AppSession):
    def __init__(self, current_thread: object) -> None:
        self._state = AppSessionState.APP_NOT_RUNNING
        self.id = "a session"
        self._browser_queue = ForwardMsgQueue()
        self._message_enqueued_callback = None
        self._scriptrunner: Any = current_thread

    def __del__(self) -> None:
        """Nothing was opened."""


def stop() -> None:
    raise StopException


def test_a_later_message_keeps_the_values_of_an_accepted_one() -> None:
    state = SessionState()
    SafeSessionState(state, stop).on_script_will_rerun(
        WidgetStates(widgets=[WidgetState(id="typed", string_value="words")])
    )
    assert [widget.string_value for widget in state.get_widget_states()] == ["words"]


def test_a_waiting_message_keeps_values_missing_from_the_later_one() -> None:
    requests = ScriptRequests()
    earlier = [
        WidgetState(id="typed", string_value="words"),
        WidgetState(id="run", trigger_value=True),
        WidgetState(id="both", int_value=1),
    ]
    requests.request_rerun(RerunData(widget_states=WidgetStates(widgets=earlier)))
    later = WidgetStates(widgets=[WidgetState(id="both", int_value=2)])
    requests.request_rerun(RerunData(widget_states=later))
    joined = requests.on_scriptrunner_ready().rerun_data.widget_states
    found = {widget.id: getattr(widget, widget.WhichOneof("value")) for widget in joined.widgets}
    assert found == {"typed": "words", "run": True, "both": 2}


@pytest.mark.parametrize(
    ("requested", "drawn", "sender", "has_values", "runs"),
    [
        ("left", "left", "left", True, "left"),
        ("link", "left", "left", True, "link"),
        ("", "link", "left", True, "link"),
        ("left", "left", "link", False, "link"),
        ("", "frame", "left", True, "left"),
        ("", "", "left", True, "left"),
    ],
    ids=["the same page", "a waiting link", "a link that has run", "a link", "the first script", "a new session"],
)
def test_a_message_with_values_runs_the_page_requested_last(
    requested: str, drawn: str, sender: str, has_values: bool, runs: str
) -> None:
    requests = ScriptRequests()
    if requested:
        requests.request_rerun(RerunData(page_script_hash=requested))
    session: Any = SessionWithoutPage(SimpleNamespace(_requests=requests, request_rerun=requests.request_rerun))
    session._client_state = ClientState(page_script_hash=drawn)
    session._pages_manager = SimpleNamespace(main_script_hash="frame")
    values = WidgetStates(widgets=[WidgetState(id="run", trigger_value=True)] if has_values else [])
    session.request_rerun(ClientState(page_script_hash=sender, widget_states=values))
    data = requests.on_scriptrunner_ready().rerun_data
    assert data.page_script_hash == runs
    assert [widget.id for widget in data.widget_states.widgets] == ["run"] * has_values


@pytest.mark.parametrize(
    ("requested_by_script", "shown_next"), [("left", "link"), ("switched", "switched")], ids=["rerun", "switch_page"]
)
def test_a_script_that_reruns_its_page_keeps_a_waiting_link(requested_by_script: str, shown_next: str) -> None:
    requests = ScriptRequests()
    requests.request_rerun(RerunData(page_script_hash="link", query_string="from=link", widget_states=WidgetStates()))

    def rerun() -> None:
        script: Any = SimpleNamespace(page_script_hash="left", pages_manager=SimpleNamespace(main_script_hash="frame"))
        add_script_run_ctx(current_thread(), script)
        requests.request_rerun(RerunData(page_script_hash=requested_by_script, query_string="from=script"))

    with ThreadPoolExecutor(1) as script_thread:
        script_thread.submit(rerun).result()
    shown = requests.on_scriptrunner_ready().rerun_data
    assert shown.page_script_hash == shown_next
    assert shown.query_string == ("from=link" if shown_next == "link" else "from=script")


def test_what_a_script_drew_last_is_sent_although_the_next_script_has_a_new_thread() -> None:
    ended, current = object(), object()
    session: Any = SessionWithoutPage(current)
    drawn = ForwardMsg()
    drawn.delta.new_element.markdown.body = "the last element"

    async def handle_events() -> None:
        session._event_loop = asyncio.get_running_loop()
        for event, message in ((ScriptRunnerEvent.ENQUEUE_FORWARD_MSG, drawn), (ScriptRunnerEvent.SHUTDOWN, None)):
            session._handle_scriptrunner_event_on_event_loop(ended, event, message)

    run_apart(handle_events())
    assert session.flush_browser_queue() == [drawn]
    assert session._scriptrunner is current


def test_messages_received_before_a_lost_connection_are_read() -> None:
    read = []

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        await socket.accept()
        await socket.send_bytes(b"an element")
        read.append(await socket.receive_bytes())

    coming = iter([{"type": "websocket.connect"}, {"type": "websocket.receive", "bytes": b"what was typed last"}])

    async def receive() -> Message:
        return next(coming)

    async def send(message: Message) -> None:
        if message["type"] == "websocket.send":
            raise ConnectionError

    run_apart(ReadToTheEnd(page)({"type": "websocket", "path": "/", "headers": []}, receive, send))
    assert read == [b"what was typed last"]
