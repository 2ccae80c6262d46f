"""A run's status and numbers, in one line and in plain words; each number with its definition on hover."""

from __future__ import annotations

import re
from typing import Literal

import streamlit as st

from components.runs.run import Activity, RunRecord
from components.streaming.outcome import Status

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


def draw_status(record: RunRecord, activity: Activity | None = None) -> None:
    """Draw the line. ``activity`` says what a running run does now."""
    with st.container(key="run_status", horizontal=True, vertical_alignment="center"):
        _draw_badge(record, activity)
        numbers = "  ·  ".join(f":gray[{label}] **{value}**" for label, value in _numbers(record))
        st.markdown(f":small[{numbers}]", width="content", help=_DEFINITIONS)


def _draw_badge(record: RunRecord, activity: Activity | None) -> None:
    if record.running:
        st.badge(activity.value if activity else "running", icon=":material/more_horiz:", color="blue")
        return
    label, icon, colour = _BADGES[Status(record.status)]
    if record.status == Status.OK and record.finish_reason == "length":
        label, icon, colour = "cut at max_tokens", ":material/content_cut:", "orange"
    st.badge(label, icon=icon, color=colour)


def _numbers(record: RunRecord) -> list[tuple[str, str]]:
    """Label and value of each number. While the run is going on, chunks stand in for tokens, and say so."""
    reported = record.completion_tokens
    if not record.running and not record.chunk_count:
        return [("total", _duration(record.total_ms))]
    if record.running:
        tokens, unit = f"{record.chunk_count} chunks", "chunks/s"
    elif reported is None:
        tokens, unit = f"{_NOT_REPORTED}, {record.chunk_count} chunks", "tokens/s"
    else:
        prompt = "" if record.prompt_tokens is None else f"{record.prompt_tokens} + "
        tokens, unit = f"{prompt}{reported}", "tokens/s"
    return [
        ("finish reason", "–" if record.running else _word(record.finish_reason or _NOT_REPORTED)),
        ("TTFT", _duration(record.ttft_ms)),
        (unit, "–" if record.tokens_per_second is None else f"{record.tokens_per_second:.1f}"),
        ("tokens", tokens),
        ("total", _duration(record.total_ms)),
    ]


def _word(text: str) -> str:
    """A word of the endpoint's, without what Markdown could read as an image or a link."""
    return re.sub(r"[^\w -]", "", text)[:40]


def _duration(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "–"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
