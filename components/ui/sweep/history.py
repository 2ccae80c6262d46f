"""The history of sweeps."""

from __future__ import annotations

import streamlit as st

from components.drafts.draft import Draft
from components.experiments.store import SWEEP, StoredExperiment
from components.experiments.stored_sweep import StoredSweep, read_sweep
from components.ui import state
from components.ui.experiment_file import rules_form
from components.ui.form import draft_form
from components.ui.history import draw_earlier
from components.ui.sweep import keys, running, setup_form


def draw_earlier_sweeps() -> None:
    """Draw the sweeps in a popover; each opens with its plan and cells."""
    draw_earlier(SWEEP, _read, _open)


def put_sweep(sweep: StoredSweep) -> None:
    """Put a sweep into the form, and fold its set-up."""
    st.session_state[keys.SETUP_FOLDED] = True
    draft_form.fill(sweep.draft, "sweep opened")
    setup_form.put(sweep.setup)
    rules_form.put(sweep.rules)


def _read(stored: StoredExperiment) -> tuple[Draft, str] | None:
    sweep = read_sweep(stored)
    return (sweep.draft, f"{', '.join(sweep.setup.fields)}, {len(sweep.rows):,} rows") if sweep else None


def _open(sweep_id: str, _draft: Draft) -> None:
    if sweep := running.stored_sweep(sweep_id):
        put_sweep(sweep)
        state.show_experiment(state.SWEEP, sweep_id)
