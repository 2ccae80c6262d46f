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
from components.experiments.cells import Reused, RowRequest, cells_of, reusable, row_requests
from components.experiments.data_set import with_input
from components.experiments.run_order import Cell, with_checks
from components.experiments.store import SWEEP, find_experiment, save_experiment
from components.experiments.stored_sweep import StoredSweep, read_sweep, sweep_content, sweep_run
from components.log.owned import OwnLog
from components.log.query import QueryFailed, answers_to
from components.server.process import service
from components.ui import state
from components.ui.available_endpoints import available_endpoints
from components.ui.form import draft_form
from components.ui.form.endpoint_choice import model_cards
from components.ui.sweep import keys
from components.ui.visitor import BY_OWNER, network, own_experiment, own_log, owner

RANDOM = random.Random()  # noqa: S311 - an order, no secret


def stored_sweep(sweep_id: str | None) -> StoredSweep | None:
    """The sweep in the log, or None, also when a later version wrote it. Raises QueryFailed."""
    started: tuple[str, StoredSweep] | None = st.session_state.get(keys.STORED_SWEEP)
    if started and started[0] == sweep_id:
        return started[1]
    database = own_log().database
    stored = find_experiment(database, sweep_id) if database and sweep_id else None
    return read_sweep(stored) if stored and stored.kind == SWEEP else None


def answers_in_log(requests: Iterable[RowRequest], repeats: int) -> Reused:
    """The cells with an answer among the newest runs in the log."""
    endpoints = {request.endpoint.name for request in requests if request.endpoint}
    return reusable(requests, repeats, {endpoint: _answers_to(own_log(), endpoint) for endpoint in endpoints})


@st.cache_data(ttl=20, show_spinner=False, max_entries=20, hash_funcs=BY_OWNER)
def _answers_to(log: OwnLog, endpoint: str) -> dict[str, list[str]]:
    try:
        return answers_to(log.database, endpoint) if log.database else {}
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
    return state.last_value(
        keys.ROW_REQUESTS,
        (draft, list(rows), list(inputs), endpoints, send_anyway, model_cards(base) if base else None),
        lambda: row_requests(draft, rows, endpoints, model_cards, inputs=inputs, send_anyway=send_anyway),
    )


def request_run(confirmed_count: int = 0) -> None:
    """Run the configured sweep after its page is drawn. Up to ``confirmed_count`` requests need no confirmation."""
    st.session_state[keys.SWEEP_REQUESTED] = confirmed_count


def start(sweep: StoredSweep, requests: Sequence[RowRequest]) -> None:
    """Run a sweep; the previous one continues, unless it is the same sweep."""
    st.session_state.pop(keys.SWEEP_REQUESTED, None)
    started = st.session_state.get(keys.STORED_SWEEP)
    under_way = started and started[1] == sweep and own_experiment(started[0])
    if under_way and under_way.active:
        return  # the key is held down, or the button was pressed twice
    sweep_id = uuid.uuid4().hex
    save_experiment(own_log(), sweep_id, sweep_content(sweep), SWEEP)
    state.show_experiment(state.SWEEP, sweep_id)
    # Until the log has it.
    st.session_state[keys.STORED_SWEEP] = sweep_id, sweep
    cells = cells_of(requests, sweep.setup.repeats, shuffled=RANDOM if sweep.setup.shuffled else None)
    _start(sweep_id, sweep, [cell for cell in cells if (cell.position, cell.repeat) not in sweep.reused])


def run_cells(sweep_id: str, sweep: StoredSweep, places: Sequence[tuple[int, int]]) -> None:
    """Run some cells of a sweep again, each given by its position and repeat."""
    requests = requests_for(sweep.draft, sweep.rows, sweep.inputs)
    cells = [requests[position].cell(repeat) for position, repeat in places if not requests[position].problem]
    _start(sweep_id, sweep, cells)


def compare_positions(sweep: StoredSweep, positions: Sequence[int]) -> None:
    """Make lanes of the requests at some positions; the first is the base of the others."""
    drafts = [
        with_input(with_values(sweep.draft, sweep.row_at(position)), sweep.input_at(position)) for position in positions
    ]
    draft_form.fill(side_by_side(*drafts), "comparison begun")
    st.session_state.pop(state.EXPERIMENT, None)


def run_again(sweep: StoredSweep) -> None:
    """Run a whole sweep again, as a new one."""
    start(replace(sweep, reused={}), requests_for(sweep.draft, sweep.rows, sweep.inputs))


def _start(sweep_id: str, sweep: StoredSweep, cells: Sequence[Cell]) -> None:
    checked = with_checks(cells, sweep.rules.checks, sweep.input_at)
    service().experiments.find(sweep_id, owner()).start(sweep_run(sweep.setup, checked), network())
