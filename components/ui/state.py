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
_START = "start"

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


def begin(record: RunRecord | None) -> None:
    """Choose what a new session's form starts with: what the run in the URL was asked, else the defaults.

    These are the widgets' own defaults and not set as their values: when a browser comes back to a server that has
    forgotten its session, after a long sleep or a restart, what was typed in the page counts.
    """
    if _START not in st.session_state:
        st.session_state[_START] = {**_defaults(), **(_values_of(record) if record else {})}


def start_of(key: str) -> Any:
    """What the widget of that key starts with in this session; None when it has no start of its own."""
    return st.session_state[_START].get(key)


def fill_from(record: RunRecord) -> None:
    """Fill the form with what a run was asked."""
    for key, value in _values_of(record).items():
        st.session_state[key] = value


def _defaults() -> dict[str, Any]:
    values: dict[str, Any] = {SYSTEM: "", PROMPT: EXAMPLE_PROMPT, STREAM: True, SAFE_PROMPT: FieldState.OMIT.value}
    for field, value in _KEPT_VALUES.items():
        values[field] = value
        values[state_key(field)] = FieldState.OMIT.value
    return values


def _values_of(record: RunRecord) -> dict[str, Any]:
    """What each widget shows when the form says what a run was asked; nothing for a body that is no request of ours."""
    try:
        request = from_bytes(record.request_body, profile_named(record.dialect))
    except ValueError:
        return {}
    said = {role: [message.content for message in request.messages if message.role is role] for role in Role}
    values: dict[str, Any] = {
        ENDPOINT: record.endpoint,
        MODEL: request.model,
        STREAM: request.stream,
        SYSTEM: "\n\n".join(said[Role.SYSTEM]),
        PROMPT: "\n\n".join(said[Role.USER]),
    }
    for field in OPTIONAL_FIELDS:
        omitted, value = request.state_of(field) == "omitted", getattr(request, field)
        if field == SAFE_PROMPT:
            values[field] = FieldState.OMIT.value if omitted else str(value).lower()
            continue
        values[state_key(field)] = FieldState.OMIT.value if omitted else request.state_of(field)
        if value is not None:
            values[field] = value
    return values


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
    """The id of the run that the playground shows, and whether a link has just brought it into this session."""
    in_url, in_session = st.query_params.get(RUN_PARAMETER), st.session_state.get(SHOWN_RUN)
    run_id = in_url or in_session
    if run_id:
        # Both are set, because a click on another page drops the parameter and a reload drops the session.
        show_run(run_id)
    return run_id, run_id != in_session and _START in st.session_state
