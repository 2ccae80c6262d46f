"""The numbers of all lanes in one table, the best of each row marked, and the tokens of all lanes over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import altair as alt
import pandas as pd
import streamlit as st

from components.drafts.comparison import Timing
from components.experiments.numbers import bests, incomparable
from components.live.replay import lengths_after
from components.live.status_words import duration, numbers, status_words, was_cut
from components.log.events import StoredEvent
from components.log.query import QueryFailed
from components.log.record import NUMBERS, OF_ANSWER, RunRecord
from components.ui.answer.run_lookup import events_reader
from components.ui.plain_words import plain_words

_MAX_CHARACTERS = 80
_MAX_POINTS = 200
"""Points per lane in the chart; more are indistinguishable."""

_DEFINED = ("ttft_ms", "ttfo_ms", "tokens_per_second", "gap_p50_ms")
_MEANING = """
The best number of a row is marked. Lanes that were cut at max_tokens, or did not end well, take no part, and neither do
numbers that a retry, a wait for a slot or a cached prompt has made incomparable: those are marked with their reason.
""" + "".join(f"\n- **{NUMBERS[name].label}**: {NUMBERS[name].definition}" for name in _DEFINED)


def draw_numbers(shown: Mapping[str, RunRecord]) -> None:
    """Draw the table. ``shown`` holds each lane's run by the lane's title."""
    best = bests(shown)
    columns = {plain_words(title): _column(title, record, best) for title, record in shown.items()}
    st.table(pd.DataFrame(columns).fillna("–").rename_axis("number"), border="horizontal")
    st.caption(_MEANING)


def draw_token_chart(shown: Mapping[str, RunRecord]) -> None:
    """Draw the number of received chunks of each lane over time; a running lane's line grows."""
    points = [
        {"lane": title, "seconds": at_ms / 1000, "tokens": count}
        for title, record in shown.items()
        for at_ms, count in _curve(record)
    ]
    if not points:
        return
    st.altair_chart(
        alt.Chart(pd.DataFrame(points), height=200)
        .mark_line(interpolate="step-after")
        .encode(
            x=alt.X("seconds:Q", title="seconds since the request was sent", axis=alt.Axis(tickCount=8)),
            y=alt.Y("tokens:Q", title="chunks with text", axis=alt.Axis(tickMinStep=1, tickCount=4)),
            color=alt.Color("lane:N", sort=list(shown), title="lane"),
            # Dashes as well as colours, for colour-blind readers.
            strokeDash=alt.StrokeDash("lane:N", sort=list(shown), title="lane"),
            tooltip=["lane", alt.Tooltip("seconds:Q", format=".2f"), "tokens"],
        )
    )


def timing_words(record: RunRecord) -> str:
    """The timing of the run in its comparison, and its concurrency."""
    if record.timing is None:
        return "alone"
    at_once = record.concurrency or 1
    if record.timing == Timing.PARALLEL and at_once > 1:
        return f"concurrency {at_once}"
    return "sequential, interleaved" if record.timing == Timing.INTERLEAVED else "sequential"


def _column(title: str, record: RunRecord, best: Mapping[str, str]) -> dict[str, str]:
    badge, colour = status_words(record)
    values = {number.label: number.value for number in numbers(record)}
    rate_unit = "chunks/s" if record.running else "tokens/s"
    words = {
        "status": f":{colour}-badge[{plain_words(badge)}]",
        "finish reason": plain_words(values.get("finish reason", "–")),
        "TTFT": _marked(duration(record.ttft_ms), best.get("ttft_ms") == title, timing_words(record)),
        "TTFO": values.get("TTFO", "–"),
        "tokens/s": _marked(values.get(rate_unit, "–"), best.get("tokens_per_second") == title, timing_words(record)),
        "chunk gap": values.get("chunk gap", "–"),
        "tokens": plain_words(values.get("tokens", values.get("received", "–"))),
        "total": _marked(duration(record.total_ms), best.get("total_ms") == title, timing_words(record)),
        "characters": f"{len(record.text):,}",
    }
    for name in OF_ANSWER:
        if (value := getattr(record, name)) is not None:
            words[NUMBERS[name].label] = f"{value:.3g}"
    if was_cut(record):
        words["characters"] += " :orange[(cut)]"
    words |= {label: plain_words(value, _MAX_CHARACTERS) for label, value in record.endpoint_facts}
    if reasons := incomparable(record):
        words["not comparable"] = f":orange[{plain_words('; '.join(reasons))}]"
    return words


def _marked(words: str, is_best: bool, timing: str) -> str:
    if words in ("–", "n/a"):
        return words
    return f"{f':green[**{words} · best**]' if is_best else words} :small[:gray[· {timing}]]"


def _curve(record: RunRecord) -> list[tuple[float, int]]:
    """Times in milliseconds with the number of text chunks so far; of a running run, all events count."""
    try:
        if record.running:
            # Reading the text of each event again every second would be too slow.
            return _thinned([(event.at_ms, number) for number, event in enumerate(events_reader(record)(), 1)])
        return _cached_curve(record.id, record.text, events_reader(record))
    except QueryFailed:
        return []  # not cached: the next draw may find it


@st.cache_data(max_entries=64, show_spinner=False)
def _cached_curve(run_id: str, text: str, _read: Callable[[], list[StoredEvent]]) -> list[tuple[float, int]]:
    events = _read()
    points: list[tuple[float, int]] = []
    before = 0
    for event, length in zip(events, lengths_after(events, text), strict=True):
        if length > before:
            points.append((event.at_ms, len(points) + 1))
        before = length
    return _thinned(points)


def _thinned(points: list[tuple[float, int]]) -> list[tuple[float, int]]:
    step = max(len(points) // _MAX_POINTS, 1)
    return points[::step] + points[-1:]
