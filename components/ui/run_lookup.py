"""Finds a run by its id: living in this process, else in the log."""

from __future__ import annotations

import streamlit as st

from components.contract.profile import profile_named
from components.contract.request import ChatCompletionStreamRequest, from_bytes
from components.runs.events import StoredEvent
from components.runs.query import QueryFailed, events_of, find_run
from components.runs.run import Run, RunRecord
from components.ui.visitor import own_log


def find(run_id: str | None) -> Run | RunRecord | None:
    """The run, or None when there is none; a log that cannot be read is named on the page."""
    if run_id is None:
        return None
    run = own_log().live(run_id)
    if run is not None:
        return run
    database = own_log().database
    try:
        return find_run(database, run_id) if database else None
    except QueryFailed as failure:
        st.error(str(failure))
        return None


def asked(record: RunRecord) -> ChatCompletionStreamRequest | None:
    """The request of a run, or None for a body that is no request of ours."""
    try:
        return from_bytes(record.request_body, profile_named(record.dialect))
    except ValueError:
        return None


def events_in_log(run_id: str) -> list[StoredEvent]:
    """The events that the log has of a run. Raises QueryFailed, also while there is no log."""
    database = own_log().database
    if database is None:
        raise QueryFailed("There is no log now.")
    return events_of(database, run_id)


def record_of(run: Run | RunRecord | None) -> RunRecord | None:
    """The run as it stands now."""
    return run.record() if isinstance(run, Run) else run
