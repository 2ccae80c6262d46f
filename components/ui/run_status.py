"""A run's status and numbers, in one line and in plain words; the numbers' definitions on hover."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from components.contract.profile import profile_named
from components.contract.request import from_bytes
from components.runs.run import Activity, RunRecord
from components.streaming.outcome import Status
from components.ui.plain_words import plain_words

Colour = Literal["green", "orange", "red", "blue", "gray"]

_BADGES: dict[Status, tuple[str, str, Colour]] = {
    Status.OK: ("ok", ":material/check:", "green"),
    Status.DAMAGED: ("damaged", ":material/warning:", "orange"),
    Status.INTERRUPTED: ("interrupted", ":material/link_off:", "orange"),
    Status.ERROR: ("error", ":material/error:", "red"),
    Status.CANCELLED: ("cancelled", ":material/stop_circle:", "gray"),
    Status.LOST: ("lost", ":material/power_off:", "orange"),
    Status.REJECTED: ("rejected", ":material/block:", "red"),
}

_NOT_REPORTED = "not reported"

_DEFINITIONS = """
- **finish reason**: why the endpoint says the answer ended: stop, length (cut at max_tokens), error.
- **TTFT**, time to first token: from sending the request to the first text of the answer, at the reader.
- **tokens/s**: (tokens - 1) / (last token - first token); the time of the prompt is left out.
- **tokens**: prompt + completion, as the endpoint reported them. A chunk is one event of the stream.
- **total**: from the start of the run to its end, waits before retries included.
"""


class StatusLine:
    """The line on the page; ``show`` changes it in place."""

    def __init__(self) -> None:
        with st.container(key="run_status", horizontal=True, vertical_alignment="center"):
            self._badge = st.empty()
            self._numbers = st.empty()

    def show(self, record: RunRecord, activity: Activity | None = None) -> None:
        """Draw the line. ``activity`` says what a running run does now."""
        label, icon, colour = _badge(record, activity)
        self._badge.badge(label, icon=icon, color=colour)
        numbers = " · ".join(f":gray[{label}] **{value}**" for label, value in _numbers(record))
        asked = f":gray[{plain_words(record.model, 60)} on {plain_words(record.endpoint, 60)}]"
        self._numbers.markdown(f":small[{asked} · {numbers}]", width="content", help=_DEFINITIONS)


def was_cut_at_sent_limit(record: RunRecord) -> bool:
    """Whether an answer of finish reason length was cut by the max_tokens that was sent."""
    try:
        sent = from_bytes(record.request_body, profile_named(record.dialect)).max_tokens
    except ValueError:
        return True
    return sent is not None and (record.completion_tokens is None or record.completion_tokens >= sent)


def _badge(record: RunRecord, activity: Activity | None) -> tuple[str, str, Colour]:
    if record.running:
        return (activity.value if activity else "running"), ":material/more_horiz:", "blue"
    if record.status == Status.OK and record.finish_reason == "length":
        label = "cut at max_tokens" if was_cut_at_sent_limit(record) else "cut at max_tokens (the model's own)"
        return label, ":material/content_cut:", "orange"
    return _BADGES[Status(record.status)]


def _numbers(record: RunRecord) -> list[tuple[str, str]]:
    """Label and value of each number. While the run is going on, chunks stand in for tokens, and say so."""
    reported = record.completion_tokens
    if not record.running and not record.chunk_count:
        return [("attempts", str(record.attempts)), ("total", duration(record.total_ms))]
    if record.running:
        tokens, unit = _chunks(record.chunk_count), "chunks/s"
    elif reported is None:
        tokens, unit = f"{_NOT_REPORTED}, {_chunks(record.chunk_count)}", "tokens/s"
    else:
        prompt = "" if record.prompt_tokens is None else f"{record.prompt_tokens} + "
        tokens, unit = f"{prompt}{reported}", "tokens/s"
    waited = [("waited before retries", duration(record.waited_ms))] if record.waited_ms else []
    return [
        ("finish reason", "–" if record.running else plain_words(record.finish_reason or _NOT_REPORTED, 60)),
        ("TTFT", duration(record.ttft_ms)),
        (unit, "–" if record.tokens_per_second is None else f"{record.tokens_per_second:.1f}"),
        ("received" if record.running else "tokens", tokens),
        *waited,
        ("total", duration(record.total_ms)),
    ]


def _chunks(count: int) -> str:
    return "1 chunk" if count == 1 else f"{count} chunks"


def duration(milliseconds: float | None) -> str:
    """A time in words: milliseconds below a second, else seconds."""
    if milliseconds is None:
        return "–"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
