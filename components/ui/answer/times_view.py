"""A run's timings as a waterfall and as a table."""

from __future__ import annotations

from typing import NamedTuple

import altair as alt
import pandas as pd
import streamlit as st

from components.log.record import RunRecord


class Phase(NamedTuple):
    """A part of a run's time, in ms from the start of the last attempt."""

    name: str
    begin_ms: float
    end_ms: float


def draw_times(record: RunRecord) -> None:
    """Draw the phases of a run: connecting, first byte, first token, first output, decoding."""
    frame = pd.DataFrame(phases(record))
    if frame.empty:
        st.caption("There are no times.")
        return
    bars = (
        alt.Chart(frame, height=40 + 32 * len(frame))
        .mark_bar(cornerRadius=2)
        .encode(
            x=alt.X("begin_ms:Q", title="ms"),
            x2="end_ms:Q",
            y=alt.Y("name:N", sort=None, title=None),
            tooltip=["name", "begin_ms", "end_ms"],
        )
    )
    st.altair_chart(bars)
    shown = frame.assign(took=frame["end_ms"] - frame["begin_ms"])[["name", "begin_ms", "took"]]
    st.dataframe(
        shown.set_axis(["phase", "from", "took"], axis=1),
        hide_index=True,
        column_config={name: st.column_config.NumberColumn(format="%.1f ms") for name in ("from", "took")},
    )
    if record.waited_ms:
        st.caption(f"Before that, {record.waited_ms:,.0f} ms passed between attempts.")


def phases(record: RunRecord) -> list[Phase]:
    """The phases of the last attempt, in order.

    Connecting includes the DNS lookup and the TLS handshake. The first byte is that of the response's head, the first
    token the first of any kind, and the first output the first token of the answer itself, where that is another one.
    Decoding lasts until the end.
    """
    sent = record.connect_ms or 0.0
    end = max((record.total_ms or 0.0) - (record.waited_ms or 0.0), sent)
    result = [] if record.connect_ms is None else [Phase("connect" if sent else "connection reused", 0.0, sent)]
    begin = sent
    output_ms = record.ttfo_ms if record.ttfo_ms != record.ttft_ms else None
    moments = ("first byte", record.first_byte_ms), ("first token", record.ttft_ms), ("first output", output_ms)
    for name, moment in moments:
        if moment is not None and sent + moment >= begin:
            result.append(Phase(name, begin, sent + moment))
            begin = sent + moment
    if end > begin:
        result.append(Phase("decode" if record.ttft_ms is not None else "end", begin, end))
    return result
