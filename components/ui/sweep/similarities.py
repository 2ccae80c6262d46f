"""The similarity of a sweep's answers to those of its base: the only measure that needs full texts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import streamlit as st

from components.experiments.cell_result import CellResult
from components.experiments.kept_sweep import KeptSweep
from components.experiments.measures import mean_similarity
from components.experiments.sweep_results import base_row
from components.ui.sweep import keys
from components.ui.sweep.sweep_runs import whole_runs

_Known = dict[str, tuple[frozenset[str], float]]
_STEP_S = 0.05


def similarities(sweep_id: str, kept: KeptSweep, by_position: Sequence[Sequence[CellResult]]) -> Mapping[str, float]:
    """The similarity of each successful run to the base's other answers to the same input, by the run's id.

    Each is computed once, and again after the base has a new answer. Raises QueryFailed.
    """
    held: tuple[str, _Known] | None = st.session_state.get(keys.SWEEP_SIMILARITIES)
    known: _Known = held[1] if held and held[0] == sweep_id else {}
    st.session_state[keys.SWEEP_SIMILARITIES] = sweep_id, known
    place = base_row(kept.rows)
    several = max(len(kept.inputs), 1)
    alike: dict[str, float] = {}
    for number in range(several if place is not None else 0):
        base = frozenset(result.id for result in by_position[(place or 0) * several + number] if result.ended_well)
        asked = [result.id for results in by_position[number::several] for result in results if result.ended_well]
        if new := [run_id for run_id in asked if run_id not in known or known[run_id][0] != base]:
            _compute(kept, base, new, known)
        alike |= {run_id: known[run_id][1] for run_id in asked if run_id in known}
    return alike


def _compute(kept: KeptSweep, base: frozenset[str], run_ids: Sequence[str], known: _Known) -> None:
    """Read the runs in steps; only the base's texts stay in memory."""
    base_texts = {record.id: record.text for records in whole_runs(kept, sorted(base)) for record in records}
    bar, done, step_ends = st.empty(), 0, time.monotonic() + _STEP_S
    for records in whole_runs(kept, run_ids):
        for record in records:
            value = mean_similarity(record.text, [text for run_id, text in base_texts.items() if run_id != record.id])
            if value is None:
                known.pop(record.id, None)
            else:
                known[record.id] = base, value
            done += 1
            if time.monotonic() > step_ends:
                # Lets a click on the page through.
                bar.progress(done / len(run_ids), text="Comparing answers")
                step_ends = time.monotonic() + _STEP_S
    bar.empty()
