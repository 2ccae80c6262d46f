"""The similarity of a sweep's answers to those of its base: the only measure that needs full texts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import streamlit as st

from components.experiments.cell_result import ByPosition
from components.experiments.measures import mean_similarity
from components.experiments.stored_sweep import StoredSweep
from components.experiments.sweep_results import base_row
from components.ui import state
from components.ui.sweep import keys
from components.ui.sweep.sweep_runs import whole_runs

_Known = dict[str, tuple[frozenset[str], float]]
_STEP_S = 0.05


def similarities(sweep_id: str, sweep: StoredSweep, by_position: ByPosition) -> Mapping[str, float]:
    """The similarity of each successful run to the base's other answers to the same input, by the run's id.

    Each is computed once, and again after the base has a new answer. Raises QueryFailed.
    """
    by_run: _Known = state.last_value(keys.SWEEP_SIMILARITIES, sweep_id, dict)
    base_index = base_row(sweep.rows)
    per_row = sweep.inputs_per_row
    scores: dict[str, float] = {}
    for number in range(per_row if base_index is not None else 0):
        base = frozenset(result.id for result in by_position[(base_index or 0) * per_row + number] if result.ended_well)
        ended = [result.id for results in by_position[number::per_row] for result in results if result.ended_well]
        if new := [run_id for run_id in ended if run_id not in by_run or by_run[run_id][0] != base]:
            _compute(sweep, base, new, by_run)
        scores |= {run_id: by_run[run_id][1] for run_id in ended if run_id in by_run}
    return scores


def _compute(sweep: StoredSweep, base: frozenset[str], run_ids: Sequence[str], by_run: _Known) -> None:
    """Read the runs in steps; only the base's texts stay in memory."""
    base_texts = {record.id: record.text for record in whole_runs(sweep, sorted(base))}
    bar, step_ends = st.empty(), time.monotonic() + _STEP_S
    for done, record in enumerate(whole_runs(sweep, run_ids), 1):
        value = mean_similarity(record.text, [text for run_id, text in base_texts.items() if run_id != record.id])
        if value is None:
            by_run.pop(record.id, None)
        else:
            by_run[record.id] = base, value
        if time.monotonic() > step_ends:
            # Lets a click on the page through.
            bar.progress(done / len(run_ids), text="Comparing answers")
            step_ends = time.monotonic() + _STEP_S
    bar.empty()
