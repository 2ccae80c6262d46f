"""Makes the runs of experiments. They belong to no page: whoever comes back finds them as far as they have come."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext

from components.drafts.comparison import Timing
from components.experiments.determinism import determinism, write_determinism
from components.experiments.plan import Cell, Plan
from components.runs.log import Log
from components.runs.placement import Placement
from components.runs.query import find_run
from components.runs.run import Run, RunRecord
from components.runs.runner import Runner

_MOST_KEPT = 200
"""Experiments of which nothing is under way are found in the log as well."""


class Experiment:
    """The runs of one experiment that this process makes. Any thread may use it.

    ``version`` grows with every run that begins or ends, and whenever there is less to come.
    """

    def __init__(self, experiment_id: str, runner: Runner, find: Callable[[str], RunRecord | None], log: Log) -> None:
        self.id = experiment_id
        self.version = 0
        self._runner = runner
        self._find = find
        self._log = log
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        """Whoever makes its runs one at a time holds it while one of them is under way."""
        self._ids: list[str] = []
        self._pending: list[Cell] = []
        self._running: dict[str, Run] = {}
        self._may_begin = threading.Event()
        self._may_begin.set()

    @property
    def paused(self) -> bool:
        """Whether no further run begins until somebody says so."""
        return not self._may_begin.is_set()

    def pause(self) -> None:
        """Begin no further run until ``resume``, or the start of others once all is over; those under way go on."""
        with self._lock:
            self._may_begin.clear()
            self.version += 1

    def resume(self) -> None:
        """Begin runs again."""
        with self._lock:
            self._may_begin.set()
            self.version += 1

    @property
    def going_on(self) -> bool:
        """Whether there are runs under way or to come."""
        with self._lock:
            return bool(self._pending or self._running)

    def run_ids(self) -> list[str]:
        """The ids of the runs that have begun, in that order."""
        with self._lock:
            return list(self._ids)

    def pending(self, lane: str) -> int:
        """How many runs of this lane are still to begin."""
        with self._lock:
            return sum(cell.lane == lane for cell in self._pending)

    def is_busy(self, lane: str) -> bool:
        """Whether runs of this lane are under way or to come."""
        return lane in self.busy_lanes()

    def busy_lanes(self) -> set[str]:
        """The lanes of which runs are under way or to come."""
        with self._lock:
            under_way = {_lane_of(run) for run in self._running.values()}
            return {lane for lane in under_way if lane} | {cell.lane for cell in self._pending}

    def start(self, plan: Plan) -> None:
        """Make these runs, besides those that are under way; returns at once.

        Runs that are made one at a time wait for each other, whenever they were started.
        """
        if not plan.cells:
            return
        with self._lock:
            if not self._pending and not self._running:
                # A pause that came too late to keep anything back is no pause of what comes later.
                self._may_begin.set()
            self._pending.extend(plan.cells)
            self.version += 1
        for number, cells in enumerate(_lines(plan), 1):
            name = f"experiment {self.id[:8]} {number}"
            # As the runs' own threads, these keep nobody from ending the process.
            threading.Thread(target=self._make_all, args=(cells, plan), name=name, daemon=True).start()

    def stop(self, lane: str | None = None) -> None:
        """Stop the runs of one lane, or of all, and begin none of those to come."""
        with self._lock:
            self._pending = [cell for cell in self._pending if lane is not None and cell.lane != lane]
            stopped = [run for run in self._running.values() if lane is None or _lane_of(run) == lane]
            self.version += 1
            if lane is None:
                self._may_begin.set()
        for run in stopped:
            run.stop()

    def _make_all(self, cells: Iterable[Cell], plan: Plan) -> None:
        for cell in cells:
            with nullcontext() if plan.timing == Timing.PARALLEL else self._turn:
                self._make(cell, plan)

    def _make(self, cell: Cell, plan: Plan) -> None:
        run = None
        try:
            run = self._begin(cell, plan)
            if run:
                self._runner.wait(run.id)
                self._check(run, cell)
        except Exception:  # a fault of our own must not leave the experiment going on for ever
            logging.getLogger(__name__).exception("a run of experiment %s could not be made or checked", self.id)
        finally:
            if run:
                with self._lock:
                    del self._running[run.id]
                    self.version += 1

    @contextmanager
    def _when_it_may_begin(self) -> Iterator[None]:
        """Hold the lock at a moment when there is no pause: whoever has called ``pause`` sees no run begin."""
        while True:
            self._may_begin.wait()
            with self._lock:
                if not self.paused:
                    yield
                    return

    def _begin(self, cell: Cell, plan: Plan) -> Run | None:
        with self._when_it_may_begin():
            # By identity: two cells that ask the same are two.
            place = next((place for place, waiting in enumerate(self._pending) if waiting is cell), None)
            if place is None:
                return None  # stopped before it began
            del self._pending[place]
            self.version += 1
            # Those of another start may be under way as well, and slow this one down.
            at_once = max(plan.concurrency, len(self._running) + 1)
            placement = Placement(
                self.id, cell.lane, cell.position, cell.repeat, plan.timing.value, at_once, cell.checks
            )
            run = self._runner.send(
                cell.endpoint,
                model=cell.model,
                body=cell.body,
                streaming=cell.streaming,
                draft=cell.draft,
                placement=placement,
            )
            self._ids.append(run.id)
            self._running[run.id] = run
            return run

    def _check(self, run: Run, cell: Cell) -> None:
        """Write on both runs whether they are the same, where this one was made to see that."""
        original = self._find(cell.checks) if cell.checks else None
        if original:
            write_determinism(self._log, (original.id, run.id), determinism(original, run.record()))


class Experiments:
    """The experiments of this process."""

    def __init__(self, runner: Runner, log: Log) -> None:
        self._runner = runner
        self._log = log
        self._experiments: dict[str, Experiment] = {}
        self._lock = threading.Lock()

    def find(self, experiment_id: str) -> Experiment:
        """The experiment of that id; one of which this process makes no run is one without runs."""
        with self._lock:
            found = self._experiments.get(experiment_id)
            if found is None:
                self._forget_old()
                found = Experiment(experiment_id, self._runner, self._record, self._log)
                self._experiments[experiment_id] = found
            return found

    def stop(self) -> None:
        """Begin no more runs."""
        with self._lock:
            experiments = list(self._experiments.values())
        for experiment in experiments:
            experiment.stop()

    def _record(self, run_id: str) -> RunRecord | None:
        run = self._runner.find(run_id)
        if run:
            return run.record()
        return find_run(self._log.database, run_id) if self._log.database else None

    def _forget_old(self) -> None:
        for experiment_id, experiment in list(self._experiments.items()):
            if len(self._experiments) < _MOST_KEPT:
                return
            if not experiment.going_on:
                del self._experiments[experiment_id]


def _lines(plan: Plan) -> list[Iterable[Cell]]:
    """The cells that are made one after another, for each thread that makes some."""
    if plan.timing != Timing.PARALLEL:
        return [plan.cells]
    if plan.shared:
        # Taking the next one from an iterator over a tuple is atomic in CPython.
        return [iter(plan.cells)] * plan.concurrency
    by_lane: dict[str, list[Cell]] = {}
    for cell in plan.cells:
        by_lane.setdefault(cell.lane, []).append(cell)
    return [*by_lane.values()]


def _lane_of(run: Run) -> str | None:
    return run.placement.lane if run.placement else None
