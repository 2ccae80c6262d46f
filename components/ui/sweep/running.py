"""Starts, pauses, stops and finds sweeps for the session of a page."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace

import streamlit as st

from components.drafts.draft import Draft
from components.drafts.side_by_side import side_by_side
from components.experiments.axes import with_values
from components.experiments.cells import RowRequest, cells_of, row_requests
from components.experiments.data_set import with_input
from components.experiments.experiment import Experiment
from components.experiments.kept_sweep import KeptSweep, read_sweep, sweep_content, sweep_run
from components.experiments.reuse import Reused, reusable
from components.experiments.run_order import Cell, with_checks
from components.experiments.store import SWEEP, find_experiment, save_experiment
from components.log.owned import OwnLog
from components.log.query import QueryFailed, answers_to
from components.server.process import service
from components.ui import state
from components.ui.available_endpoints import available_endpoints
from components.ui.form import draft_form
from components.ui.form.endpoint_choice import model_cards
from components.ui.sweep import keys
from components.ui.visitor import BY_OWNER, network, own_log, owner

_NEWEST_RUNS = 5_000
"""The number of newest runs that are searched for identical requests."""
_order = random.Random()  # noqa: S311 - an order, no secret


def experiment_of(sweep_id: str | None) -> Experiment | None:
    """The runs of the sweep in this process."""
    return service().experiments.find(sweep_id, owner()) if sweep_id else None


def kept_sweep(sweep_id: str | None) -> KeptSweep | None:
    """The sweep in the log, or None, also when a later version wrote it. Raises QueryFailed."""
    known: tuple[str, KeptSweep] | None = st.session_state.get(keys.KEPT_SWEEP)
    if known and known[0] == sweep_id:
        return known[1]
    database = own_log().database
    kept = find_experiment(database, sweep_id) if database and sweep_id else None
    return read_sweep(kept) if kept and kept.kind == SWEEP else None


def answers_in_log(requests: Iterable[RowRequest], repeats: int) -> Reused:
    """The cells with an answer among the newest runs in the log."""
    endpoints = {request.endpoint.name for request in requests if request.endpoint}
    return reusable(requests, repeats, {endpoint: _answers_to(own_log(), endpoint) for endpoint in endpoints})


@st.cache_data(ttl=20, show_spinner=False, max_entries=20, hash_funcs=BY_OWNER)
def _answers_to(log: OwnLog, endpoint: str) -> dict[str, list[str]]:
    try:
        return answers_to(log.database, endpoint, _NEWEST_RUNS) if log.database else {}
    except QueryFailed:
        return {}  # then every request is sent


def requests_for(
    draft: Draft, rows: Sequence[dict[str, str]], inputs: Sequence[dict[str, str]] = ()
) -> list[RowRequest]:
    """The request of each row with each input, under the current configuration.

    The last ones are cached: ten thousand rows take seconds, and most clicks change none of them.
    """
    endpoints, send_anyway = available_endpoints(), bool(st.session_state.get(state.SEND_ANYWAY))
    base = endpoints.get(draft.endpoint or "")
    asked = (draft, list(rows), list(inputs), endpoints, send_anyway, model_cards(base) if base else None)
    known: tuple[object, list[RowRequest]] | None = st.session_state.get(keys.ROW_REQUESTS)
    if known and known[0] == asked:
        return known[1]
    requests = row_requests(draft, rows, endpoints, model_cards, inputs=inputs, send_anyway=send_anyway)
    st.session_state[keys.ROW_REQUESTS] = asked, requests
    return requests


def want(confirmed_count: int = 0) -> None:
    """Run the configured sweep after its page is drawn. Up to ``confirmed_count`` requests need no confirmation."""
    st.session_state[keys.SWEEP_WANTED] = confirmed_count


def start(kept: KeptSweep, requests: Sequence[RowRequest]) -> None:
    """Run a sweep; the previous one continues, unless it is the same sweep."""
    st.session_state.pop(keys.SWEEP_WANTED, None)
    known = st.session_state.get(keys.KEPT_SWEEP)
    under_way = known and known[1] == kept and experiment_of(known[0])
    if under_way and under_way.going_on:
        return  # the key is held down, or the button was pressed twice
    sweep_id = uuid.uuid4().hex
    save_experiment(own_log(), sweep_id, sweep_content(kept), SWEEP)
    state.show_experiment(state.SWEEP, sweep_id)
    # Until the log has it.
    st.session_state[keys.KEPT_SWEEP] = sweep_id, kept
    cells = cells_of(requests, kept.setup.repeats, shuffled=_order if kept.setup.shuffled else None)
    _start(sweep_id, kept, [cell for cell in cells if (cell.position, cell.repeat) not in kept.reused])


def run_cells(sweep_id: str, places: Sequence[tuple[int, int]]) -> None:
    """Run some cells of a sweep again, each given by its position and repeat."""
    experiment = experiment_of(sweep_id)
    try:
        kept = kept_sweep(sweep_id)
    except QueryFailed:
        return  # the page shows the error
    if kept is None or experiment is None:
        return
    requests = requests_for(kept.draft, kept.rows, kept.inputs)
    asked = [requests[position].cell(repeat) for position, repeat in places if not requests[position].problem]
    _start(sweep_id, kept, asked)


def compare_positions(kept: KeptSweep, positions: Sequence[int]) -> None:
    """Make lanes of the requests at some positions; the first is the base of the others."""
    several = max(len(kept.inputs), 1)
    drafts = [
        with_input(
            with_values(kept.draft, kept.rows[position // several]),
            kept.inputs[position % several] if kept.inputs else {},
        )
        for position in positions
    ]
    draft_form.fill(side_by_side(*drafts), "comparison begun")
    st.session_state.pop(state.EXPERIMENT, None)


def run_again(sweep_id: str) -> None:
    """Run a whole sweep again, as a new one."""
    try:
        kept = kept_sweep(sweep_id)
    except QueryFailed:
        return  # the page shows the error
    if kept:
        start(replace(kept, reused={}), requests_for(kept.draft, kept.rows, kept.inputs))


def _start(sweep_id: str, kept: KeptSweep, cells: Sequence[Cell]) -> None:
    checked = with_checks(cells, kept.rules.checks, kept.input_at)
    service().experiments.find(sweep_id, owner()).start(sweep_run(kept.setup, checked), network())
