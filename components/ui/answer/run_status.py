"""A run's status and numbers, in one line and in plain words; the numbers' definitions on hover."""

from __future__ import annotations

import streamlit as st

from components.live.status import numbers, status_words, was_cut
from components.log.record import RunRecord
from components.runs.run import Activity, RetryWait
from components.streaming.outcome import Status
from components.ui import state
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


class StatusLine:
    """The line on the page; ``show`` changes it in place."""

    def __init__(self, place: Place = ALONE) -> None:
        self._place = place
        with st.container(key=place.key(state.RUN_STATUS), horizontal=True, vertical_alignment="center"):
            self._badge = st.empty()
            self._numbers = st.empty()

    def show(self, record: RunRecord, activity: Activity | None = None, retry_wait: RetryWait | None = None) -> None:
        """Draw the line. ``activity`` says what a running run does now, and ``retry_wait`` when it tries again."""
        words, colour = status_words(record, activity, retry_wait=retry_wait)
        icon = ":material/content_cut:" if was_cut(record) else _ICONS[Status(record.status)]
        self._badge.badge(words, icon=icon, color=colour)
        found = numbers(record)
        shown = " · ".join(f":gray[{number.label}] **{plain_words(number.value, 60)}**" for number in found)
        if self._place.lane is None:
            # A lane's own head says what is its own.
            shown = f":gray[{plain_words(record.model, 60)} on {plain_words(record.endpoint, 60)}] · {shown}"
        meanings = "\n".join(f"- **{number.label}**: {plain_words(number.meaning, 600)}" for number in found)
        self._numbers.markdown(f":small[{shown}]", width="content", help=meanings)
