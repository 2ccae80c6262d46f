"""Every event of a stream: its time, its gap to the previous event, and its data. Shown as plain text only."""

from __future__ import annotations

import json
from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from components.contract.chunk import UnreadableEvent, read_chunk
from components.contract.strict_json import read_json
from components.log.events import StoredEvent
from components.log.record import RunRecord
from components.runs.run import Run
from components.ui.answer import keys
from components.ui.answer.run_lookup import events_reader
from components.ui.plain_words import plain_words
from components.ui.user_errors import show_errors

_REFRESH_S = 1.0
_NEWEST_WHILE_LIVE = 200
_STRIP_HEIGHT = 160


def draw_events(run: Run | RunRecord | None) -> None:
    """Draw the events of a run: the newest while it runs, all of them from the log afterwards."""
    if run is None:
        st.caption("The events of a run appear here, each with its time and its raw data.")
    elif isinstance(run, RunRecord):
        with show_errors():
            _draw_all(events_reader(run)(), run.event_count)
    elif run.finished:
        _draw_all(run.events(), run.record().event_count)
    else:
        _draw_live(run)


@st.fragment(run_every=_REFRESH_S)
def _draw_live(run: Run) -> None:
    if run.finished:
        st.rerun()
    events = run.events()
    newest = events[-_NEWEST_WHILE_LIVE:]
    _draw_strip(newest)
    _draw_table(newest, first=len(events) - len(newest), can_open=False)
    if len(events) > len(newest):
        st.caption(f"The newest {len(newest)} of {len(events):,}; all of them after the run has ended.")


def _draw_all(events: list[StoredEvent], count: int) -> None:
    if not events:
        st.caption("The events of this run were not stored." if count else "No events arrived.")
        return
    _draw_strip(events)
    _draw_table(events, first=0)
    if count > len(events):
        st.caption(f"The first {len(events):,} of {count:,} events are stored.")


def _draw_strip(events: list[StoredEvent]) -> None:
    """The gap before each read of the socket over its time: an even stream makes an even strip."""
    if len(events) < 2:
        return
    gaps = _frame(events, 0)[["number", "at_s", "gap_ms"]].dropna()
    if gaps.empty:
        st.caption(f"{len(events):,} events, all in one read of the socket.")
        return
    chart = (
        alt.Chart(gaps, height=_STRIP_HEIGHT)
        .mark_bar(size=1.5)
        .encode(
            x=alt.X(
                "at_s:Q",
                title="seconds since the request was sent",
                scale=alt.Scale(nice=False),
                axis=alt.Axis(tickCount=8),
            ),
            y=alt.Y("gap_ms:Q", title="gap, ms"),
            tooltip=[
                alt.Tooltip("number:Q", title="event"),
                alt.Tooltip("at_s:Q", title="at, s", format=".3f"),
                alt.Tooltip("gap_ms:Q", title="gap, ms", format=".1f"),
            ],
        )
    )
    st.altair_chart(chart)
    quantiles = gaps["gap_ms"].quantile([0.5, 0.95])
    st.caption(
        f"{len(events):,} events. Gaps between reads of the socket, {len(gaps):,}: median {quantiles[0.5]:.1f} ms, "
        f"95th percentile {quantiles[0.95]:.1f} ms, longest {gaps['gap_ms'].max():.1f} ms."
    )


def _draw_table(events: list[StoredEvent], first: int, *, can_open: bool = True) -> None:
    """Draw the list. ``can_open`` makes rows selectable; a list that still grows has no selection."""
    table = _frame(events, first).set_axis(["event", "at", "gap", "name"], axis=1)
    table["text"] = [_text_of(event) for event in events]
    table["data"], common = folded([event.data for event in events])
    st.dataframe(
        table,
        key=keys.EVENTS_TABLE if can_open else None,
        hide_index=True,
        placeholder="–",
        height=min(38 + 35 * len(events), 360),
        on_select="rerun" if can_open else "ignore",
        selection_mode="single-row",
        column_config={
            "event": st.column_config.NumberColumn(width="small"),
            "at": st.column_config.NumberColumn(format="%.3f s", help="Since the request was sent.", width="small"),
            "gap": st.column_config.NumberColumn(
                format="%.1f ms",
                help="Since the previous event; – when both arrived in one read of the socket.",
                width="small",
            ),
            "name": st.column_config.TextColumn(width="small"),
            "text": st.column_config.TextColumn(
                width="medium", help="The text, reasoning or tool call that this event added, in quotation marks."
            ),
            "data": st.column_config.TextColumn(
                width="large",
                help="Without the parts that are the same in every event. Select a row for the whole event.",
            ),
        },
    )
    if common:
        st.caption(f"In every event: {plain_words(', '.join(f'{name} {value}' for name, value in common.items()))}")
    if not can_open:
        return
    rows = st.session_state[keys.EVENTS_TABLE].selection.rows
    if rows and rows[0] < len(events):
        event = events[rows[0]]
        st.code(event.data, language="json", wrap_lines=True)
        if event.size > len(event.data):
            st.caption(f"The first {len(event.data):,} of {event.size:,} characters.")
    else:
        st.caption("Select a row to see its whole event.")


def folded(data: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The data without the members that are the same in every JSON object, and these members as JSON.

    Other data, and the objects of which all members are common, stay whole.
    """
    objects = {place: read for place, text in enumerate(data) if isinstance(read := _read(text), dict)}
    if len(objects) < 2:
        return list(data), {}
    common = {
        name: value
        for name, value in next(iter(objects.values())).items()
        if all(name in each and each[name] == value for each in objects.values())
    }
    short = list(data)
    for place, each in objects.items():
        if rest := {name: value for name, value in each.items() if name not in common}:
            short[place] = json.dumps(rest, ensure_ascii=False)
    return short, {name: json.dumps(value, ensure_ascii=False) for name, value in common.items()}


def _read(text: str) -> object:
    try:
        return read_json(text)
    except ValueError:
        return None


def _text_of(event: StoredEvent) -> str | None:
    """What an event added, quoted so that blanks show; None for nothing, and for data that is no chunk."""
    try:
        choices = read_chunk(event.data).choices
    except UnreadableEvent:
        return None
    added = "".join(choice.reasoning + choice.text for choice in choices)
    return json.dumps(added, ensure_ascii=False) if added else None


def _frame(events: list[StoredEvent], first: int) -> pd.DataFrame:
    at_ms = pd.Series([event.at_ms for event in events], dtype=float)
    return pd.DataFrame(
        {
            "number": range(first + 1, first + 1 + len(events)),
            "at_s": at_ms / 1000,
            # Events of one read have the same time, so there is no gap between them.
            "gap_ms": at_ms.diff().replace(0.0, float("nan")),
            "name": [event.name for event in events],
        }
    )
