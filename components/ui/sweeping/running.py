"""Starts, pauses, stops and finds sweeps for the session of a page."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from components.drafts.comparison import Timing
from components.drafts.draft import Draft, read_draft
from components.experiments.experiment import Experiment
from components.experiments.plan import Cell, Plan
from components.experiments.store import find_experiment, runs_of, save_experiment
from components.runs.query import QueryFailed, is_id
from components.runs.run import RunRecord
from components.service import service
from components.sweeps.cells import RowRequest, cells_of, row_requests
from components.sweeps.results import missing_cells, records_by_row
from components.sweeps.setup import Setup
from components.ui import state
from components.ui.endpoint_choice import configuration, model_cards

KIND = "sweep"
_order = random.Random()  # noqa: S311 - an order, no secret


@dataclass(frozen=True)
class KeptSweep:
    """A sweep as the log has it: what it was made from, and the rows of its plan."""

    draft: Draft
    setup: Setup
    rows: list[dict[str, str]]


def arrive() -> str | None:
    """The id of the sweep that the page shows. Of an address only what can be an id is taken."""
    in_url, in_session = st.query_params.get(state.SWEEP), st.session_state.get(state.SWEEP)
    found = in_session or (in_url if in_url and is_id(in_url) else None)
    if found:
        show(found)
    return found


def show(sweep_id: str) -> None:
    """Make this the sweep that the page shows, now and after a reload."""
    st.session_state[state.SWEEP] = sweep_id
    st.query_params[state.SWEEP] = sweep_id


def experiment_of(sweep_id: str | None) -> Experiment | None:
    """The runs that this process makes for the sweep."""
    return service().experiments.find(sweep_id) if sweep_id else None


def kept_sweep(sweep_id: str | None) -> KeptSweep | None:
    """The sweep as the log has it, or None; a log that cannot be read is named."""
    known: tuple[str, KeptSweep] | None = st.session_state.get(state.KEPT_SWEEP)
    if known and known[0] == sweep_id:
        return known[1]
    database = service().log.database
    try:
        kept = find_experiment(database, sweep_id) if database and sweep_id else None
    except QueryFailed as failure:
        st.error(str(failure))
        return None
    if kept is None or kept.kind != KIND:
        return None
    content = json.loads(kept.content)
    draft = read_draft(json.dumps(content["draft"]))
    return KeptSweep(draft, Setup.model_validate(content["setup"]), content["rows"]) if draft else None


def records_of(sweep_id: str, experiment: Experiment | None) -> list[RunRecord]:
    """The runs of the sweep as they stand now; a log that cannot be read is named."""
    database = service().log.database
    found: dict[str, RunRecord] = {}
    try:
        found = {record.id: record for record in runs_of(database, sweep_id)} if database else {}
    except QueryFailed as failure:
        st.error(str(failure))
    for run_id in experiment.run_ids() if experiment else ():
        run = service().runner.find(run_id)
        if run:
            found[run_id] = run.record()
    return list(found.values())


def requests_for(draft: Draft, rows: Sequence[dict[str, str]]) -> list[RowRequest]:
    """What each row asks as the configuration stands now."""
    send_anyway = bool(st.session_state.get(state.SEND_ANYWAY))
    return row_requests(draft, rows, configuration().endpoints, model_cards, send_anyway=send_anyway)


def start(draft: Draft, setup: Setup, rows: list[dict[str, str]], requests: Sequence[RowRequest]) -> None:
    """Run a sweep; what the page showed before goes on."""
    sweep_id = uuid.uuid4().hex
    content = {"draft": json.loads(draft.to_text()), "setup": setup.model_dump(mode="json"), "rows": rows}
    save_experiment(service().log, sweep_id, json.dumps(content), KIND)
    show(sweep_id)
    # Until the log has it.
    st.session_state[state.KEPT_SWEEP] = sweep_id, KeptSweep(draft, setup, rows)
    cells = cells_of(requests, setup.repeats, shuffled=_order if setup.shuffled else None)
    _start(sweep_id, setup, cells)


def run_missing(sweep_id: str) -> None:
    """Run the cells of a sweep that have no answer yet, as after a failure, a stop or a restart."""
    kept = kept_sweep(sweep_id)
    if kept is None:
        return
    by_row = records_by_row(records_of(sweep_id, experiment_of(sweep_id)), len(kept.rows))
    requests = requests_for(kept.draft, kept.rows)
    missing = missing_cells(by_row, kept.setup.repeats)
    cells = [requests[row].cell(repeat) for row, repeat in missing if not requests[row].problem]
    if kept.setup.shuffled:
        _order.shuffle(cells)
    _start(sweep_id, kept.setup, cells)


def _start(sweep_id: str, setup: Setup, cells: Sequence[Cell]) -> None:
    timing = Timing.INTERLEAVED if setup.at_once == 1 else Timing.PARALLEL
    plan = Plan(tuple(cells), timing, setup.at_once, shared=True)
    service().experiments.find(sweep_id).start(plan)
