"""Downloads of a sweep: files that are made on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pandas as pd
import streamlit as st

from components.experiments.cell_result import ByPosition
from components.experiments.measures import SweepMeasure
from components.experiments.stored_sweep import StoredSweep
from components.experiments.sweep_tables import ANSWER, DIGEST, POSITION, RUN, as_csv, long_table, wide_table
from components.ui.choices import draw_file_button
from components.ui.sweep.sweep_runs import whole_runs

_LINES_AT_ONCE = 200


def draw_downloads(sweep_id: str, sweep: StoredSweep, by_position: ByPosition) -> None:
    """Draw the menu of files with one line per run, with all its numbers and its full answer."""
    with st.popover("Export", key="export_sweep", type="tertiary", icon=":material/download:", width="content"):
        what = "One line per run, with its whole answer."
        for name, (label, ending, kind, _write) in _LONG.items():
            make = partial(long_file, name, sweep, by_position)
            draw_file_button(label, f"download_{name}", make, f"sweep-{sweep_id[:8]}-{name}.{ending}", kind, what)


def draw_wide_download(sweep_id: str, sweep: StoredSweep, measure: SweepMeasure, measures: pd.DataFrame) -> None:
    """Draw the button for one line per row of the plan. ``measures`` is a result of ``measured``."""

    def make() -> bytes:
        return as_csv(wide_table(measures, len(sweep.inputs)))

    what = f"One line per row, with the {measure.label} of each repeat in its own column."
    draw_file_button("CSV (wide)", "download_wide", make, f"sweep-{sweep_id[:8]}-wide.csv", "text/csv", what)


def long_file(name: str, sweep: StoredSweep, by_position: ByPosition) -> bytes:
    """One line per run, with its full answer, or the beginning when the log no longer has it. Raises QueryFailed.

    ``name`` is that of a format in ``_LONG``.
    """
    *_kind, write = _LONG[name]
    return write(_parts(sweep, by_position))


def _parts(sweep: StoredSweep, by_position: ByPosition) -> Iterator[pd.DataFrame]:
    """The table in parts with full answers; the first has the columns only."""
    table = long_table(sweep, by_position).drop(columns=[DIGEST, POSITION])
    yield table[:0]
    for begin in range(0, len(table), _LINES_AT_ONCE):
        part = table[begin : begin + _LINES_AT_ONCE]
        texts = {record.id: record.text for record in whole_runs(sweep, list(part[RUN]))}
        answers = [texts.get(run_id, beginning) for run_id, beginning in zip(part[RUN], part[ANSWER], strict=True)]
        yield part.assign(**{ANSWER: answers})


def _as_csv(parts: Iterator[pd.DataFrame]) -> bytes:
    return b"".join(as_csv(part, with_names=number == 0) for number, part in enumerate(parts))


def _as_json_lines(parts: Iterator[pd.DataFrame]) -> bytes:
    return b"".join(part.to_json(orient="records", lines=True, force_ascii=False).encode() for part in parts)


def _as_parquet(parts: Iterator[pd.DataFrame]) -> bytes:
    first, *others = parts
    content: bytes = pd.concat(others or [first]).convert_dtypes().to_parquet(index=False)
    return content


_LONG: dict[str, tuple[str, str, str, Callable[[Iterator[pd.DataFrame]], bytes]]] = {
    "long": ("CSV (long)", "csv", "text/csv", _as_csv),
    "lines": ("JSON Lines", "jsonl", "application/jsonl", _as_json_lines),
    "parquet": ("Parquet", "parquet", "application/vnd.apache.parquet", _as_parquet),
}
