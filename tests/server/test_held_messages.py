"""Replaced functions in Streamlit's own classes: an upgrade that changes their assumptions fails here."""

from __future__ import annotations

import pytest
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.testing.v1 import AppTest

from components.server.held_messages import hold_back_messages


def script() -> None:
    from types import SimpleNamespace

    import streamlit as st
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from streamlit.runtime.app_session import AppSession
    from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    from components.server.held_messages import release_messages

    queue = ForwardMsgQueue()
    queue.enqueue(ForwardMsg(session_status_changed={"run_on_save": False}))
    context = get_script_run_ctx()
    assert context
    session = SimpleNamespace(id=context.session_id, _browser_queue=queue)
    st.session_state["held"] = AppSession.flush_browser_queue(session)
    release_messages()
    st.session_state["sent"] = len(AppSession.flush_browser_queue(session))


def test_held_messages_are_sent_when_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScriptRunner, "_run_script", ScriptRunner._run_script)
    monkeypatch.setattr(AppSession, "flush_browser_queue", AppSession.flush_browser_queue)
    hold_back_messages()
    page = AppTest.from_function(script).run()
    assert not page.exception
    assert (page.session_state["held"], page.session_state["sent"]) == ([], 1)
