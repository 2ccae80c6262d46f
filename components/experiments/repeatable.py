"""Runs an experiment file without a page: the same plan, runner and log, so that a page shows it like any other."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from components.experiments import sentences
from components.experiments.experiment import Experiment
from components.experiments.experiments import Experiments
from components.experiments.prepared import CannotRun, Prepared, database_of
from components.experiments.run_order import Plan
from components.experiments.store import PlacedRun, newest_experiments, placed_runs, save_experiment
from components.log.database import Database
from components.log.owned import OwnLog
from components.log.record import utc_now
from components.runs.order import WARM_UP
from components.streaming.outcome import Status

_RESUMED_WITHIN_S = 86_400.0
_SETTLED_S = 45.0
"""More than ``Limits.lost_after_s``."""
_NEWEST = 50
_POLL_S = 0.05
_POLL_RUNS_S = 0.01
_NOT_MADE = (Status.CANCELLED, Status.LOST)
"""The ends of runs that a kill or a stop left; they are made again."""

Show = Callable[[int, int], None]
"""Shows how many of how many runs have begun."""


@dataclass(frozen=True)
class EndedExperiment:
    """An experiment that has ended. ``problem`` says why runs are missing; ``resumed`` of them were made before."""

    experiment_id: str
    prepared: Prepared
    problem: str | None = None
    resumed: int = 0


def run(
    prepared: Prepared,
    experiments: Experiments,
    log: OwnLog,
    show: Show = lambda _done, _of: None,
    claim_s: float = _SETTLED_S,
) -> EndedExperiment:
    """Make the runs and wait for them; those of the same experiment that a kill interrupted are continued.

    A process that makes the experiment has ``claim_s`` to end: one that was killed has lost it by then. Raises
    CannotRun, also without a log, and QueryFailed.
    """
    interrupted = _interrupted(database_of(log), prepared)
    experiment_id, answered, reused = interrupted or (uuid.uuid4().hex, set(), prepared.reused)
    continued = replace(prepared, reused=reused)
    done = answered | reused.keys()
    if not interrupted:
        save_experiment(log, experiment_id, prepared.content, prepared.kind)
    cells = [cell for cell in continued.cells if cell.repeat == WARM_UP or (cell.position, cell.repeat) not in done]
    experiment = experiments.find(experiment_id, log.owner)
    if any(cell.repeat != WARM_UP for cell in cells) and not _started(experiment, continued.order(cells), claim_s):
        raise CannotRun(sentences.MADE_ELSEWHERE)
    try:
        _wait(experiment, len(cells), show)
    finally:
        why = experiment.paused_why
        experiment.stop()
        _wait(experiment, len(cells), lambda _done, _of: None)
    return EndedExperiment(experiment_id, continued, why, len(answered))


def _started(experiment: Experiment, plan: Plan, claim_s: float) -> bool:
    ends = time.monotonic() + claim_s
    while not experiment.start(plan):
        if time.monotonic() > ends:
            return False
        time.sleep(_POLL_S)
    return True


def _wait(experiment: Experiment, count: int, show: Show) -> None:
    last = -1
    while experiment.active and not experiment.paused_why:
        now = max(count - experiment.waiting, 0)
        if now != last:
            show(now, count)
        last = now
        time.sleep(_POLL_RUNS_S)


def _interrupted(
    database: Database, prepared: Prepared
) -> tuple[str, set[tuple[int, int]], Mapping[tuple[int, int], str]] | None:
    """The newest experiment of the same content, if it lacks runs: its id, its answered cells, and the reused ones.

    One of more than a day ago is left alone, and so is one that goes on elsewhere.
    """
    all_cells = {(position, repeat) for position in prepared.places for repeat in range(1, prepared.repeats + 1)}
    for stored in newest_experiments(database, _NEWEST, prepared.kind):
        if stored.created_at < utc_now(_RESUMED_WITHIN_S) or _asks(stored.content) != _asks(prepared.content):
            continue
        reused = {(position, repeat): run for position, repeat, run in json.loads(stored.content).get("reused", [])}
        placed = _settled(database, stored.id)
        if any(run.status == Status.RUNNING for run in placed):
            return None
        started = {(run.position, run.repeat) for run in placed if run.status not in _NOT_MADE}
        answered = {(run.position, run.repeat) for run in placed if run.status == Status.OK}
        return (stored.id, answered & all_cells, reused) if all_cells - started - reused.keys() else None
    return None


def _settled(database: Database, experiment_id: str) -> list[PlacedRun]:
    """The runs of an experiment once those of a process that died are marked as lost, or after a while."""
    ends = time.monotonic() + _SETTLED_S
    while True:
        placed = placed_runs(database, experiment_id)
        if time.monotonic() > ends or all(run.status != Status.RUNNING for run in placed):
            return placed
        time.sleep(_POLL_S)


def _asks(content: str) -> dict[str, object]:
    return {name: value for name, value in json.loads(content).items() if name != "reused"}
