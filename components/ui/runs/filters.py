"""The filters of the log. They are query parameters of the page, so that a link opens the same view."""

from __future__ import annotations

from typing import Any

import streamlit as st

from components.log.owned import OwnLog
from components.log.query import QueryFailed
from components.log.record import NUMBERS
from components.log.search import ORDERS, choices
from components.log.view import CHECKED_AS, FilterProblem, View, conditions
from components.streaming.outcome import Status
from components.ui.plain_words import plain_words
from components.ui.runs import keys
from components.ui.time_zone import time_zone
from components.ui.visitor import BY_OWNER, own_log

_STATUSES = ["", *(status.value for status in Status)]
_LABELS = {
    "words": "Search",
    "status": "Status",
    "settings": "Settings",
    "numbers": "Numbers",
    "endpoint": "Endpoint",
    "model": "Model",
    "finish_reason": "Finish reason",
    "checks": "Checks",
    "since": "From day",
    "until": "To day",
    "tag": "Tag",
    "rating": "Stars at least",
    "experiment": "Comparison or sweep",
}
_NUMBERS = ", ".join(number.label for number in NUMBERS.values())


def draw_filters() -> View | None:
    """Draw the filters; returns their view, or None when one is unreadable, with its error below it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = st.text_input(
            "Search",
            key=keys.FIND,
            bind="query-params",
            placeholder="Search prompts and answers",
            icon=":material/search:",
            label_visibility="collapsed",
            width=320,
            help='Whole words, all required; "adjacent words" in quotation marks. Ended runs only.',
        )
        status = st.selectbox(
            "Status",
            _STATUSES,
            key=keys.FIND_STATUS,
            bind="query-params",
            format_func=lambda status: status or "any status",
            label_visibility="collapsed",
            width=150,
        )
        with st.popover("More filters", icon=":material/filter_list:"):
            further = _draw_further()
        order = st.selectbox(
            "Sort by",
            list(ORDERS),
            key=keys.ORDER,
            bind="query-params",
            format_func=lambda order: f"Sort by {'start time' if order == 'started' else order}",
            label_visibility="collapsed",
            width=220,
        )
        ascending = st.toggle("Ascending", key=keys.LOWEST_FIRST, bind="query-params")
    view = View(words=words, status=status, order=order, descending=not ascending, zone=time_zone(), **further)
    if view.filtered:
        _draw_active(further)
    try:
        if database := own_log().database:
            conditions(database, view)
    except FilterProblem as problem:
        st.error(f"{_LABELS[problem.field]}: {problem}")
        return None
    return view


def _draw_active(further: dict[str, Any]) -> None:
    """Draw the buttons that clear the filters, and the filters inside a closed popover."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Clear filters", icon=":material/filter_list_off:", key="clear_filters", type="tertiary", on_click=_clear
        )
        hidden = [f"{_LABELS[name]} **{plain_words(str(value), 80)}**" for name, value in further.items() if value]
        if hidden:
            st.caption(" · ".join(hidden), width="content")


def _draw_further() -> dict[str, Any]:
    choices = _choices(own_log())
    values: dict[str, Any] = {}
    values["settings"] = st.text_input(
        _LABELS["settings"],
        key=keys.FIND_SETTINGS,
        bind="query-params",
        placeholder="temperature 0.7, max_tokens null",
        help="A field with its value, null or omitted, such as temperature omitted. Separate several with commas.",
    )
    values["numbers"] = st.text_input(
        _LABELS["numbers"],
        key=keys.FIND_NUMBERS,
        bind="query-params",
        placeholder="perplexity > 3, lowest token < 5 %, TTFT < 500",
        help=f"A number with <, <=, =, >= or >; a run without the number is left out. The numbers: {_NUMBERS}.",
    )
    left, right = st.columns(2, gap="small")
    for name, key in (
        ("endpoint", keys.FIND_ENDPOINT),
        ("model", keys.FIND_MODEL),
        ("finish_reason", keys.FIND_FINISH_REASON),
    ):
        values[name] = left.selectbox(
            _LABELS[name],
            ["", *choices.get(name, [])],
            key=key,
            bind="query-params",
            accept_new_options=True,
            format_func=_label_of,
        )
    values["checks"] = left.selectbox(
        _LABELS["checks"],
        ["", *CHECKED_AS],
        key=keys.FIND_CHECKS,
        bind="query-params",
        format_func=_label_of,
        help="n/a: a check could not be made, or a judge has not been asked.",
    )
    for name, key in (("since", keys.FIND_SINCE), ("until", keys.FIND_UNTIL)):
        values[name] = right.text_input(_LABELS[name], key=key, bind="query-params", placeholder="2026-11-26")
    values["tag"] = right.text_input(_LABELS["tag"], key=keys.FIND_TAG, bind="query-params")
    values["rating"] = left.number_input(_LABELS["rating"], 0, 5, key=keys.FIND_STARS, bind="query-params")
    values["experiment"] = right.text_input(
        _LABELS["experiment"],
        key=keys.FIND_EXPERIMENT,
        bind="query-params",
        help="The id in its page's address, after experiment= or sweep=.",
    )
    return values


def _label_of(value: str) -> str:
    return value or "any"


@st.cache_data(ttl=30, show_spinner=False, max_entries=50, hash_funcs=BY_OWNER)
def _choices(log: OwnLog) -> dict[str, list[str]]:
    try:
        return choices(log.database) if log.database else {}
    except QueryFailed:
        return {}


def _clear() -> None:
    for key in keys.FILTERS:
        st.session_state[key] = type(st.session_state.get(key, ""))()
