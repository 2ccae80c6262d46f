"""A run's status and numbers in one quiet line, and why it failed or ended early."""

from __future__ import annotations

import streamlit as st

from components.contract.errors import single_line
from components.live.status_words import footer, numbers, status_words, was_cut, was_cut_at_sent_limit
from components.log.record import RunRecord
from components.runs.run import Activity, RetryWait
from components.streaming.faults import ErrorKind
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

_WHAT_HAPPENED = {
    Status.DAMAGED: "The answer is complete, but some of its events could not be read: the text may have a gap.",
    Status.INTERRUPTED: "The answer is not complete. What arrived is kept.",
    Status.ERROR: "No answer arrived",
    Status.LOST: "The answer is not complete. What arrived is kept.",
    Status.REJECTED: "Nothing was sent",
}

# For kinds with the endpoint's own sentence; Tempera's own sentences already name the next step.
_NEXT_STEP = {
    ErrorKind.AUTH: "Check this endpoint's key: api_key in the secrets file, or TEMPERA_API_KEY.",
    ErrorKind.NOT_FOUND: "Check the model's name, and that the base URL ends in /v1.",
    ErrorKind.INVALID_REQUEST: "Change the field that the endpoint names, then run again.",
    ErrorKind.TOO_LARGE: "Shorten the prompt, then run again.",
    ErrorKind.RATE_LIMITED: "Wait a little, then run again.",
    ErrorKind.TIMEOUT_STATUS: "Run again; if the problem remains, ask the endpoint's operator.",
    ErrorKind.SERVER_ERROR: "The fault is the endpoint's. Run again later.",
    ErrorKind.OVERLOADED: "The endpoint is busy or still starting. Run again in a moment.",
    ErrorKind.SERVER_ERROR_EVENT: "The fault is the endpoint's. Run again.",
}

_CUT = "Raise max_tokens, or omit it, for a longer answer."
_CUT_BY_MODEL = "The model has a limit of its own, such as its context. Shorten the prompt to leave more room."

_MAX_RAW_CHARACTERS = 10_000


def draw_status(
    record: RunRecord, place: Place = ALONE, activity: Activity | None = None, retry_wait: RetryWait | None = None
) -> None:
    """Draw the line, with all numbers and their definitions on hover.

    ``activity`` is the current step of a running run, ``retry_wait`` its wait before a retry.
    """
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


def draw_message(record: RunRecord, place: Place = ALONE) -> None:
    """Draw why a run that has ended failed or was cut, and the next step; nothing after a complete answer."""
    if was_cut(record):
        if place.lane is None:  # side by side with other runs the badge is enough
            st.caption(_CUT if was_cut_at_sent_limit(record) else _CUT_BY_MODEL)
        return
    happened = _WHAT_HAPPENED.get(Status(record.status))
    if happened is None:
        return
    http_status = f" (HTTP {record.http_status})" if (record.http_status or 0) >= 300 else ""
    with st.container(key=place.key("run_message"), gap="small"):
        if record.status in (Status.ERROR, Status.REJECTED):
            st.error(happened + http_status, icon=":material/error:")
        else:
            st.warning(happened + http_status, icon=":material/warning:")
        if record.error_message:
            # As plain text: an endpoint's message must not become an image or a link.
            st.text(single_line(record.error_message))
        if record.error_kind in _NEXT_STEP:
            st.caption(_NEXT_STEP[ErrorKind(record.error_kind)])
        if record.raw_error and record.raw_error != record.error_message:
            with st.expander("Response body"):
                st.code(record.raw_error[:_MAX_RAW_CHARACTERS], language=None, wrap_lines=True)
