"""The switches of an answer's view: Markdown or raw, and *Replay*."""

from __future__ import annotations

import streamlit as st

from components.log.record import RunRecord
from components.ui import presses, state
from components.ui.answer import keys
from components.ui.answer.copy_button import draw_copy_button
from components.ui.answer.live_view import show_replay
from components.ui.answer.place import ALONE, Place
from components.ui.answer.probabilities import draw_probability_view_switch


def draw_view_switches(record: RunRecord) -> None:
    """Draw the switches that apply to this answer."""
    draw_reading_switches(record)
    draw_replay_switch(record)


def draw_reading_switches(record: RunRecord) -> None:
    """Draw *Raw*, and after it *Copy* once the answer has ended, so that nothing moves."""
    if record.running or record.text:
        draw_probability_view_switch(record)
        st.toggle("Raw", key=state.AS_WRITTEN)
    if record.text and not record.running:
        draw_copy_button(record.text, keys.COPY)


def draw_replay_switch(record: RunRecord, place: Place = ALONE) -> None:
    """Draw the *Replay* switch; nothing for an answer that cannot be replayed."""
    if can_be_replayed(record):
        st.toggle(
            "Replay",
            key=keys.replay_key(record.id),
            help="Plays the answer again from its events, with their original times. Nothing is sent.",
            on_change=presses.soon(_replay, record, place),
        )


def _replay(record: RunRecord, place: Place) -> None:
    if st.session_state[keys.replay_key(record.id)]:
        show_replay(record, place)


def can_be_replayed(record: RunRecord) -> bool:
    """Whether there are events to replay, and a view that can replay them."""
    several = record.streamed and record.event_count > 1 and bool(record.text)
    return several and not record.running and not st.session_state.get(keys.NATIVE)


def draw_view_row(record: RunRecord) -> None:
    """Draw the switches in their own row."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=keys.ANSWER_ACTIONS):
        draw_view_switches(record)
