"""The cells of a sweep as a grid, one axis across and one down: the spread of a measure and the newest answer."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from components.experiments.axes import BASE
from components.experiments.cell_result import ByPosition, CellResult
from components.experiments.measures import SweepMeasure
from components.experiments.stored_sweep import StoredSweep
from components.experiments.sweep_results import join_inputs, values_of
from components.ui.answer.own_html import draw_marked
from components.ui.plain_words import plain_words

_MAX_CELLS = 200
"""Above this number, the list of runs is read more easily than a grid."""
_SHADES = 4


def draw_cell_grid(
    sweep: StoredSweep, by_position: ByPosition, measure: SweepMeasure, scores: Mapping[str, float]
) -> None:
    """Draw the grid of the first two axes; nothing where it would have too many cells."""
    across, *down = sweep.setup.fields[:2]
    columns = list(dict.fromkeys(row.get(across, BASE) for row in sweep.rows))
    lines = list(dict.fromkeys(row.get(down[0], BASE) for row in sweep.rows)) if down else [""]
    if len(columns) * len(lines) > _MAX_CELLS:
        return
    cells: dict[tuple[str, str], list[CellResult]] = {}
    for row, results in zip(sweep.rows, join_inputs(by_position, sweep.inputs_per_row), strict=False):
        cell = row.get(across, BASE), row.get(down[0], BASE) if down else ""
        cells.setdefault(cell, []).extend(results)
    spreads = {cell: sorted(values_of(measure, results, scores)) for cell, results in cells.items()}
    medians = {cell: statistics.median(values) for cell, values in spreads.items() if values}
    expected = sweep.setup.repeats * sweep.inputs_per_row
    corner = f"{down[0]} \\ {across}" if down else across
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        f"<tr><th>{escape(line) or 'runs'}</th>"
        + "".join(
            _cell(cells.get(cell, []), spreads.get(cell, []), expected, _shade(medians, cell))
            for cell in ((column, line) for column in columns)
        )
        + "</tr>"
        for line in lines
    )
    draw_marked(
        f'<div class="cell-grid" tabindex="0"><table><thead><tr><th>{escape(corner)}</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
    unit = f", {measure.unit}" if measure.unit not in ("", measure.label) else ""
    measure_words = plain_words(f"{measure.label}{unit}")
    st.caption(f"In each cell: the median {measure_words}, its range, and the start of the newest answer.")


def _cell(results: Sequence[CellResult], spread: Sequence[float], expected: int, shade: int) -> str:
    if not results:
        return "<td></td>"
    ended = sum(not result.running for result in results)
    newest = max(results, key=lambda result: result.created_at)
    text = newest.beginning or newest.error_message or newest.status_words
    parts = [f"<b>{statistics.median(spread):.4g}</b>" if spread else "<b>–</b>"]
    if len(spread) > 1 and spread[0] != spread[-1]:
        parts.append(f"<i>{spread[0]:.4g} to {spread[-1]:.4g}</i>")
    if ended < expected:
        parts.append(f"<i>{ended} of {expected}</i>")
    return f'<td class="shade-{shade}"><div>{" ".join(parts)}</div><div class="newest">{escape(text)}</div></td>'


def _shade(medians: Mapping[tuple[str, str], float], place: tuple[str, str]) -> int:
    """How high the median of a cell is among all, from 0 to ``_SHADES``."""
    low, high = min(medians.values(), default=0.0), max(medians.values(), default=0.0)
    return round((medians[place] - low) / (high - low) * _SHADES) if place in medians and high > low else 0
