"""Every key of the session's state, in one place, and how a session begins."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import streamlit as st

from components.contract.messages import Role
from components.contract.profile import profile_named
from components.contract.request import OPTIONAL_FIELDS, from_bytes
from components.runs.run import RunRecord

# A widget's key is its field's name, so that a test or a script finds it.
ENDPOINT = "endpoint"
MODEL = "model"
SYSTEM = "system"
PROMPT = "prompt"
SAFE_PROMPT = "safe_prompt"
STREAM = "stream"
SEND_ANYWAY = "send_anyway"
RUN = "run"
STOP = "stop"
ANSWER = "answer"
RUNS_TABLE = "runs_table"

SHOWN_RUN = "shown_run"
OPENED_RUN = "opened_run"
LISTED_RUNS = "listed_runs"
JUST_OPENED = "just_opened"
_BEGUN = "begun"

RUN_PARAMETER = "run"
"""The query parameter that names the run a page shows."""

EXAMPLE_PROMPT = "Write a short story about a lighthouse keeper who finds an old map."

_KEPT_VALUES: dict[str, Any] = {"temperature": 0.7, "top_p": 1.0, "max_tokens": 256, "random_seed": 1337}


class FieldState(StrEnum):
    """What the request says of an optional field."""

    OMIT = "omit"
    NULL = "null"
    VALUE = "value"


def state_key(field: str) -> str:
    """The key of the control that says whether a field is omitted, null or a value."""
    return f"{field}_state"


def slider_key(field: str) -> str:
    """The key of the slider beside a field's number."""
    return f"{field}_slider"


def begin() -> None:
    """Fill a new session's form with the defaults."""
    if st.session_state.get(_BEGUN):
        return
    st.session_state[_BEGUN] = True
    st.session_state[SYSTEM] = ""
    st.session_state[PROMPT] = EXAMPLE_PROMPT
    st.session_state[STREAM] = True
    st.session_state[SAFE_PROMPT] = FieldState.OMIT.value
    for field, value in _KEPT_VALUES.items():
        _set_number(field, value)
        st.session_state[state_key(field)] = FieldState.OMIT.value


def fill_from(record: RunRecord) -> None:
    """Fill the form with what a run was asked, so that a reload or a look back loses nothing."""
    try:
        request = from_bytes(record.request_body, profile_named(record.dialect))
    except ValueError:
        return
    st.session_state[ENDPOINT] = record.endpoint
    st.session_state[MODEL] = request.model
    st.session_state[STREAM] = request.stream
    said = {role: [message.content for message in request.messages if message.role is role] for role in Role}
    st.session_state[SYSTEM] = "\n\n".join(said[Role.SYSTEM])
    st.session_state[PROMPT] = "\n\n".join(said[Role.USER])
    for field in OPTIONAL_FIELDS:
        state, value = request.state_of(field), getattr(request, field)
        if field == SAFE_PROMPT:
            st.session_state[field] = FieldState.OMIT.value if state == "omitted" else str(value).lower()
            continue
        st.session_state[state_key(field)] = FieldState.OMIT.value if state == "omitted" else state
        if value is not None:
            _set_number(field, value)


def show_run(run_id: str) -> None:
    """Make this the run that the playground shows, now and after a reload."""
    st.session_state[SHOWN_RUN] = run_id
    st.query_params[RUN_PARAMETER] = run_id


def open_run(run_id: str) -> None:
    """Make this the run that the runs page has open, now and after a reload."""
    st.session_state[OPENED_RUN] = run_id
    st.query_params[RUN_PARAMETER] = run_id


def opened_run() -> str | None:
    """The id of the run that the runs page has open."""
    run_id = st.query_params.get(RUN_PARAMETER) or st.session_state.get(OPENED_RUN)
    if run_id:
        open_run(run_id)
    return run_id


def arrive() -> tuple[str | None, bool]:
    """The id of the run that the playground shows, and whether the URL has just brought it here."""
    in_url, in_session = st.query_params.get(RUN_PARAMETER), st.session_state.get(SHOWN_RUN)
    run_id = in_url or in_session
    if run_id:
        # Both are set, because a click on another page drops the parameter and a reload drops the session.
        show_run(run_id)
    return run_id, run_id != in_session


def _set_number(field: str, value: float) -> None:
    st.session_state[field] = value
    if isinstance(value, float):
        st.session_state[slider_key(field)] = value
