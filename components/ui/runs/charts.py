"""Charts of the runs in a view: speed over time, a number by a setting, and outcomes over time."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from components.drafts.in_words import OMITTED
from components.experiments.cases import pass_rate
from components.log.owned import OwnLog
from components.log.record import CHANGED, NUMBERS, OLDER_DEFINITION, SHOWN
from components.log.request_summary import settings_by_field
from components.log.search import measured
from components.log.view import MAX_COUNTED, View
from components.streaming.outcome import Status
from components.ui.runs import keys
from components.ui.user_errors import show_errors
from components.ui.visitor import BY_OWNER, own_log

_OUTCOMES, _PASS_RATE = "outcomes over time", "pass rate"
_NUMBERS = {**{NUMBERS[name].short_title: name for name in SHOWN}, "characters": "characters"}
_COLOURS = {
    Status.OK.value: "#3f8f5f",
    Status.DAMAGED.value: "#8f7f3f",
    Status.INTERRUPTED.value: "#d99a2b",
    Status.ERROR.value: "#c0452c",
    Status.REJECTED.value: "#8c2f4a",
    Status.CANCELLED.value: "#9a9a94",
    Status.LOST.value: "#6b5b95",
    Status.RUNNING.value: "#2f5290",
}
_MAX_VALUES = 30
_FEWEST_POINTS = 3
_MAX_POINTS = 500
_MAX_MODELS = 7
_TREND_HEIGHT = 130
_RENEWED_S = 10.0
_HOURS_UNTIL = pd.Timedelta(days=3)


def time_axis(ticks: int) -> alt.Axis:
    """An axis of times with the hours of the day as everywhere else, from 0 to 23."""
    hours = {"seconds": "%H:%M:%S", "minutes": "%H:%M", "hours": "%H:%M"}
    return alt.Axis(tickCount=ticks, labelOverlap=True, format=hours)


@show_errors()
def draw_trends(view: View) -> None:
    """Draw TTFT and tokens/s over time, a point for each of the newest runs, coloured by model."""
    runs = _newest(own_log(), view) if own_log().database else pd.DataFrame()
    if len(runs) < _FEWEST_POINTS:
        return
    runs = runs.assign(
        model=runs["model"].where(runs["model"].isin(runs["model"].value_counts().index[:_MAX_MODELS]), "others"),
        started=pd.to_datetime(runs["created_at"], utc=True),
    )
    several = runs["model"].nunique() > 1
    legend = alt.Legend(orient="top", labelLimit=200) if several else None
    with st.container(key="runs_trends", horizontal=True, gap="medium"):
        for name in ("ttft_ms", "tokens_per_second"):
            points = runs[["started", "model", name]].dropna().astype({name: float})
            chart = alt.Chart(points, height=_TREND_HEIGHT).mark_circle(size=36, opacity=0.8)
            st.altair_chart(
                chart.encode(
                    x=alt.X("started:T", title=None, axis=time_axis(5)),
                    y=alt.Y(f"{name}:Q", title=NUMBERS[name].short_title, axis=alt.Axis(tickCount=3)),
                    color=alt.Color("model:N", title=None, legend=legend),
                    tooltip=[
                        alt.Tooltip("started:T", format="%-d %b, %H:%M:%S"),
                        "model",
                        alt.Tooltip(f"{name}:Q", title=NUMBERS[name].short_title, format=".1f"),
                    ],
                ),
                width="stretch",
            )


@st.cache_data(ttl=_RENEWED_S, show_spinner=False, max_entries=50, hash_funcs=BY_OWNER)
def _newest(log: OwnLog, view: View) -> pd.DataFrame:
    return measured(log.readable, view, limit=_MAX_POINTS)


@show_errors()
def draw_charts(view: View) -> None:
    """Draw the charts, once they are opened."""
    opened = st.expander("More charts", icon=":material/bar_chart:", key=keys.CHARTS, on_change="rerun")
    database = own_log().database
    if not opened.open or database is None:
        return
    with opened:
        runs = measured(database, view)
        if runs.empty:
            st.caption("No matching runs.")
            return
        sent = settings_of(runs)
        with st.container(horizontal=True, gap="small"):
            number = st.selectbox("Chart of", [*_NUMBERS, _PASS_RATE, _OUTCOMES], key=keys.CHART_OF, width=220)
            settings_ = ["endpoint", "model", *sent.columns]
            setting = st.selectbox("By", settings_, key=keys.CHART_BY, width=220, disabled=number == _OUTCOMES)
        values = sent[setting] if setting in sent else runs[setting]
        if number == _OUTCOMES:
            _draw_outcomes(runs)
        elif number == _PASS_RATE:
            _draw_pass_rates(setting, pass_rates(runs, values))
        else:
            _draw_number(number, setting, spread(runs, values, _NUMBERS[number]))
            _draw_older(runs, _NUMBERS[number])
        if len(runs) == MAX_COUNTED:
            st.caption(f"Of the newest {MAX_COUNTED:,} runs.")


def settings_of(runs: pd.DataFrame) -> pd.DataFrame:
    """A column for each setting that any run sent, with its value in words, or ``omitted``.

    1.0 and 1 are the same value.
    """
    lines = [
        {field: value.removesuffix(".0") for field, value in settings_by_field(settings).items() if field}
        for settings in runs["settings"]
    ]
    return pd.DataFrame(lines, index=runs.index).fillna(OMITTED)


def spread(runs: pd.DataFrame, values: pd.Series, number: str) -> pd.DataFrame:
    """Count and quartiles of a number over successful runs, for each of the 30 most frequent values.

    ``low`` and ``high`` are the first and third quartile. Numeric values come last, in ascending order.
    """
    frame = pd.DataFrame({"value": values, number: runs[number].astype(float)})[runs["status"] == Status.OK.value]
    groups = frame.dropna().groupby("value")[number]
    quarters = {name: groups.quantile(part) for name, part in (("low", 0.25), ("median", 0.5), ("high", 0.75))}
    return _most_frequent(pd.DataFrame({**quarters, "runs": groups.count()}).reset_index())


def pass_rates(runs: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    """Pass rate with its 95 % interval and the count of checked runs, for each of the 30 most frequent values."""
    frame = pd.DataFrame({"value": values, "passed": runs["passed"]}).dropna()
    rows = []
    for value, passed in frame.groupby("value")["passed"]:
        rate = pass_rate(int(passed.sum()), len(passed))
        rows.append({"value": value, "low": rate.low, "rate": rate.rate, "high": rate.high, "runs": rate.count})
    return _most_frequent(pd.DataFrame(rows, columns=["value", "low", "rate", "high", "runs"]))


def _most_frequent(table: pd.DataFrame) -> pd.DataFrame:
    table = table.nlargest(_MAX_VALUES, "runs")
    numbers = pd.to_numeric(table["value"], errors="coerce")
    return table.assign(order=numbers).sort_values(["order", "value"], na_position="first").drop(columns="order")


def outcomes(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of each endpoint and status per hour, or per day over a longer period."""
    began = pd.to_datetime(runs["created_at"], utc=True)
    step = "h" if began.max() - began.min() < _HOURS_UNTIL else "D"
    frame = pd.DataFrame({"began": began.dt.floor(step), "endpoint": runs["endpoint"], "status": runs["status"]})
    return frame.value_counts().rename("runs").reset_index().sort_values("began")


def _draw_number(of: str, by: str, table: pd.DataFrame) -> None:
    if table.empty:
        st.caption("No successful run has this number.")
        return
    name = _NUMBERS[of]
    definition = f"{NUMBERS[name].label}: {NUMBERS[name].definition}" if name in NUMBERS else ""
    low = alt.Y("low:Q", title=of, scale=alt.Scale(zero=False))
    _draw_spread(by, table, low, alt.Y("median:Q", title=of), ["value", "low", "median", "high", "runs"])
    st.caption(
        "The line is the median; the bar has the middle half of the runs. Only successful runs, "
        f"{table['runs'].sum():,} of them. {definition}"
    )
    _draw_table(table)


def _draw_pass_rates(by: str, table: pd.DataFrame) -> None:
    if table.empty:
        st.caption("No run of this view was checked. Select runs and press Run checks.")
        return
    low = alt.Y("low:Q", title="pass rate", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%"))
    shares = (alt.Tooltip(name, format=".0%") for name in ("low", "rate", "high"))
    _draw_spread(by, table, low, alt.Y("rate:Q"), ["value", *shares, "runs"])
    st.caption(
        f"The line is the share of answers that pass their checks, of {table['runs'].sum():,} that were checked; "
        "the bar is its 95 % interval (Wilson)."
    )
    _draw_table(table)


def _draw_spread(by: str, table: pd.DataFrame, low: alt.Y, middle: alt.Y, tooltip: list[str | alt.Tooltip]) -> None:
    """Draw a line at the middle of each value, and a bar from its low to its high."""
    base = alt.Chart(table, height=320).encode(
        x=alt.X("value:N", sort=None, title=by.replace("_", " "), axis=alt.Axis(labelAngle=-30, labelLimit=220)),
        tooltip=tooltip,
    )
    between = base.mark_bar(size=10, opacity=0.35).encode(y=low, y2="high:Q")
    st.altair_chart(alt.layer(between, base.mark_tick(thickness=3, size=26).encode(y=middle)))


def _draw_older(runs: pd.DataFrame, number: str) -> None:
    older = runs["rate_basis"].isna() & runs[number].notna() & (runs["status"] == Status.OK.value)
    if number in CHANGED and older.any():
        st.caption(f":orange[Not comparable with the others: {older.sum():,} of these runs.] {OLDER_DEFINITION}")


def _draw_outcomes(runs: pd.DataFrame) -> None:
    table = outcomes(runs)
    period = [table["began"].min().isoformat(), table["began"].max().isoformat()]
    seen = [status for status in _COLOURS if status in set(table["status"])]
    colours = alt.Scale(domain=seen, range=[_COLOURS[status] for status in seen])
    # A chart for each: the rows of one chart would not fill the page's width.
    for endpoint, part in table.groupby("endpoint"):
        bars = alt.Chart(part, height=190, title=str(endpoint)).mark_bar(size=10)
        st.altair_chart(
            bars.encode(
                x=alt.X("began:T", title=None, axis=time_axis(8), scale=alt.Scale(domain=period, padding=12)),
                y=alt.Y("runs:Q", title="runs"),
                color=alt.Color("status:N", title=None, scale=colours, legend=alt.Legend(orient="bottom")),
                tooltip=["began", "endpoint", "status", "runs"],
            )
        )
    _draw_table(table)


def _draw_table(table: pd.DataFrame) -> None:
    with st.expander("Data", key="chart_table"):
        st.dataframe(table, hide_index=True)
