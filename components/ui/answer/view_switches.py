"""The switches of an answer's view, Markdown or raw and *Replay*, and *Copy*, which needs no server."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from components.log.record import RunRecord
from components.ui import presses, state
from components.ui.answer import keys
from components.ui.answer.live_view import announce
from components.ui.answer.place import ALONE, Place
from components.ui.answer.probabilities import draw_probability_view_switch

_copy_button = st.components.v2.component(
    "tempera_copy_button",
    html='<button type="button" class="copy-text">Copy</button>',
    js=Path(__file__).with_name("copy_button.js").read_text(),
    isolate_styles=False,
)


def draw_reading_switches(record: RunRecord) -> None:
    """Draw *Raw*, and after it *Copy* once the answer has ended, so that nothing moves."""
    if record.running or record.text:
        draw_probability_view_switch(record)
        st.toggle("Raw", key=state.AS_WRITTEN)
    if record.text and not record.running:
        with st.container(key=keys.COPY, width="content"):
            _copy_button(key=f"{keys.COPY}_button", data={"text": record.text})


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
        announce(record, place, replay=True)


def can_be_replayed(record: RunRecord) -> bool:
    """Whether there are events to replay, and a view that can replay them."""
    several = record.streamed and record.event_count > 1 and bool(record.text)
    return several and not record.running and not st.session_state.get(keys.NATIVE)


def draw_view_row(record: RunRecord) -> None:
    """Draw the switches that apply to this answer in their own row."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=keys.ANSWER_ACTIONS):
        draw_reading_switches(record)
        draw_replay_switch(record)
