"""Checks answers in the log without asking for them again, and keeps the results with their runs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any

from components.checks.check import Check
from components.checks.results import facts_of
from components.experiments.cases import results_on
from components.experiments.judges import Judges
from components.experiments.prepared import database_of
from components.experiments.store import SWEEP, find_experiment, light_runs
from components.experiments.stored_sweep import read_sweep
from components.log.check_results import save_results
from components.log.database import Database
from components.log.owned import OwnLog
from components.log.record import RunRecord
from components.streaming.outcome import Status
from components.user_error import UserError

_READ_AT_ONCE = 200
_INPUTS_KEPT = 8


def check_logged(
    log: OwnLog,
    run_ids: Iterable[str],
    checks: Sequence[Check],
    judges: Judges | None = None,
    *,
    reused: Mapping[str, Mapping[str, str]] | None = None,
    show: Callable[[int], None] = lambda _done: None,
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Check the answers of these runs and keep the results; returns how many there are.

    The values of variables are those of the run's input in its data set, or in ``reused`` by the run's id, and of the
    variables of its form. Without ``judges``, only their opinions in the log count. Runs without a complete answer are
    left out. ``show`` gets the number of runs so far. Raises CannotRun, QueryFailed, DatabaseUnavailable.
    """
    database = database_of(log)
    values_of, run_ids, checked = _values_in(database, reused or {}), list(run_ids), 0
    at_once = judges.at_once if judges else 1
    with ThreadPoolExecutor(at_once) as pool:
        step = at_once if judges else _READ_AT_ONCE
        for begin in range(0, len(run_ids), step):
            if stopped():
                break
            records = light_runs(database, run_ids[begin : begin + step], with_draft=True)
            answered = [record for record in records if record.status == Status.OK]

            def facts(record: RunRecord) -> dict[str, Any]:
                values = values_of(record)
                results = results_on(record, checks, values, judges.ask if judges else None)
                return facts_of(checks, results, values)

            ids = [record.id for record in answered]
            save_results(log, dict(zip(ids, pool.map(facts, answered), strict=True)))
            checked += len(answered)
            show(min(begin + step, len(run_ids)))
    return checked


def _values_in(database: Database, reused: Mapping[str, Mapping[str, str]]) -> Callable[[RunRecord], Mapping[str, str]]:
    @lru_cache(_INPUTS_KEPT)
    def inputs(experiment_id: str) -> Sequence[Mapping[str, str]]:
        stored = find_experiment(database, experiment_id)
        sweep = read_sweep(stored) if stored and stored.kind == SWEEP else None
        return sweep.inputs if sweep else ()

    def values(record: RunRecord) -> Mapping[str, str]:
        # Read without its model, which would take longer than the checks.
        variables = json.loads(record.draft).get("variables", {}) if record.draft else {}
        if record.id in reused:
            return {**variables, **reused[record.id]}
        rows = inputs(record.experiment_id) if record.experiment_id else ()
        return {**variables, **(rows[(record.position or 0) % len(rows)] if rows else {})}

    return values


class Checking:
    """Checks on answers in the log, made in a thread: judges take their time.

    ``done`` of ``count`` runs have been looked at. ``problem`` says why it ended early.
    """

    def __init__(
        self,
        log: OwnLog,
        run_ids: Sequence[str],
        checks: Sequence[Check],
        judges: Judges,
        reused: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """``reused``: see ``check_logged``."""
        self.count, self.done = len(run_ids), 0
        self.problem: str | None = None
        self._stopping = threading.Event()
        stopped = self._stopping.is_set
        work = partial(check_logged, log, run_ids, checks, judges, reused=reused, show=self._show, stopped=stopped)
        self._thread = threading.Thread(target=self._check, args=(work,), name="checking", daemon=True)
        self._thread.start()

    @property
    def active(self) -> bool:
        """Whether it has not ended."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Ask no more judges; results so far are kept."""
        self._stopping.set()

    def _check(self, work: Callable[[], int]) -> None:
        try:
            work()
        except UserError as error:
            self.problem = error.sentence

    def _show(self, done: int) -> None:
        self.done = done
