"""The open run of the Runs page, in the session and the query parameter."""

from __future__ import annotations

import streamlit as st

from components.ui.runs import keys
from components.ui.state import RUN_PARAMETER


def open_run(run_id: str) -> None:
    """Make this the page's open run, now and after a reload."""
    st.session_state[keys.OPENED_RUN] = run_id
    st.query_params[RUN_PARAMETER] = run_id


def close_run() -> None:
    """Close the open run."""
    st.session_state.pop(keys.OPENED_RUN, None)
    st.query_params.pop(RUN_PARAMETER, None)


def opened_run() -> str | None:
    """The id of the page's open run."""
    run_id = st.query_params.get(RUN_PARAMETER) or st.session_state.get(keys.OPENED_RUN)
    if run_id:
        open_run(run_id)
    return run_id
