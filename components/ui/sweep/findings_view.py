"""The effect of each axis on a measure: a sentence, charts with the base's noise, and a table."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from components.experiments.cell_result import ByPosition
from components.experiments.measures import MEASURES, SIMILARITY, SweepMeasure, closed_loop
from components.experiments.stored_sweep import StoredSweep
from components.experiments.sweep_results import base_row, findings, join_inputs, row_in_words
from components.experiments.sweep_tables import ROW, VALUE, axis_column, measured
from components.ui.plain_words import plain_words
from components.ui.sweep import keys
from components.ui.sweep.charts import MAX_POINTS, finish_reason_bars, heat_map, points, small_multiples
from components.ui.sweep.downloads import draw_wide_download
from components.ui.sweep.similarities import similarities
from components.ui.user_errors import show_errors

_FINISH_REASONS = "finish reasons"
_ALONE = "one axis"
_HEAT_MAP, _SMALL_MULTIPLES = "heat map", "small multiples"


def chosen_measure() -> SweepMeasure:
    """The measure that the results are about; the first one until another is chosen."""
    name = st.session_state.get(keys.SWEEP_MEASURE)
    return next((measure for measure in MEASURES if measure.label == name), MEASURES[0])


def draw_sentences(
    sweep: StoredSweep, by_position: ByPosition, measure: SweepMeasure, scores: Mapping[str, float]
) -> None:
    """Draw what each axis changes in a measure, in one sentence each; their place is there from the start."""
    with st.container(gap=None):
        by_row = join_inputs(by_position, sweep.inputs_per_row)
        for finding in findings(sweep.setup.fields, sweep.rows, by_row, measure, scores):
            st.markdown(f":material/insights: {plain_words(finding)}")
        if base_row(sweep.rows) is None:
            st.caption("The plan has no base row to compare the values with.")


@show_errors()
def draw_findings(sweep_id: str, sweep: StoredSweep, by_position: ByPosition) -> None:
    """Draw the choice of measure and axes, the chart and its table."""
    labels: dict[str, SweepMeasure | None] = {each.label: each for each in MEASURES}
    labels[_FINISH_REASONS] = None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        measure = labels[st.selectbox("Measure", list(labels), key=keys.SWEEP_MEASURE, width=220)]
        across, down, chart = _choose_axes(sweep) if measure else (ROW, None, None)
    if measure is None:
        _draw_finish_reasons(sweep, by_position)
        return
    scores = similarities(sweep_id, sweep, by_position) if measure is SIMILARITY else {}
    table = measured(measure, sweep, by_position, scores)
    if table.empty:
        st.caption("No answer has this measure yet.")
        return
    if down and chart == _HEAT_MAP:
        st.altair_chart(heat_map(table, across, down, measure))
        st.caption("Each field is the median of its answers; its tooltip has their range.")
    else:
        st.altair_chart(small_multiples(table, across, down, measure) if down else points(table, across, measure))
        st.caption(_explained(table, measure))
    if measure.timed:
        st.caption(closed_loop(sweep.setup.at_once))
    with st.expander("Data", key="findings_table"):
        by = [across, down] if down else [across]
        spread = table.groupby(by, sort=False)[VALUE].agg(["median", "min", "max", "count"]).reset_index()
        st.dataframe(spread, hide_index=True)
        draw_wide_download(sweep_id, sweep, measure, table)


def _explained(table: pd.DataFrame, measure: SweepMeasure) -> str:
    mark = "Each point is one answer." if len(table) <= MAX_POINTS else "Each line is the range of a value's answers."
    return f"{mark} The band is the range of the base's repeats. {measure.definition}".rstrip()


def _choose_axes(sweep: StoredSweep) -> tuple[str, str | None, str | None]:
    """The columns for X and Y, and the chart type; a single axis has no Y."""
    if not any(len(row) > 1 for row in sweep.rows):
        return ROW, None, None
    columns = list(map(axis_column, sweep.setup.fields))
    across = st.selectbox("X", columns, key=keys.SWEEP_ACROSS, width=200)
    others = [_ALONE, *(column for column in columns if column != across)]
    down = st.selectbox("Y", others, index=min(1, len(others) - 1), key=keys.SWEEP_DOWN, width=200)
    if down == _ALONE:
        return across, None, None
    return across, down, st.selectbox("Chart", [_HEAT_MAP, _SMALL_MULTIPLES], key=keys.SWEEP_CHART, width=200)


def _draw_finish_reasons(sweep: StoredSweep, by_position: ByPosition) -> None:
    lines = [
        {"row": row_in_words(sweep.row_at(position)), "finish reason": result.finish_reason or result.status}
        for position, results in enumerate(by_position)
        for result in results
        if not result.running
    ]
    if not lines:
        st.caption("No answer has ended yet.")
        return
    counts = pd.DataFrame(lines).value_counts(sort=False).reset_index(name="answers")
    st.altair_chart(finish_reason_bars(counts))
    with st.expander("Data", key="findings_table"):
        st.dataframe(counts, hide_index=True)
