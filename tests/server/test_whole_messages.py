"""Replaced functions in Streamlit's own classes: an upgrade that changes their assumptions fails here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import StopException
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
            (AppSession, "request_script_stop"),
        ):
            undone_afterwards.setattr(place, name, getattr(place, name))
        take_in_whole_messages()
        yield


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
