"""A sweep as it fills: how far it is, what can be done to it, and its cells or what they say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from components.experiments.experiment import Experiment
from components.runs.query import QueryFailed
from components.runs.run import RunRecord
from components.streaming.outcome import Status
from components.sweeps.results import records_by_row
from components.sweeps.tables import INPUT, ROW, as_csv, long_table, wide_table
from components.ui.plain_words import plain_words
from components.ui.sweeping.cells_view import draw_cells
from components.ui.sweeping.findings_view import draw_findings
from components.ui.sweeping.running import KeptSweep, cells_missing, records_of, run_again, run_missing

_LOOK_AGAIN_S = 1.0
_RATE_FROM = 50
_WIDE_NUMBERS = ("characters", "tokens", "TTFT ms", "tokens/s", "distinct-2")


def draw_sweep(sweep_id: str, kept: KeptSweep, experiment: Experiment | None) -> None:
    """Draw progress, cells and findings; they go on by themselves while the sweep does."""
    going_on = experiment is not None and experiment.going_on
    st.fragment(_draw, run_every=_LOOK_AGAIN_S if going_on else None)(sweep_id, kept, experiment, going_on)


def _draw(sweep_id: str, kept: KeptSweep, experiment: Experiment | None, was_going_on: bool) -> None:
    going_on = experiment is not None and experiment.going_on
    if going_on != was_going_on:
        st.rerun()
    try:
        by_row = records_by_row(records_of(sweep_id, kept, experiment), kept.positions)
    except QueryFailed as failure:
        # What has an answer is not known, so nothing is called missing; what goes on can be stopped all the same.
        st.error(str(failure))
        if going_on and experiment:
            _draw_switches(experiment)
        return
    _draw_progress(sweep_id, kept, by_row, experiment, going_on=going_on)
    if experiment and experiment.paused_why:
        st.warning(plain_words(experiment.paused_why))
    cells, said = st.tabs(["Cells", "What it says"], key="sweep_tabs", on_change="rerun")
    with cells:
        if cells.open:
            draw_cells(sweep_id, kept, by_row, experiment)
    with said:
        if said.open:
            draw_findings(kept, by_row)


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
        # Of the newest ones: what was before a pause may have met another load.
        newest = sorted(ended, key=lambda record: record.finished_at or "")[-_RATE_FROM:]
        mean_s = sum(record.total_ms or 0.0 for record in newest) / len(newest) / 1000
        words += f", about {mean_s * (total - len(ended)) / kept.setup.at_once:,.0f} s left"
    if going_on and experiment and experiment.paused:
        words += " (paused)"
    st.progress(min(len(ended) / total, 1.0), text=words)
    if going_on and experiment:
        _draw_switches(experiment)
    else:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _draw_missing(sweep_id, kept, by_row)
            _draw_whole(sweep_id, kept, by_row)


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


def _draw_whole(sweep_id: str, kept: KeptSweep, by_position: Sequence[Sequence[RunRecord]]) -> None:
    """What can be done to the sweep as a whole."""
    st.button(
        "Run all again",
        key="run_again",
        icon=":material/replay:",
        type="tertiary",
        on_click=run_again,
        args=(sweep_id,),
    )
    for name, make, what in (
        ("long", _long, "One line a cell, with its whole answer."),
        ("wide", _wide, "One line a row, the numbers of its repeats beside each other."),
    ):
        st.download_button(
            f"CSV, {name}",
            partial(make, kept, by_position),
            f"sweep-{sweep_id[:8]}-{name}.csv",
            "text/csv",
            key=f"download_{name}",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            help=what,
        )


def _long(kept: KeptSweep, by_position: Sequence[Sequence[RunRecord]]) -> bytes:
    return as_csv(long_table(kept.setup.fields, kept.rows, kept.inputs, by_position))


def _wide(kept: KeptSweep, by_position: Sequence[Sequence[RunRecord]]) -> bytes:
    table = long_table(kept.setup.fields, kept.rows, kept.inputs, by_position)
    first, *others = (wide_table(table, number) for number in _WIDE_NUMBERS if table[number].notna().any())
    cell = [name for name in (ROW, INPUT) if name in table]
    for other in others:
        first = first.merge(other, on=cell, how="outer", sort=False)
    return as_csv(first)
