"""What is looked for in the log. All of it stands in the page's address, so that a link opens the same view."""

from __future__ import annotations

from typing import Any

import streamlit as st

from components.runs.finding import ORDERS, FilterProblem, View, choices, conditions
from components.runs.owned import OwnLog
from components.runs.query import QueryFailed
from components.streaming.outcome import Status
from components.ui import state
from components.ui.visitor import BY_OWNER, own_log

_STATUSES = ["", *(status.value for status in Status)]
_ANY = "any"


def draw_filters() -> View | None:
    """Draw the filters; what they look for, or None when one of them cannot be read, which is said beside it."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        words = st.text_input(
            "Find",
            key=state.FIND,
            bind="query-params",
            placeholder="words in prompts and answers",
            icon=":material/search:",
            width=320,
            help='All of them must be there; "next to each other" between quotation marks. Only runs that have ended.',
        )
        settings = st.text_input(
            "Settings",
            key=state.FIND_SETTINGS,
            bind="query-params",
            placeholder="temperature 0.7, max_tokens null",
            width=280,
            help="A field with its value, with null, or omitted: temperature omitted. Several are parted by commas.",
        )
        status = st.selectbox(
            "Status",
            _STATUSES,
            key=state.FIND_STATUS,
            bind="query-params",
            format_func=_or_any,
            width=160,
        )
        with st.popover("More filters", icon=":material/filter_list:"):
            further = _draw_further()
        order = st.selectbox("Order", list(ORDERS), key=state.ORDER, bind="query-params", width=180)
        oldest = st.toggle("Lowest first", key=state.LOWEST_FIRST, bind="query-params")
    view = View(words=words, settings=settings, status=status, order=order, descending=not oldest, **further)
    try:
        if database := own_log().database:
            conditions(database, view)
    except FilterProblem as problem:
        st.error(str(problem))
        return None
    if view.filtered:
        st.button(
            "Clear filters", icon=":material/filter_list_off:", key="clear_filters", type="tertiary", on_click=_clear
        )
    return view


def _draw_further() -> dict[str, Any]:
    known = _choices(own_log())
    found: dict[str, Any] = {}
    for name, label, key in (
        ("endpoint", "Endpoint", state.FIND_ENDPOINT),
        ("model", "Model", state.FIND_MODEL),
        ("finish_reason", "Finish reason", state.FIND_FINISH_REASON),
    ):
        found[name] = st.selectbox(
            label,
            ["", *known.get(name, [])],
            key=key,
            bind="query-params",
            accept_new_options=True,
            format_func=_or_any,
        )
    found["since"] = st.text_input("From day", key=state.FIND_SINCE, bind="query-params", placeholder="2026-11-26")
    found["until"] = st.text_input("To day", key=state.FIND_UNTIL, bind="query-params", placeholder="2026-11-26")
    found["tag"] = st.text_input("Tag", key=state.FIND_TAG, bind="query-params")
    found["rating"] = st.number_input("Stars at least", 0, 5, key=state.FIND_STARS, bind="query-params")
    found["experiment"] = st.text_input(
        "Comparison or sweep", key=state.FIND_EXPERIMENT, bind="query-params", help="Its id."
    )
    return found


def _or_any(value: str) -> str:
    return value or _ANY


@st.cache_data(ttl=30, show_spinner=False, max_entries=50, hash_funcs=BY_OWNER)
def _choices(log: OwnLog) -> dict[str, list[str]]:
    try:
        return choices(log.database) if log.database else {}
    except QueryFailed:
        return {}


def _clear() -> None:
    for key in state.FILTERS:
        st.session_state[key] = type(st.session_state.get(key, ""))()
