"""Charts of a sweep. Column names are replaced, because Vega-Lite reads dots and brackets in them as a path."""

from __future__ import annotations

import altair as alt
import pandas as pd

from components.experiments.axes import BASE
from components.experiments.measures import SweepMeasure
from components.experiments.sweep_tables import ROW, VALUE

MAX_POINTS = 1_000
"""Above this number, a line shows the range of each value: points would overlap and slow the browser down."""
_MAX_LEVEL_CHARACTERS = 110
"""The length of labels that fit side by side; longer ones are slanted."""


def points(table: pd.DataFrame, across: str, measure: SweepMeasure) -> alt.LayerChart:
    """A point for each answer, a line at each median, and a band for the repeats of the base.

    Above ``MAX_POINTS`` answers, a line from the lowest to the highest answer replaces the points of each value.

    ``table`` is a result of ``measured``, and ``across`` one of its columns.
    """
    return _layers(table, pd.DataFrame({"at": table[across], VALUE: table[VALUE]}), measure).properties(height=320)


def small_multiples(table: pd.DataFrame, across: str, down: str, measure: SweepMeasure) -> alt.FacetChart:
    """A small chart like ``points`` for each value of the column ``down``, all with the same scale."""
    shown = pd.DataFrame({"at": table[across], "down": table[down], VALUE: table[VALUE]})
    layers = _layers(table, shown, measure).properties(width=220, height=160)
    return layers.facet(facet=alt.Facet("down:N", sort=None, title=down), columns=3)


def heat_map(table: pd.DataFrame, across: str, down: str, measure: SweepMeasure) -> alt.LayerChart | alt.FacetChart:
    """The median for each pair of values; the tooltip has the range and the number of answers."""
    spread = table.groupby([across, down], sort=False)[VALUE].agg(["median", "min", "max", "count"]).reset_index()
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
    return alt.layer(fields, words).properties(height=90 + 48 * shown["down"].nunique())


def finish_reason_bars(counts: pd.DataFrame) -> alt.Chart:
    """A bar for each row, split by finish reason, from a table with these columns and ``answers``."""
    x = alt.X("row:N", sort=None, title=None, axis=_labels(counts["row"]))
    bars: alt.Chart = (
        alt.Chart(counts, height=320)
        .mark_bar()
        .encode(x=x, y="answers:Q", color="finish reason:N", tooltip=list(counts))
    )
    return bars


def _layers(table: pd.DataFrame, shown: pd.DataFrame, measure: SweepMeasure) -> alt.LayerChart:
    title = _title(measure)
    base = table.loc[table[ROW] == BASE, VALUE]
    x = alt.X("at:N", sort=None, title=None, axis=_labels(shown["at"]))
    y = alt.Y(f"{VALUE}:Q", title=title, scale=alt.Scale(zero=False))
    if few := len(shown) <= MAX_POINTS:
        data = shown
    else:
        places = [name for name in shown if name != VALUE]
        data = shown.groupby(places, sort=False)[VALUE].agg(["median", "min", "max"]).reset_index()
        data = data.rename(columns={"median": VALUE, "min": "lowest", "max": "highest"})
    # All layers share their data, as a facet requires.
    drawn = alt.Chart(data.assign(low=base.min(), high=base.max()))
    if few:
        answers = drawn.mark_point(filled=True, size=50, opacity=0.7).encode(x=x, y=y, tooltip=["at:N", f"{VALUE}:Q"])
    else:
        lowest = alt.Y("lowest:Q", title=title, scale=alt.Scale(zero=False))
        tooltip = ["at:N", f"{VALUE}:Q", "lowest:Q", "highest:Q"]
        answers = drawn.mark_rule(strokeWidth=2, opacity=0.5).encode(x=x, y=lowest, y2="highest:Q", tooltip=tooltip)
    middle = drawn.mark_tick(thickness=2, size=30 if few else 8).encode(x=x, y=alt.Y(f"median({VALUE}):Q", title=title))
    layers = [answers, middle]
    if not base.empty:
        low, high = alt.Y("min(low):Q", title=title), alt.Y2("max(high):Q")
        layers.insert(0, drawn.mark_rect(opacity=0.15).encode(y=low, y2=high))
    return alt.LayerChart(layer=layers)


def _labels(words: pd.Series) -> alt.Axis:
    level = words.drop_duplicates().str.len().add(2).sum() <= _MAX_LEVEL_CHARACTERS
    return alt.Axis(labelAngle=0 if level else -30, labelLimit=220)


def _title(measure: SweepMeasure) -> str:
    return measure.label if measure.unit in ("", measure.label) else f"{measure.label}, {measure.unit}"
