"""Elements sent as references: an upgrade of Streamlit that changes how scripts begin, draw or end fails here."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.runtime.state import SafeSessionState, SessionState

from components.server.message_references import refer_to_drawn_elements


@pytest.fixture(autouse=True)
def _in_place() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as undone_afterwards:
        for place, name in (
            (ScriptRunContext, "enqueue"),
            (ScriptRunContext, "reset"),
            (ScriptRunner, "_on_script_finished"),
        ):
            undone_afterwards.setattr(place, name, getattr(place, name))
        refer_to_drawn_elements()
        yield


class Session:
    """A page session whose browser lists every element that it was sent."""

    def __init__(self) -> None:
        self._sent: list[ForwardMsg] = []
        self._hashes: set[str] = set()
        made: dict[str, Any] = dict.fromkeys(("uploaded_file_mgr", "fragment_storage"))
        state = SafeSessionState(SessionState(), lambda: None)
        self._script = ScriptRunContext(
            session_id="a session",
            _enqueue=self._sent.append,
            query_string="",
            session_state=state,
            main_script_path="",
            user_info={},
            pages_manager=PagesManager("frame.py"),
            **made,
        )
        events = SimpleNamespace(send=lambda *_, **__: None)
        self._runner: Any = SimpleNamespace(_join_wake_lock=nullcontext(), on_event=events)

    def run(self, *elements: str, fragment: str = "", ends_early: bool = False) -> list[str]:
        """The elements that a script sends whole; ``name@fragment`` is an element in a fragment."""
        self._script.reset(
            fragment_ids_this_run=[fragment] if fragment else None, cached_message_hashes=frozenset(self._hashes)
        )
        whole = []
        for element in elements:
            message = ForwardMsg()
            message.delta.new_element.markdown.body = element * 1000
            message.delta.fragment_id = element.partition("@")[2]
            self._script.enqueue(message)
            self._hashes.add(message.hash)
            if self._sent.pop().WhichOneof("type") != "ref_hash":
                whole.append(element)
        end = (
            ScriptRunnerEvent.SCRIPT_STOPPED_FOR_RERUN if ends_early else ScriptRunnerEvent.SCRIPT_STOPPED_WITH_SUCCESS
        )
        ended: Any = ScriptRunner._on_script_finished
        ended(self._runner, self._script, end, True, None)
        return whole


@pytest.fixture
def session() -> Iterator[Session]:
    with ThreadPoolExecutor(1) as script_thread:  # a script's state belongs to its thread
        made = script_thread.submit(Session).result()
        run = made.run
        made.run = lambda *elements, **more: script_thread.submit(run, *elements, **more).result()  # type: ignore[method-assign]
        yield made


def test_an_element_of_the_script_before_is_sent_as_a_reference_and_an_older_one_whole(session: Session) -> None:
    assert session.run("frame", "answer") == ["frame", "answer"]
    assert session.run("frame", "request") == ["request"]
    assert session.run("frame", "answer") == ["answer"]


def test_elements_around_a_fragment_outlast_its_scripts_and_its_own_do_not(session: Session) -> None:
    session.run("frame", "table@f", "chart@g")
    assert session.run("note@f", fragment="f") == ["note@f"]
    assert session.run("frame", "table@f", "note@f", "chart@g") == ["table@f"]


def test_what_a_script_drew_that_ended_early_is_sent_whole(session: Session) -> None:
    session.run("frame")
    session.run("frame", "answer", ends_early=True)
    assert session.run("frame", "answer") == ["answer"]
