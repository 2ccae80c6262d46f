"""Starts, pauses, stops and finds sweeps for the session of a page."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import streamlit as st

from components.drafts.beside import beside
from components.drafts.comparison import Timing
from components.drafts.draft import Draft, read_draft
from components.experiments.axes import with_values
from components.experiments.cells import RowRequest, cells_of, row_requests
from components.experiments.data_set import as_json_lines, with_input
from components.experiments.experiment import Experiment
from components.experiments.reuse import Reused, reusable
from components.experiments.run_order import Cell, Plan
from components.experiments.store import (
    SWEEP,
    KeptExperiment,
    find_experiment,
    save_experiment,
)
from components.experiments.sweep_plan import cell_count
from components.experiments.sweep_setup import Setup, read_setup
from components.log.owned import OwnLog
from components.log.query import QueryFailed, answers_to
from components.server.process import service
from components.ui import state
from components.ui.endpoints.endpoint_choice import model_cards
from components.ui.endpoints.endpoints_here import endpoints_here
from components.ui.form import draft_form
from components.ui.sweep import keys
from components.ui.visitor import BY_OWNER, network, own_log, owner

_NEWEST_RUNS = 5_000
"""The number of newest runs that are searched for identical requests."""
_order = random.Random()  # noqa: S311 - an order, no secret


@dataclass(frozen=True)
class KeptSweep:
    """A sweep in the log: its draft and set-up, the rows of its plan, and the inputs of its data set.

    Without a data set there are no inputs. Each row is sent with each input: the position of a run in the log is ``row
    * max(len(inputs), 1) + input``, both from 0.
    """

    draft: Draft
    setup: Setup
    rows: list[dict[str, str]]
    inputs: list[dict[str, str]] = field(default_factory=list)
    reused: Reused = field(default_factory=dict)
    """Cells that take their answer from an earlier run."""

    @property
    def positions(self) -> int:
        """The number of positions; each has one cell per repeat."""
        return cell_count(len(self.rows), len(self.inputs), 1)


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


def read_sweep(kept: KeptExperiment) -> KeptSweep | None:
    """The sweep of a log entry, or None when a later version wrote it."""
    content = json.loads(kept.content)
    draft = read_draft(json.dumps(content.get("draft")))
    setup = read_setup(json.dumps(content.get("setup")))
    if not draft or not setup or not content.get("rows"):
        return None
    inputs = content.get("inputs", [])
    reused = {(position, repeat): run_id for position, repeat, run_id in content.get("reused", [])}
    setup = setup.model_copy(update={"data": as_json_lines(inputs)})
    return KeptSweep(draft, setup, content["rows"], inputs, reused)


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
    endpoints, send_anyway = endpoints_here(), bool(st.session_state.get(state.SEND_ANYWAY))
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
    content = {
        "draft": json.loads(kept.draft.to_text()),
        # The inputs already contain the selected rows of the data set.
        "setup": kept.setup.model_dump(mode="json", exclude={"data", "data_name", "sample_rows", "sample_seed"}),
        "rows": kept.rows,
        "inputs": kept.inputs,
        "reused": [[*place, run_id] for place, run_id in kept.reused.items()],
    }
    save_experiment(own_log(), sweep_id, json.dumps(content), SWEEP)
    state.show_experiment(state.SWEEP, sweep_id)
    # Until the log has it.
    st.session_state[keys.KEPT_SWEEP] = sweep_id, kept
    cells = cells_of(requests, kept.setup.repeats, shuffled=_order if kept.setup.shuffled else None)
    _start(sweep_id, kept.setup, [cell for cell in cells if (cell.position, cell.repeat) not in kept.reused])


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
    _start(sweep_id, kept.setup, asked)


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
    draft_form.fill(beside(*drafts), "comparison begun")
    st.session_state.pop(state.EXPERIMENT, None)


def run_again(sweep_id: str) -> None:
    """Run a whole sweep again, as a new one."""
    try:
        kept = kept_sweep(sweep_id)
    except QueryFailed:
        return  # the page shows the error
    if kept:
        start(replace(kept, reused={}), requests_for(kept.draft, kept.rows, kept.inputs))


def _start(sweep_id: str, setup: Setup, cells: Sequence[Cell]) -> None:
    timing = Timing.INTERLEAVED if setup.at_once == 1 else Timing.PARALLEL
    plan = Plan(tuple(cells), timing, setup.at_once, shared=True)
    service().experiments.find(sweep_id, owner()).start(plan, network())
