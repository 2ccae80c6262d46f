"""Finds the runs of a comparison by lane, in this process and in the log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from components.experiments.experiment import Experiment
from components.experiments.store import runs_of
from components.log.record import RunRecord
from components.runs.order import WARM_UP
from components.runs.run import Run, live_run
from components.ui.answer.run_lookup import find, record_of
from components.ui.user_errors import show_errors
from components.ui.visitor import own_log


@dataclass(frozen=True)
class LaneRuns:
    """The runs of a lane's latest request, one per repeat, in their order. Never empty."""

    runs: tuple[Run | RunRecord, ...]

    def records(self) -> list[RunRecord]:
        """The runs in their current state."""
        return [record for run in self.runs if (record := record_of(run))]


def lane_runs(experiment: Experiment | None) -> dict[str, LaneRuns]:
    """The runs of each lane by its id; lanes without runs are left out. The error of an unreadable log is shown."""
    if experiment is None:
        return {}
    by_lane: dict[str, list[Run | RunRecord]] = {}
    for run in _runs(experiment):
        record = record_of(run)
        if record and record.lane and record.checks is None and record.repeat != WARM_UP:
            by_lane.setdefault(record.lane, []).append(run)
    return {lane: LaneRuns(tuple(_of_last_request(runs))) for lane, runs in by_lane.items()}


def _runs(experiment: Experiment) -> Iterable[Run | RunRecord]:
    by_id: dict[str, Run | RunRecord] = {}
    database = own_log().database
    with show_errors():
        by_id = {record.id: record for record in runs_of(database, experiment.id)} if database else {}
    for run_id in experiment.run_ids():
        if run_id not in by_id and (run := find(run_id)):
            by_id[run_id] = run
    # An active run is newer than its row.
    return [
        (live_run(own_log(), run.id) or run) if isinstance(run, RunRecord) and run.running else run
        for run in by_id.values()
    ]


def _of_last_request(runs: list[Run | RunRecord]) -> Iterable[Run | RunRecord]:
    """The newest run of each repeat with the same request as the lane's newest run."""
    records = [record for run in runs if (record := record_of(run))]
    last = max(records, key=lambda record: record.created_at)
    by_repeat: dict[int, Run | RunRecord] = {}
    for run, record in sorted(zip(runs, records, strict=True), key=lambda pair: pair[1].created_at):
        if (record.endpoint, record.request_body) == (last.endpoint, last.request_body):
            by_repeat[record.repeat or 1] = run
    return [by_repeat[number] for number in sorted(by_repeat)]
