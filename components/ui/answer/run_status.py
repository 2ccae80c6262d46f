"""A run's status and numbers in one quiet line, with all numbers and their definitions on hover."""

from __future__ import annotations

import streamlit as st

from components.live.status_words import footer, numbers, status_words, was_cut
from components.log.record import RunRecord
from components.runs.run import Activity, RetryWait
from components.streaming.outcome import Status
from components.ui.answer import keys
from components.ui.answer.place import ALONE, Place
from components.ui.plain_words import plain_words

_ICONS = {
    Status.RUNNING: ":material/more_horiz:",
    Status.OK: ":material/check:",
    Status.DAMAGED: ":material/warning:",
    Status.INTERRUPTED: ":material/link_off:",
    Status.ERROR: ":material/error:",
    Status.CANCELLED: ":material/stop_circle:",
    Status.LOST: ":material/power_off:",
    Status.REJECTED: ":material/block:",
}


def draw_status(
    record: RunRecord, place: Place = ALONE, activity: Activity | None = None, retry_wait: RetryWait | None = None
) -> None:
    """Draw the line. ``activity`` is the current step of a running run, ``retry_wait`` its wait before a retry."""
    words, colour = status_words(record, activity, retry_wait=retry_wait)
    icon = ":material/content_cut:" if was_cut(record) else _ICONS[Status(record.status)]
    shown = " · ".join(plain_words(number.value, 60) for number in footer(record))
    meanings = "\n".join(
        f"- **{number.label}**: {plain_words(number.value, 60)}. {plain_words(number.meaning, 600)}"
        for number in numbers(record)
    )
    if place.lane is None:
        # A lane's own header shows what is specific to the lane.
        meanings = f"{plain_words(record.model, 60)} on {plain_words(record.endpoint, 60)}\n{meanings}"
    with st.container(
        key=place.key(keys.RUN_STATUS), horizontal=True, vertical_alignment="center", gap="xsmall", width="content"
    ):
        st.badge(words, icon=icon, color=colour)
        st.markdown(f":small[:gray[{shown}]]", width="content", help=meanings)
