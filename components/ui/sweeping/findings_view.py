"""What the axes of a sweep do to a measure: a sentence for each, and charts with the noise of the base."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from components.runs.run import RunRecord
from components.streaming.outcome import Status
from components.sweeps.axes import BASE
from components.sweeps.measures import SweepMeasure
from components.sweeps.results import base_row, findings, join_inputs, row_in_words
from components.sweeps.tables import ROW, VALUE, measured
from components.ui import state
from components.ui.plain_words import plain_words
from components.ui.sweeping.running import KeptSweep

_FINISH_REASONS = "finish reasons"
_ALONE = "one axis"


def draw_findings(kept: KeptSweep, by_position: Sequence[Sequence[RunRecord]]) -> None:
    """Draw the choice of measure and axes, the sentences, the chart, and its table."""
    fields = kept.setup.fields
    labels: dict[str, SweepMeasure | None] = {found.label: found for found in SweepMeasure}
    labels[_FINISH_REASONS] = None
    crossed = any(len(row) > 1 for row in kept.rows)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        label = st.selectbox("Measure", list(labels), key=state.SWEEP_MEASURE, width=220)
        across, down = None, None
        if crossed and labels[label]:
            across = st.selectbox("Across", fields, key=state.SWEEP_ACROSS, width=200)
            others = [_ALONE, *(field for field in fields if field != across)]
            down = st.selectbox("Down", others, index=min(1, len(others) - 1), key=state.SWEEP_DOWN, width=200)
    measure = labels[label]
    if measure is None:
        _draw_finish_reasons(kept, by_position)
        return
    by_row = join_inputs(by_position, max(len(kept.inputs), 1))
    # How alike repeats are is no number of a single answer, so there are none to be tested.
    for finding in [] if measure.is_of_repeats else findings(fields, kept.rows, by_row, measure):
        st.markdown(f"- {plain_words(finding.sentence)}")
    if base_row(kept.rows) is None:
        st.caption("The plan has no row of the base alone, so there is nothing to hold its values against.")
    table = measured(measure, fields, kept.rows, kept.inputs, by_position)
    if table.empty:
        st.caption("No answer has this measure yet.")
        return
    if across and down and down != _ALONE:
        st.altair_chart(_heat_map(table, across, down, measure))
        st.caption("Each field is the median of its answers; hold the pointer over it for where they lie.")
    else:
        st.altair_chart(_points(table, across or ROW, measure))
        st.caption("Each point is one answer. The band is where the repeats of the base lie.")
    with st.expander("As a table", key="findings_table"):
        by = [across, down] if across and down and down != _ALONE else [across or ROW]
        spread = table.groupby(by, sort=False)[VALUE].agg(["median", "min", "max", "count"]).reset_index()
        st.dataframe(spread, hide_index=True)


def _title(measure: SweepMeasure) -> str:
    return f"{measure.label}, {measure.unit}" if measure.unit else measure.label


def _points(table: pd.DataFrame, across: str, measure: SweepMeasure) -> alt.LayerChart | alt.FacetChart:
    title = _title(measure)
    shown = pd.DataFrame({"at": table[across].astype(str), VALUE: table[VALUE]})
    y = alt.Y(f"{VALUE}:Q", title=title, scale=alt.Scale(zero=False))
    x = alt.X("at:N", sort=None, title=None, axis=alt.Axis(labelAngle=-30, labelLimit=220))
    layers = [
        alt.Chart(shown).mark_point(filled=True, size=50, opacity=0.7).encode(x=x, y=y, tooltip=["at", VALUE]),
        alt.Chart(shown).mark_tick(thickness=2, size=30).encode(x=x, y=alt.Y(f"median({VALUE}):Q", title=title)),
    ]
    base = table.loc[table[ROW] == BASE, VALUE]
    if not base.empty:
        band = pd.DataFrame([{"low": base.min(), "high": base.max()}])
        layers.insert(0, alt.Chart(band).mark_rect(opacity=0.15).encode(y=alt.Y("low:Q", title=title), y2="high:Q"))
    return alt.layer(*layers).properties(height=320)


def _heat_map(table: pd.DataFrame, across: str, down: str, measure: SweepMeasure) -> alt.LayerChart | alt.FacetChart:
    spread = table.groupby([across, down], sort=False)[VALUE].agg(["median", "min", "max", "count"]).reset_index()
    # Names of fields may hold what Vega-Lite reads as a path.
    shown = spread.set_axis(["across", "down", "median", "lowest", "highest", "answers"], axis=1)
    places = alt.Chart(shown).encode(
        x=alt.X("across:N", sort=None, title=across, axis=alt.Axis(labelAngle=0, labelLimit=160)),
        y=alt.Y("down:N", sort=None, title=down, axis=alt.Axis(labelLimit=160)),
    )
    fields = places.mark_rect().encode(
        color=alt.Color("median:Q", title=_title(measure)),
        tooltip=["across", "down", "median", "lowest", "highest", "answers"],
    )
    middle = (shown["median"].min() + shown["median"].max()) / 2
    words = places.mark_text().encode(
        text=alt.Text("median:Q", format=".3~g"),
        color=alt.condition(f"datum.median > {middle}", alt.value("white"), alt.value("black")),
    )
    return alt.layer(fields, words).properties(height=60 + 40 * shown["down"].nunique())


def _draw_finish_reasons(kept: KeptSweep, by_position: Sequence[Sequence[RunRecord]]) -> None:
    several = max(len(kept.inputs), 1)
    lines = [
        {"row": label, "finish reason": record.finish_reason or record.status}
        for position, records in enumerate(by_position)
        for label in [row_in_words(kept.rows[position // several])]
        for record in records
        if record.status != Status.RUNNING
    ]
    if not lines:
        st.caption("No answer has ended yet.")
        return
    counts = pd.DataFrame(lines).value_counts(sort=False).reset_index(name="answers")
    x = alt.X("row:N", sort=None, title=None, axis=alt.Axis(labelAngle=-30, labelLimit=220))
    bars = alt.Chart(counts).mark_bar().encode(x=x, y="answers:Q", color="finish reason:N", tooltip=list(counts))
    st.altair_chart(bars.properties(height=320))
    with st.expander("As a table", key="findings_table"):
        st.dataframe(counts, hide_index=True)
