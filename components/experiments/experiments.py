"""The experiments of this process, and the thread that keeps their claims."""

from __future__ import annotations

import threading
import uuid

from components.experiments.cell_run import CellRunner, CellRunners, LocalCellRunner
from components.experiments.experiment import Experiment
from components.log.log import Log
from components.log.owned import OwnLog
from components.log.record import LOCAL
from components.runs.runner import Runner
from components.streaming.reader_processes import ReaderProcesses

_MAX_IDLE = 200
"""Idle experiments beyond this are dropped; the log has them."""
_RENEW_S = 0.4


class Experiments:
    """The experiments of this process."""

    def __init__(
        self,
        runner: Runner,
        log: Log,
        workers: CellRunner | None = None,
        readers: ReaderProcesses | None = None,
        max_idle: int = _MAX_IDLE,
    ) -> None:
        """``workers`` make shared cells; without it, ``readers`` read the answers of many of them."""
        many = LocalCellRunner(runner, readers) if readers else None
        self._runners = CellRunners(LocalCellRunner(runner), many, workers)
        self._log = log
        self._max_idle = max_idle
        self._experiments: dict[tuple[str, str], Experiment] = {}
        self._lock = threading.Lock()
        self.process = uuid.uuid4().hex
        """The name of this process in claims."""
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep_claims, name="experiments", daemon=True)
        self._keeper.start()

    def find(self, experiment_id: str, owner: str = LOCAL) -> Experiment:
        """The owner's experiment with that id; without runs when this process makes none."""
        with self._lock:
            experiment = self._experiments.get((owner, experiment_id))
            if experiment is None:
                self._forget_old()
                experiment = Experiment(experiment_id, self._runners, OwnLog(self._log, owner), self.process)
                self._experiments[owner, experiment_id] = experiment
            return experiment

    def stop(self) -> None:
        """Begin no more runs, and stop those of this process."""
        self._stopping.set()
        self._keeper.join()
        for experiment in self._all():
            if experiment.is_made_here:
                experiment.stop()

    def close(self) -> None:
        """Let other processes make the rest; called when the runs of this process have ended."""
        for experiment in self._all():
            experiment.close()

    def _all(self) -> list[Experiment]:
        with self._lock:
            return list(self._experiments.values())

    def _keep_claims(self) -> None:
        while not self._stopping.wait(_RENEW_S):
            for experiment in self._all():
                experiment.renew_claim()

    def _forget_old(self) -> None:
        for key, experiment in list(self._experiments.items()):
            if len(self._experiments) < self._max_idle:
                return
            if not experiment.is_made_here:
                del self._experiments[key]
