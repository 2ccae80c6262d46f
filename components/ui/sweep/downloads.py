"""Downloads of a sweep: files that are made on request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from components.experiments.cell_result import CellResult
from components.experiments.kept_sweep import KeptSweep
from components.experiments.measures import SweepMeasure
from components.experiments.sweep_tables import ANSWER, DIGEST, POSITION, RUN, as_csv, long_table, wide_table
from components.ui.sweep.sweep_runs import whole_runs

_LINES_AT_ONCE = 200


def draw_long_download(sweep_id: str, kept: KeptSweep, by_position: Sequence[Sequence[CellResult]]) -> None:
    """Draw the button for one line per cell, with all its numbers and its full answer."""
    _draw(sweep_id, "long", partial(long_csv, kept, by_position), "One line per cell, with its whole answer.")


def draw_wide_download(sweep_id: str, kept: KeptSweep, measure: SweepMeasure, measures: pd.DataFrame) -> None:
    """Draw the button for one line per row of the plan. ``measures`` is a result of ``measured``."""
    what = f"One line per row, with the {measure.label} of each repeat in its own column."
    _draw(sweep_id, "wide", lambda: as_csv(wide_table(measures, len(kept.inputs))), what)


def long_csv(kept: KeptSweep, by_position: Sequence[Sequence[CellResult]]) -> bytes:
    """One line per cell, with its full answer, or the beginning when the log no longer has it. Raises QueryFailed."""
    table = long_table(kept.setup.fields, kept.rows, kept.inputs, by_position).drop(columns=[DIGEST, POSITION])
    parts = [as_csv(table[:0])]
    for begin in range(0, len(table), _LINES_AT_ONCE):
        part = table[begin : begin + _LINES_AT_ONCE]
        texts = {record.id: record.text for records in whole_runs(kept, list(part[RUN])) for record in records}
        answers = [texts.get(run_id, beginning) for run_id, beginning in zip(part[RUN], part[ANSWER], strict=True)]
        parts.append(as_csv(part.assign(**{ANSWER: answers}), with_names=False))
    return b"".join(parts)


def _draw(sweep_id: str, name: str, make: Callable[[], bytes], what: str) -> None:
    st.download_button(
        f"CSV, {name}",
        make,
        f"sweep-{sweep_id[:8]}-{name}.csv",
        "text/csv",
        key=f"download_{name}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help=what,
    )
