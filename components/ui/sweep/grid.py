"""A running sweep: its progress, its actions, and its cells or results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from heapq import nlargest

import streamlit as st

from components.experiments.cell_result import CellResult
from components.experiments.experiment import Experiment
from components.experiments.kept_sweep import KeptSweep
from components.experiments.measures import SIMILARITY
from components.ui import presses
from components.ui.plain_words import plain_words
from components.ui.sweep import keys
from components.ui.sweep.cell_grid import draw_cell_grid
from components.ui.sweep.cells_view import draw_cells
from components.ui.sweep.cost_view import time_in_words
from components.ui.sweep.downloads import draw_downloads
from components.ui.sweep.findings_view import chosen_measure, draw_findings, draw_sentences
from components.ui.sweep.running import run_again
from components.ui.sweep.similarities import similarities
from components.ui.sweep.sweep_runs import missing_and_refused, results_of, run_missing_cells
from components.ui.user_errors import shown

RESULTS = "Results"
_LOOK_AGAIN_S = 1.0
_RATE_FROM = 50


def draw_sweep(sweep_id: str, kept: KeptSweep, experiment: Experiment | None) -> None:
    """Draw progress, cells and results; they update by themselves while the sweep runs."""
    going_on = experiment is not None and experiment.going_on
    st.fragment(_draw_held, run_every=_LOOK_AGAIN_S if going_on else None)(sweep_id, kept, experiment, going_on)


def _draw_held(sweep_id: str, kept: KeptSweep, experiment: Experiment | None, was_going_on: bool) -> None:
    presses.act()
    with experiment.held_back() if experiment and was_going_on else nullcontext():
        _draw(sweep_id, kept, experiment, was_going_on)


def _draw(sweep_id: str, kept: KeptSweep, experiment: Experiment | None, was_going_on: bool) -> None:
    going_on = experiment is not None and experiment.going_on
    if going_on != was_going_on:
        st.rerun()
    by_position = None
    with shown():
        by_position = results_of(sweep_id, kept, experiment)
    if by_position is None:
        # The cells with answers are unknown here, so none is called missing; running cells can still be stopped.
        if going_on and experiment:
            _draw_switches(experiment)
        return
    _draw_progress(sweep_id, kept, by_position, experiment, going_on=going_on)
    if experiment and experiment.paused_why:
        st.warning(plain_words(experiment.paused_why))
    measure = chosen_measure()
    alike: Mapping[str, float] = {}
    with st.container(), shown():
        if measure is SIMILARITY:
            alike = similarities(sweep_id, kept, by_position)
    draw_sentences(kept, by_position, measure, alike)
    cells, said = st.tabs(["Runs", RESULTS], key=keys.SWEEP_TABS, on_change="rerun")
    with cells:
        if cells.open:
            draw_cell_grid(kept, by_position, measure, alike)
            draw_cells(sweep_id, kept, by_position, experiment)
    with said:
        if said.open:
            draw_findings(sweep_id, kept, by_position)


def _draw_progress(
    sweep_id: str,
    kept: KeptSweep,
    by_position: Sequence[Sequence[CellResult]],
    experiment: Experiment | None,
    *,
    going_on: bool,
) -> None:
    total = kept.positions * kept.setup.repeats
    ended = [result for results in by_position for result in results if not result.running]
    failed = [result for result in ended if not result.ended_well]
    words = f"{len(ended):,} of {total:,} runs ended" + (f", {len(failed):,} failed" if failed else "")
    # Reused answers took no time here.
    timed = [result for result in ended if result.timed["total_ms"] is not None]
    if going_on and timed:
        # Of the newest ones: the load may have been different before a pause.
        newest = nlargest(_RATE_FROM, timed, key=lambda result: result.finished_at or "")
        mean_s = sum(result.timed["total_ms"] or 0.0 for result in newest) / len(newest) / 1000
        words += f", about {time_in_words(mean_s * (total - len(ended)) / kept.setup.at_once)} left"
    if going_on and experiment and experiment.paused:
        words += " (paused)"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sweep_progress"):
        st.progress(min(len(ended) / total, 1.0), text=words)
        if going_on and experiment:
            _draw_switches(experiment)
        else:
            _draw_missing(sweep_id, kept, by_position)
            st.button(
                "Run all again",
                key="run_again",
                icon=":material/replay:",
                type="tertiary",
                on_click=presses.soon(run_again, sweep_id),
            )
        draw_downloads(sweep_id, kept, by_position)


def _draw_switches(experiment: Experiment) -> None:
    if elsewhere := experiment.made_elsewhere:
        st.caption(elsewhere, width="content")
    if experiment.paused:
        st.button("Resume", key="resume_sweep", icon=":material/play_arrow:", on_click=experiment.resume)
    else:
        st.button("Pause", key="pause_sweep", icon=":material/pause:", on_click=experiment.pause)
    st.button("Stop", key="stop_sweep", icon=":material/stop:", on_click=experiment.stop)


def _draw_missing(sweep_id: str, kept: KeptSweep, by_position: Sequence[Sequence[CellResult]]) -> None:
    missing, refused = missing_and_refused(kept, by_position)
    if missing:
        st.button(
            f"Run the missing {missing:,}",
            key="run_missing",
            icon=":material/play_arrow:",
            on_click=presses.soon(run_missing_cells, sweep_id),
        )
    if refused:
        first = refused[0]
        others = f", and {len(refused) - 1:,} more" if len(refused) > 1 else ""
        why = plain_words(f"Not sent: row {first.number}{others}. {first.problem}")
        st.markdown(f":orange[:material/warning: :small[{why}]]", width="content")
