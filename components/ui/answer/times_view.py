"""A run's timings as a waterfall and as a table."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from components.live.phases import phases
from components.log.record import RunRecord


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
