"""Reads the runs of a sweep, each once and without its texts; full runs are read on request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.experiments.cases import TimeForChecks
from components.experiments.cell_result import ByPosition, CellResult, result_of
from components.experiments.cells import RowRequest, as_cell
from components.experiments.experiment import Experiment
from components.experiments.store import ended_run_ids, light_runs, light_runs_under_way
from components.experiments.stored_sweep import StoredSweep
from components.experiments.sweep_results import missing_cells, records_by_row
from components.log.query import QueryFailed
from components.log.record import RunRecord
from components.runs.run import live_run
from components.server.process import service
from components.ui import state
from components.ui.experiment_file import rules_form
from components.ui.sweep import keys
from components.ui.sweep.running import RANDOM, requests_for, run_cells
from components.ui.visitor import own_log, owner

_READ_AT_ONCE = 200
_CHECKS_S = 2.0


def results_of(sweep_id: str, sweep: StoredSweep, experiment: Experiment | None) -> list[list[CellResult]]:
    """The newest run of each repeat of each position, in its current state. Raises QueryFailed.

    Runs that have ended are read once, because they no longer change.
    """
    checks = rules_form.read().checks
    ended: dict[str, CellResult] = state.last_value(keys.SWEEP_RESULTS, (sweep_id, checks), dict)
    under_way: dict[str, CellResult] = {}
    unchecked: dict[str, CellResult] = {}
    time_left = TimeForChecks(_CHECKS_S)
    database = own_log().database
    if database:
        new = sorted((ended_run_ids(database, sweep_id) | set(sweep.reused.values())) - ended.keys())
        for record in whole_runs(sweep, new):
            result, checked = time_left.result(record, checks, sweep.input_at(record.position or 0))
            (ended if checked else unchecked)[record.id] = result
        under_way = {record.id: result_of(record) for record in light_runs_under_way(database, sweep_id)}
    # Runs that are newer here than in the log, or not yet written.
    for run_id in experiment.run_ids() if experiment else ():
        if run_id not in ended and (run := live_run(own_log(), run_id)):
            under_way[run_id] = result_of(run.record())
    others = [result for run_id, result in (under_way | unchecked).items() if run_id not in ended]
    return records_by_row([*ended.values(), *others], sweep.positions)


def whole_runs(sweep: StoredSweep, run_ids: Sequence[str]) -> Iterator[RunRecord]:
    """These runs with their answers but without their requests, read in batches that do not block the page.

    Previous batches are not kept. A run that the log no longer has is left out. Raises QueryFailed.
    """
    places = {run_id: place for place, run_id in sweep.reused.items()}
    database = own_log().database
    for begin in range(0, len(run_ids), _READ_AT_ONCE):
        batch = run_ids[begin : begin + _READ_AT_ONCE]
        records = {record.id: record for record in light_runs(database, batch)} if database else {}
        for run_id in batch:
            logged = records.get(run_id)
            if (logged is None or logged.running) and (run := live_run(own_log(), run_id)):
                records[run_id] = run.record()
        for record in records.values():
            yield as_cell(record, *places[record.id]) if record.id in places else record


def missing_and_refused(sweep: StoredSweep, by_position: ByPosition) -> tuple[int, list[RowRequest]]:
    """The number of unanswered cells that can be run, and the rows that cannot, with the reason."""
    missing = missing_cells(by_position, sweep.setup.repeats)
    requests = requests_for(sweep.draft, sweep.rows, sweep.inputs) if missing else []
    positions = dict.fromkeys(position for position, _repeat in missing)
    refused = [requests[position] for position in positions if requests[position].problem]
    return sum(not requests[position].problem for position, _repeat in missing), refused


def run_missing_cells(sweep_id: str, sweep: StoredSweep) -> None:
    """Run the unanswered cells of a sweep, as after a failure, a stop or a restart."""
    experiment = service().experiments.find(sweep_id, owner())
    # Claimed before the runs are read: those of another process are all in the log then.
    if experiment.active or not experiment.claim():
        return  # a quick second click: they are already running
    try:
        places = missing_cells(results_of(sweep_id, sweep, experiment), sweep.setup.repeats)
    except QueryFailed:
        return  # the page shows the error
    if sweep.setup.shuffled:
        RANDOM.shuffle(places)
    run_cells(sweep_id, sweep, places)
