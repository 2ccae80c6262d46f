"""The cells of a sweep as they fill, and what its axes do to a measure."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from components.experiments.experiment import Experiment
from components.live.status import status_words
from components.runs.query import QueryFailed
from components.runs.run import RunRecord
from components.streaming.outcome import Status
from components.sweeps.measures import SweepMeasure
from components.sweeps.results import base_row, findings, records_by_row, row_in_words, values_of
from components.ui import state
from components.ui.plain_words import plain_words
from components.ui.sweeping.running import KeptSweep, cells_missing, records_of, run_missing

_LOOK_AGAIN_S = 1.0
_MOST_ROWS = 500
_BEGINNING = 80


def draw_sweep(sweep_id: str, kept: KeptSweep, experiment: Experiment | None) -> None:
    """Draw progress, cells and findings; they go on by themselves while the sweep does."""
    going_on = experiment is not None and experiment.going_on
    st.fragment(_draw, run_every=_LOOK_AGAIN_S if going_on else None)(sweep_id, kept, experiment, going_on)


def _draw(sweep_id: str, kept: KeptSweep, experiment: Experiment | None, was_going_on: bool) -> None:
    going_on = experiment is not None and experiment.going_on
    if going_on != was_going_on:
        st.rerun()
    try:
        by_row = records_by_row(records_of(sweep_id, experiment), kept.positions)
    except QueryFailed as failure:
        # What has an answer is not known, so nothing is called missing; what goes on can be stopped all the same.
        st.error(str(failure))
        if going_on and experiment:
            _draw_switches(experiment)
        return
    _draw_progress(sweep_id, kept, by_row, experiment, going_on=going_on)
    cells, said = st.tabs(["Cells", "What it says"], key="sweep_tabs", on_change="rerun")
    with cells:
        if cells.open:
            _draw_cells(kept, by_row)
    with said:
        if said.open:
            _draw_findings(kept, by_row)


def _draw_progress(
    sweep_id: str,
    kept: KeptSweep,
    by_row: Sequence[Sequence[RunRecord]],
    experiment: Experiment | None,
    *,
    going_on: bool,
) -> None:
    total = kept.positions * kept.setup.repeats
    records = [record for found in by_row for record in found]
    ended = [record for record in records if not record.running]
    failed = [record for record in ended if record.status != Status.OK]
    words = f"{len(ended):,} of {total:,} cells ended" + (f", {len(failed):,} not well" if failed else "")
    if going_on and ended:
        mean_s = sum(record.total_ms or 0.0 for record in ended) / len(ended) / 1000
        words += f", about {mean_s * (total - len(ended)) / kept.setup.at_once:,.0f} s left"
    if going_on and experiment and experiment.paused:
        words += " (paused)"
    st.progress(min(len(ended) / total, 1.0), text=words)
    if going_on and experiment:
        _draw_switches(experiment)
    else:
        _draw_missing(sweep_id, kept, by_row)


def _draw_switches(experiment: Experiment) -> None:
    with st.container(horizontal=True, gap="small"):
        if experiment.paused:
            st.button("Resume", key="resume_sweep", icon=":material/play_arrow:", on_click=experiment.resume)
        else:
            st.button("Pause", key="pause_sweep", icon=":material/pause:", on_click=experiment.pause)
        st.button("Stop", key="stop_sweep", icon=":material/stop:", on_click=experiment.stop)


def _draw_missing(sweep_id: str, kept: KeptSweep, by_row: Sequence[Sequence[RunRecord]]) -> None:
    missing, refused = cells_missing(kept, by_row)
    if missing:
        st.button(
            f"Run the missing {len(missing):,}",
            key="run_missing",
            icon=":material/play_arrow:",
            on_click=run_missing,
            args=(sweep_id,),
        )
    if refused:
        first = refused[0]
        others = f", and {len(refused) - 1:,} more" if len(refused) > 1 else ""
        why = plain_words(f"Not asked: row {first.number}{others}. {first.problem}")
        st.markdown(f":orange[:material/warning: :small[{why}]]", width="content")


def _draw_cells(kept: KeptSweep, by_row: Sequence[Sequence[RunRecord]]) -> None:
    rows = [
        {
            "row": row_in_words(kept.rows[number]),
            "repeat": record.repeat,
            "status": status_words(record)[0],
            "answer": record.text[:_BEGINNING],
            "characters": len(record.text),
            "TTFT": record.ttft_ms,
            "tokens/s": record.tokens_per_second,
            "why": record.error_message if record.status not in (Status.OK, Status.RUNNING) else None,
            "run": f"/?{state.OPEN_PARAMETER}={record.id}",
        }
        for number, found in enumerate(by_row)
        for record in found
    ]
    if not rows:
        st.caption("No cell has begun yet.")
        return
    st.dataframe(
        pd.DataFrame(rows[:_MOST_ROWS]),
        key=state.SWEEP_GRID,
        hide_index=True,
        placeholder="–",
        height=min(38 + 35 * len(rows), 520),
        column_config={
            "TTFT": st.column_config.NumberColumn(format="%d ms", help="Time to first token."),
            "tokens/s": st.column_config.NumberColumn(format="%.1f", help="After the first token."),
            "answer": st.column_config.TextColumn(width="large"),
            "run": st.column_config.LinkColumn(display_text="open"),
        },
    )
    if len(rows) > _MOST_ROWS:
        st.caption(f"The first {_MOST_ROWS:,} of {len(rows):,} cells.")


def _draw_findings(kept: KeptSweep, by_row: Sequence[Sequence[RunRecord]]) -> None:
    labels = {found.label: found for found in SweepMeasure}
    measure = labels[str(st.selectbox("Measure", list(labels), key=state.SWEEP_MEASURE, width=260))]
    for finding in findings(kept.setup.fields, kept.rows, by_row, measure):
        st.markdown(f"- {plain_words(finding.sentence)}")
    place = base_row(kept.rows)
    if place is None:
        st.caption("The plan has no row of the base alone, so there is nothing to hold its values against.")
    base = by_row[place] if place is not None else []
    points = [
        {"row": row_in_words(row), "value": value}
        for row, found in zip(kept.rows, by_row, strict=True)
        for value in values_of(measure, found, base)
    ]
    if points:
        st.altair_chart(_chart(points, measure, values_of(measure, base, base)))
        st.caption("Each point is one answer. The band is where the repeats of the base lie.")


def _chart(
    points: list[dict[str, object]], measure: SweepMeasure, base: Sequence[float]
) -> alt.LayerChart | alt.FacetChart:
    order = list(dict.fromkeys(str(point["row"]) for point in points))
    title = f"{measure.label}, {measure.unit}" if measure.unit else measure.label
    y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False))
    x = alt.X("row:N", sort=order, title=None, axis=alt.Axis(labelAngle=-30, labelLimit=220))
    found = pd.DataFrame(points)
    layers = [
        alt.Chart(found).mark_point(filled=True, size=50, opacity=0.7).encode(x=x, y=y, tooltip=["row", "value"]),
        alt.Chart(found).mark_tick(thickness=2, size=30).encode(x=x, y=alt.Y("median(value):Q", title=title)),
    ]
    if base:
        band = pd.DataFrame([{"low": min(base), "high": max(base)}])
        layers.insert(0, alt.Chart(band).mark_rect(opacity=0.15).encode(y=alt.Y("low:Q", title=title), y2="high:Q"))
    return alt.layer(*layers).properties(height=320)
