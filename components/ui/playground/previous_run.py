"""The run that the page showed before this one: what differs, and both answers side by side."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from components.contract.difference import differences
from components.experiments.word_difference import Kind
from components.live.status_words import footer
from components.log.record import RunRecord
from components.ui.answer.answer_differences import changed_words, draw_one_side
from components.ui.answer.own_html import draw_style
from components.ui.answer.run_lookup import find, record_of, request_of
from components.ui.choices import draw_action
from components.ui.plain_words import plain_words
from components.ui.playground import keys

_MAX_NAMED = 3


def draw_previous_run(record: RunRecord, compare_with: Callable[[RunRecord, RunRecord], None]) -> None:
    """Draw a line about the run shown before this one, if any, and both answers on request.

    ``compare_with`` makes both the lanes of a comparison.
    """
    previous = _previous_run(record)
    if previous is None or previous.running or not previous.text:
        return
    with st.container(key="previous_run", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            differences_ = [
                _settings_in_words(previous, record),
                *([] if record.running else [_words_in_words(previous, record)]),
            ]
            st.markdown(f":small[:gray[Previous run: {' · '.join(differences_)}]]", width="content")
            if record.running or not record.text:
                return
            side_by_side = bool(st.session_state.get(keys.SIDE_BY_SIDE))
            label, icon = "Hide" if side_by_side else "Show beside", ":material/splitscreen_right:"
            draw_action(label, "toggle_beside", icon, st.session_state.__setitem__, keys.SIDE_BY_SIDE, not side_by_side)
            label, icon = "Compare as lanes", ":material/view_column:"
            draw_action(label, "compare_runs", icon, compare_with, previous, record)
        if side_by_side:
            _draw_side_by_side(previous, record)


def _previous_run(record: RunRecord) -> RunRecord | None:
    before, shown = st.session_state.get(keys.SHOWN_RUNS, (None, None))
    if shown != record.id:
        before = shown
        st.session_state[keys.SHOWN_RUNS] = before, record.id
    return record_of(find(before)) if before else None


def _settings_in_words(previous: RunRecord, record: RunRecord) -> str:
    before, after = request_of(previous), request_of(record)
    changes = differences(before, after) if before and after else []
    listed = [str(change) for change in changes[:_MAX_NAMED]]
    if previous.endpoint != record.endpoint:
        listed.insert(0, f"endpoint {previous.endpoint} → {record.endpoint}")
    rest = f" and {len(changes) - _MAX_NAMED} more" if len(changes) > _MAX_NAMED else ""
    return plain_words(", ".join(listed) + rest) if listed else "same request"


def _words_in_words(previous: RunRecord, record: RunRecord) -> str:
    if previous.text == record.text:
        return "same answer"
    share = changed_words(previous, record)
    return "too long to compare" if share is None else f"{share:.0%} of words differ"


def _draw_side_by_side(previous: RunRecord, record: RunRecord) -> None:
    # The answer above takes no more room than it needs.
    draw_style(".st-key-work .st-key-answer { min-height: 0; }")
    sides = ("Previous run", previous, Kind.REMOVED), ("This run", record, Kind.ADDED)
    for column, (title, run, own) in zip(st.columns(2, gap="small"), sides, strict=True):
        with column, st.container(border=True, gap="xsmall"):
            st.markdown(f":small[**{title}**]")
            draw_one_side(previous, record, own)
            st.caption(" · ".join(plain_words(number.value, 60) for number in footer(run)))
