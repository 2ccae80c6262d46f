"""A running sweep: its progress, its actions, and its cells or results."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from heapq import nlargest

import streamlit as st

from components.experiments.cell_result import ByPosition
from components.experiments.experiment import Experiment
from components.experiments.measures import SIMILARITY
from components.experiments.stored_sweep import StoredSweep
from components.ui import presses
from components.ui.choices import draw_action
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
from components.ui.user_errors import show_errors

RESULTS = "Results"
_REFRESH_S = 1.0
_RATE_FROM = 50


def draw_sweep(sweep_id: str, sweep: StoredSweep, experiment: Experiment | None) -> None:
    """Draw progress, cells and results; they update by themselves while the sweep runs."""
    active = experiment is not None and experiment.active
    st.fragment(_draw_held, run_every=_REFRESH_S if active else None)(sweep_id, sweep, experiment, active)


def _draw_held(sweep_id: str, sweep: StoredSweep, experiment: Experiment | None, was_active: bool) -> None:
    presses.act()
    with experiment.held_back() if experiment and was_active else nullcontext():
        _draw(sweep_id, sweep, experiment, was_active)


def _draw(sweep_id: str, sweep: StoredSweep, experiment: Experiment | None, was_active: bool) -> None:
    active = experiment if experiment and experiment.active else None
    if bool(active) != was_active:
        st.rerun()
    by_position = None
    with show_errors():
        by_position = results_of(sweep_id, sweep, experiment)
    if by_position is None:
        # The cells with answers are unknown here, so none is called missing; running cells can still be stopped.
        if active:
            _draw_switches(active)
        return
    _draw_progress(sweep_id, sweep, by_position, active)
    if experiment and experiment.paused_why:
        st.warning(plain_words(experiment.paused_why))
    measure = chosen_measure()
    scores: Mapping[str, float] = {}
    with st.container(), show_errors():
        if measure is SIMILARITY:
            scores = similarities(sweep_id, sweep, by_position)
    draw_sentences(sweep, by_position, measure, scores)
    cells_tab, results_tab = st.tabs(["Runs", RESULTS], key=keys.SWEEP_TABS, on_change="rerun")
    with cells_tab:
        if cells_tab.open:
            draw_cell_grid(sweep, by_position, measure, scores)
            draw_cells(sweep_id, sweep, by_position, experiment)
    with results_tab:
        if results_tab.open:
            draw_findings(sweep_id, sweep, by_position)


def _draw_progress(sweep_id: str, sweep: StoredSweep, by_position: ByPosition, active: Experiment | None) -> None:
    """Draw how many runs have ended, and the actions; ``active`` is the experiment while it makes runs."""
    total = sweep.positions * sweep.setup.repeats
    ended = [result for results in by_position for result in results if not result.running]
    failed = [result for result in ended if not result.ended_well]
    words = f"{len(ended):,} of {total:,} runs ended" + (f", {len(failed):,} failed" if failed else "")
    # Reused answers took no time here.
    timed = [result for result in ended if result.timed["total_ms"] is not None]
    if active and timed:
        # Of the newest ones: the load may have been different before a pause.
        newest = nlargest(_RATE_FROM, timed, key=lambda result: result.finished_at or "")
        mean_s = sum(result.timed["total_ms"] or 0.0 for result in newest) / len(newest) / 1000
        words += f", about {time_in_words(mean_s * (total - len(ended)) / sweep.setup.at_once)} left"
    if active and active.paused:
        words += " (paused)"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sweep_progress"):
        st.progress(min(len(ended) / total, 1.0), text=words)
        if active:
            _draw_switches(active)
        else:
            _draw_missing(sweep_id, sweep, by_position)
            draw_action("Run all again", "run_again", ":material/replay:", run_again, sweep)
        draw_downloads(sweep_id, sweep, by_position)


def _draw_switches(experiment: Experiment) -> None:
    if notice := experiment.made_elsewhere:
        st.caption(notice, width="content")
    if experiment.paused:
        st.button("Resume", key="resume_sweep", icon=":material/play_arrow:", on_click=experiment.resume)
    else:
        st.button("Pause", key="pause_sweep", icon=":material/pause:", on_click=experiment.pause)
    st.button("Stop", key="stop_sweep", icon=":material/stop:", on_click=experiment.stop)


def _draw_missing(sweep_id: str, sweep: StoredSweep, by_position: ByPosition) -> None:
    missing, refused = missing_and_refused(sweep, by_position)
    if missing:
        st.button(
            f"Run the missing {missing:,}",
            key="run_missing",
            icon=":material/play_arrow:",
            on_click=presses.soon(run_missing_cells, sweep_id, sweep),
        )
    if refused:
        first = refused[0]
        rest = f", and {len(refused) - 1:,} more" if len(refused) > 1 else ""
        sentence = plain_words(f"Not sent: row {first.number}{rest}. {first.problem}")
        st.markdown(f":orange[:material/warning: :small[{sentence}]]", width="content")
