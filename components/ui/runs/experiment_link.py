"""The link from a run to its comparison or sweep."""

from __future__ import annotations

import streamlit as st

from components.experiments.store import COMPARISON, SWEEP, find_experiment
from components.log.record import RunRecord
from components.ui import state
from components.ui.user_errors import show_errors
from components.ui.visitor import own_log

_PAGES = {
    COMPARISON: ("compare.py", "Open its comparison", ":material/view_column:"),
    SWEEP: ("sweep.py", "Open its sweep", ":material/grid_on:"),
}


@show_errors()
def draw_experiment_link(record: RunRecord) -> None:
    """Draw the link to the run's comparison or sweep; nothing for a single run."""
    database = own_log().database
    if record.experiment_id is None or database is None:
        return
    experiment = find_experiment(database, record.experiment_id)
    if experiment and experiment.kind in _PAGES:
        page, label, icon = _PAGES[experiment.kind]
        st.page_link(page, label=label, icon=icon, query_params={state.OPEN_PARAMETER: experiment.id})
