"""Session keys and values that pages share, and query parameters; a package's own keys are in its ``keys.py``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from components.log.query import is_id

_T = TypeVar("_T")

SEND_ANYWAY = "send_anyway"
RUN = "run"
STOP = "stop"
AS_WRITTEN = "as_written"
RUN_PROBLEM = "run_problem"
EXPERIMENT = "experiment"
"""The experiment that the compare page shows, and its query parameter."""
GO_TO_COMPARE = "go_to_compare"
"""Set when the compare page is to be shown next."""
BLIND_ORDER = "blind_order"
"""The order of the lanes in a blind vote."""
SHOWN_RUN = "shown_run"
RUN_PARAMETER = "run"
"""The query parameter of the run that a page shows."""
OPEN_PARAMETER = "open"
"""The query parameter of a run to be shown and put into the form."""
_URL_BEHIND = "url_behind"
"""The previous query parameters before this session changed them, and the time of the change."""
URL_FOLLOWS_S = 2.0
"""The time for which browser messages may still carry the previous query parameters, in seconds."""
SWEEP = "sweep"
"""The experiment that the sweep page shows, and its query parameter."""


def last_value(key: str, source: object, make: Callable[[], _T]) -> _T:
    """The value that ``make`` makes from ``source``, kept under ``key`` until the source changes."""
    kept: tuple[object, _T] | None = st.session_state.get(key)
    if kept is None or kept[0] != source:
        kept = st.session_state[key] = source, make()
    return kept[1]


def show_run(run_id: str) -> None:
    """Make this the run that the playground shows, now and after a reload."""
    _show(SHOWN_RUN, RUN_PARAMETER, run_id)


def show_experiment(key: str, experiment_id: str) -> None:
    """Make this the experiment that a page shows, now and after a reload. ``key`` is EXPERIMENT or SWEEP."""
    if st.session_state.get(key) != experiment_id:
        st.session_state.pop(BLIND_ORDER, None)
    _show(key, key, experiment_id)


def experiment_in_address(key: str) -> tuple[str | None, bool]:
    """The id of the experiment that a page shows, and whether to put it into the form, too.

    A link, and going back or forward in the browser, put another experiment into the form. Only a valid id is taken
    from the query, because the next runs are stored under it.
    """
    opened, in_url = st.query_params.get(OPEN_PARAMETER), st.query_params.get(key)
    if opened:
        del st.query_params[OPEN_PARAMETER]
        if is_id(opened):
            show_experiment(key, opened)
            return opened, True
    if in_url and not is_id(in_url):
        del st.query_params[key]
    before, current = st.session_state.get(key), _named(key, key)
    if current:
        show_experiment(key, current)
    return current, before is not None and current != before


def run_in_address() -> tuple[str | None, bool]:
    """The id of the run that the playground shows, and whether to put it into the form, too.

    Going back and forward in the browser changes the run and leaves the form unchanged.
    """
    if opened := st.query_params.get(OPEN_PARAMETER):
        del st.query_params[OPEN_PARAMETER]
        show_run(opened)
        return opened, True
    run_id = _named(SHOWN_RUN, RUN_PARAMETER)
    if run_id:
        show_run(run_id)
    return run_id, False


def _show(key: str, parameter: str, shown_id: str) -> None:
    """Write the shown id to the session and the query parameter."""
    st.session_state[key] = shown_id
    if st.query_params.get(parameter) != shown_id:
        st.session_state[f"{_URL_BEHIND}_{parameter}"] = st.query_params.get(parameter), time.monotonic()
        st.query_params[parameter] = shown_id


def _named(key: str, parameter: str) -> str | None:
    """The id in the query parameter, unless it is older than the session's."""
    in_url, in_session = st.query_params.get(parameter), st.session_state.get(key)
    before, changed_at = st.session_state.get(f"{_URL_BEHIND}_{parameter}", (None, -URL_FOLLOWS_S))
    is_behind = in_url == before and time.monotonic() - changed_at < URL_FOLLOWS_S
    if in_session and (in_url is None or is_behind):
        # A click on another page drops the parameter, and a quick click carries the previous one.
        return str(in_session)
    return in_url
