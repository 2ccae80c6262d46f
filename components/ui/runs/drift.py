"""The measures of an experiment that was made several times, over time: noise, changes, and what changed with them."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd
import streamlit as st

from components.endpoints.endpoint import Prices
from components.experiments.drift import MEASURES, Level, Series, Time, levels_of, series_in_log, times_of
from components.experiments.report import number_in_words
from components.experiments.thresholds import GAUGES
from components.log.owned import OwnLog
from components.ui.available_endpoints import available_endpoints
from components.ui.plain_words import plain_words
from components.ui.runs import keys
from components.ui.runs.charts import time_axis
from components.ui.time_zone import local_time, time_zone
from components.ui.user_errors import show_errors
from components.ui.visitor import BY_OWNER, own_log

_RENEWED_S = 30.0
_MAX_NAME = 70
_MEANING = (
    "Each point is one time: the median, the share, or for answers their similarity to the times before. The band is "
    "where 95 % of the times lie while nothing changes. A change is more than chance (p < 0.05, U test, Fisher's or a "
    "permutation of the answers, corrected for the number of times, not of measures). Costs are at today's prices."
)


@show_errors()
def draw_drift() -> None:
    """Draw the chart, once it is opened."""
    opened = st.expander("Drift", icon=":material/timeline:", key=keys.DRIFT, on_change="rerun")
    database = own_log().database
    if not opened.open or database is None:
        return
    with opened:
        series = _series(own_log())
        if not series:
            st.caption(
                "No experiment was made twice. Run the same comparison or sweep again, or its file on a schedule: "
                "`tempera experiment run FILE`."
            )
            return
        with st.container(horizontal=True, gap="small"):
            chosen = st.selectbox(
                "Experiment",
                range(len(series)),
                key=keys.DRIFT_OF,
                format_func=lambda number: _title(series[number]),
                width=420,
            )
            prices = {name: endpoint.prices for name, endpoint in available_endpoints().items() if endpoint.prices}
            times = _times(own_log(), series[chosen], prices)
            measures = [name for name in MEASURES if sum(bool(time.sample(name)) for time in times) > 1]
            if not measures:
                st.caption("Fewer than two of its times have answers.")
                return
            levels = {name: _levels(own_log(), series[chosen], prices, name) for name in measures}
            changes = {name: [level for level in levels[name] if level.before is not None] for name in measures}
            measure = st.selectbox(
                "Measure",
                sorted(measures, key=lambda name: _least_chance(changes[name])),
                key=keys.DRIFT_MEASURE,
                format_func=lambda name: f"{GAUGES[name].label}{' · changed' if changes[name] else ''}",
                width=320,
            )
        _draw_levels(levels[measure], measure)
        for level in changes[measure]:
            st.markdown(_sentence(level, measure))
        if not any(changes.values()):
            st.markdown("No measure changed by more than chance.")
        st.caption(_MEANING)


def _least_chance(changes: list[Level]) -> float:
    return min((level.chance for level in changes if level.chance is not None), default=1.0)


def _title(series: Series) -> str:
    return f"{series.name:.{_MAX_NAME}} ({len(series.experiments)} times)"


@st.cache_data(ttl=_RENEWED_S, show_spinner=False, max_entries=20, hash_funcs=BY_OWNER)
def _series(log: OwnLog) -> list[Series]:
    return series_in_log(log.database) if log.database else []


@st.cache_data(ttl=_RENEWED_S, show_spinner=False, max_entries=20, hash_funcs=BY_OWNER)
def _times(log: OwnLog, series: Series, prices: Mapping[str, Prices]) -> list[Time]:
    return times_of(log, series, prices)


@st.cache_data(ttl=_RENEWED_S, show_spinner=False, max_entries=50, hash_funcs=BY_OWNER)
def _levels(log: OwnLog, series: Series, prices: Mapping[str, Prices], measure: str) -> list[Level]:
    return levels_of(_times(log, series, prices), measure)


def _draw_levels(levels: list[Level], measure: str) -> None:
    gauge = GAUGES[measure]
    changed = pd.Series([level.before is not None for level in levels])
    table = pd.DataFrame(
        {
            "time": pd.to_datetime([level.created_at for level in levels], utc=True).tz_convert(time_zone()),
            "value": [level.value for level in levels],
            "low": [level.low for level in levels],
            "high": [level.high for level in levels],
            "runs": [level.count for level in levels],
            # A segment of its own for each level of a series: the band must not slope from one to the next.
            "level": changed.cumsum(),
        }
    )
    unit = "" if gauge.share or not gauge.unit or gauge.unit in gauge.label else f", {gauge.unit}"
    axis = alt.Axis(format=".0%") if gauge.share else alt.Axis()
    title = f"{gauge.label}{unit}"
    y = alt.Y("value:Q", title=title, axis=axis, scale=alt.Scale(zero=False))
    base = alt.Chart(table, height=260).encode(x=alt.X("time:T", title=None, axis=time_axis(8)))
    band = base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", title=title), y2="high:Q", detail="level:N")
    line = base.mark_line(point=alt.OverlayMarkDef(size=50)).encode(
        y=y, tooltip=[alt.Tooltip("time:T", format="%-d %b %Y, %H:%M"), "value", "low", "high", "runs"]
    )
    moments = alt.Chart(table[changed]).mark_rule(color="#c0452c", strokeDash=[4, 3]).encode(x="time:T")
    st.altair_chart(alt.layer(band, moments, line), width="stretch")


def _sentence(level: Level, measure: str) -> str:
    moment = local_time(level.created_at)
    before = number_in_words(measure, level.before if level.before is not None else level.value)
    change = f"{before} → {number_in_words(measure, level.value)} (p = {level.chance:.2g})"
    others = ", ".join(plain_words(each, 200) for each in level.changed_with)
    cause = f"With it changed: {others}." if others else "Nothing changed with it that the endpoint reports."
    return f":red[:material/change_circle:] **{moment:%-d %b, %H:%M}** {GAUGES[measure].label} {change}. {cause}"
