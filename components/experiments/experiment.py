"""Makes the runs of experiments. Runs belong to no page and continue after the visitor leaves it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from components.drafts.comparison import Timing
from components.experiments.determinism import determinism, write_determinism
from components.experiments.making import Maker, MakerHere, Making
from components.experiments.run_order import Cell, Plan
from components.log.log import Log
from components.log.owned import OwnLog
from components.log.owner import LOCAL
from components.log.query import find_run
from components.log.record import RunRecord
from components.runs.gate import Refused
from components.runs.placement import Placement
from components.runs.run import live_run
from components.runs.runner import Runner
from components.streaming.outcome import Status

_MOST_KEPT = 200
"""Idle experiments beyond this are dropped; the log has them."""
_LOOK_AGAIN_S = 0.2
_FAILURES_IN_A_ROW = 10
"""Consecutive failures that pause shared cells, or twice the number that may be under way where that is more."""
_MOST_HELD_S = 0.25
"""The longest time that a page may hold runs back; other pages may watch them."""
_NO_FAILURES = (Status.OK, Status.CANCELLED)


@dataclass(eq=False)
class _Line:
    """A queue of cells with their plans; at most ``at_once`` are under way."""

    at_once: int
    cells: deque[tuple[Cell, Plan]] = field(default_factory=deque)
    under_way: int = 0


class Experiment:
    """The runs of one experiment, made by this process or by workers. Thread-safe.

    ``version`` grows with every run that begins or ends, and when the queue shrinks. ``paused_why`` is a sentence
    after an automatic pause.
    """

    def __init__(
        self,
        experiment_id: str,
        here: Maker,
        find: Callable[[str], RunRecord | None],
        log: OwnLog,
        elsewhere: Maker | None = None,
    ) -> None:
        self.id = experiment_id
        self.version = 0
        self.paused_why: str | None = None
        self._here = here
        self._elsewhere = elsewhere
        self._find = find
        self._log = log
        self._lock = threading.Lock()
        self._network: str | None = None
        self._paused = False
        self._failures = 0
        self._ids: list[str] = []
        self._in_turn = _Line(1)
        """Cells of sequential plans, from every start."""
        self._lines = [self._in_turn]
        self._making: dict[Making, Cell] = {}
        self._looks_again = False
        self._holders = 0
        self._held_until = 0.0

    @property
    def paused(self) -> bool:
        """Whether no further run begins before ``resume``."""
        return self._paused

    def pause(self) -> None:
        """Begin no further run before ``resume``, or a ``start`` while idle. Runs under way continue."""
        with self._lock:
            self._paused = True
            self.version += 1

    def resume(self) -> None:
        """Begin runs again."""
        with self._lock:
            self._go_on()
            self.version += 1
        self._fill()

    @contextmanager
    def held_back(self, most_s: float = _MOST_HELD_S) -> Iterator[None]:
        """Begin no run while a page is drawn: runs would delay the page, and drawing would lengthen their times."""
        with self._lock:
            if not self._holders:
                self._held_until = time.monotonic() + most_s
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
            self._fill()

    @property
    def going_on(self) -> bool:
        """Whether runs are under way or queued."""
        with self._lock:
            return self._is_going_on

    def run_ids(self) -> list[str]:
        """The ids of the runs begun in this process, in order; only the log has those of workers."""
        with self._lock:
            return list(self._ids)

    @property
    def waiting(self) -> int:
        """The number of queued runs."""
        with self._lock:
            return sum(len(line.cells) for line in self._lines)

    def pending(self, lane: str) -> int:
        """The number of queued runs of this lane."""
        with self._lock:
            return sum(cell.lane == lane for line in self._lines for cell, _plan in line.cells)

    def is_busy(self, lane: str) -> bool:
        """Whether runs of this lane are under way or queued."""
        return lane in self.busy_lanes()

    def busy_lanes(self) -> set[str]:
        """The lanes with runs under way or queued."""
        with self._lock:
            to_come = {cell.lane for line in self._lines for cell, _plan in line.cells}
            return {cell.lane for cell in self._making.values()} | to_come

    def start(self, plan: Plan, network: str | None = None) -> None:
        """Add these runs to those under way; returns at once. ``network`` is the owner's network, if known.

        Sequential runs wait for each other, across all starts.
        """
        if not plan.cells:
            return
        with self._lock:
            if not self._is_going_on:
                # A pause of an experiment that has ended does not apply to later runs.
                self._go_on()
            self._network = network
            self._queue(plan)
            self.version += 1
        self._fill()

    def stop(self, lane: str | None = None) -> None:
        """Stop the runs of one lane, or of all, and drop the queued ones."""
        with self._lock:
            for line in self._lines:
                line.cells = deque(each for each in line.cells if lane is not None and each[0].lane != lane)
            stopped = [making for making, cell in self._making.items() if lane is None or cell.lane == lane]
            self.version += 1
            if lane is None:
                self._go_on()
        for making in stopped:
            making.stop()

    def stop_cells(self, places: Collection[tuple[int, int]]) -> None:
        """Stop the runs under way at these positions and repeats."""
        with self._lock:
            stopped = [making for making, cell in self._making.items() if (cell.position, cell.repeat) in places]
        for making in stopped:
            making.stop()

    @property
    def _is_going_on(self) -> bool:
        return bool(self._making or any(line.cells for line in self._lines))

    def _go_on(self) -> None:
        self._paused, self.paused_why, self._failures = False, None, 0

    def _queue(self, plan: Plan) -> None:
        cells = [(cell, plan) for cell in plan.cells]
        if plan.timing != Timing.PARALLEL:
            self._in_turn.cells.extend(cells)
            return
        if plan.shared:
            self._lines.append(_Line(plan.concurrency, deque(cells)))
            return
        by_lane: dict[str, _Line] = {}
        for cell, _plan in cells:
            by_lane.setdefault(cell.lane, _Line(1)).cells.append((cell, plan))
        self._lines += by_lane.values()

    def _fill(self) -> None:
        """Begin as many runs as allowed. Called after each change that may allow more."""
        begun: list[tuple[Making, Cell, _Line, Plan]] = []
        with self._lock:
            for line in self._lines:
                while line.cells and line.under_way < line.at_once and self._may_begin(*line.cells[0]):
                    cell, plan = line.cells.popleft()
                    if making := self._begin(cell, plan, line):
                        begun.append((making, cell, line, plan))
            self._lines = [line for line in self._lines if line.cells or line.under_way or line is self._in_turn]
            if not self._paused and not self._looks_again and any(making.waits() for making in self._making):
                # A run that waits for a retry sends no signal when it gets through.
                self._looks_again = True
                timer = threading.Timer(_LOOK_AGAIN_S, self._look_again)
                timer.daemon = True
                timer.start()
        for making, cell, line, plan in begun:
            # Outside the lock: a finished future calls back at once.
            making.ended.add_done_callback(partial(self._ended, making, line, plan))
            making.written.add_done_callback(partial(self._written, making, cell))

    def _look_again(self) -> None:
        with self._lock:
            self._looks_again = False
        self._fill()

    def _may_begin(self, cell: Cell, plan: Plan) -> bool:
        if plan.shared and not self._paused and self._log.log.problem:
            self._pause_by_itself(self._log.log.problem)
        held = self._holders and time.monotonic() < self._held_until
        # An endpoint's request to retry later holds for all its runs.
        return (
            not self._paused
            and not held
            and not any(
                other.order.endpoint.name == cell.order.endpoint.name and making.waits()
                for making, other in self._making.items()
            )
        )

    def _begin(self, cell: Cell, plan: Plan, line: _Line) -> Making | None:
        # Runs of another start may be under way and slow this one down.
        at_once = max(plan.concurrency, sum(each.under_way for each in self._lines) + 1)
        placement = Placement(self.id, cell.lane, cell.position, cell.repeat, plan.timing.value, at_once, cell.checks)
        order = replace(cell.order, placement=placement, owner=self._log.owner, network=self._network)
        maker = self._elsewhere if plan.shared and self._elsewhere else self._here
        self.version += 1
        try:
            making = maker.make(order)
        except Refused as refused:
            if plan.shared:
                line.cells.appendleft((cell, plan))
                self._pause_by_itself(refused.sentence)
            return None
        except Exception:  # a fault of our own must not leave the experiment going on for ever
            logging.getLogger(__name__).exception("a run of experiment %s could not be made", self.id)
            return None
        line.under_way += 1
        self._making[making] = cell
        if making.run_id:
            self._ids.append(making.run_id)
        return making

    def _ended(self, making: Making, line: _Line, plan: Plan, ended: Future[Status]) -> None:
        """Begin the next run."""
        failed = ended.cancelled() or ended.exception() is not None or ended.result() not in _NO_FAILURES
        with self._lock:
            line.under_way -= 1
            self._failures = self._failures + 1 if failed else 0
            many = self._failures >= max(_FAILURES_IN_A_ROW, 2 * line.at_once)
            # Failures of runs that were under way at the pause add nothing.
            if plan.shared and many and line.cells and not self._paused:
                record = self._find(making.run_id) if making.run_id else None
                why = record.error_message if record and record.error_message else "Their runs say why."
                self._pause_by_itself(f"The last {self._failures} did not end well. {why}")
        self._fill()

    def _pause_by_itself(self, why: str) -> None:
        self._paused, self.paused_why = True, f"Paused. {why} Resume when that is mended."
        self.version += 1

    def _written(self, making: Making, cell: Cell, _written: Future[None]) -> None:
        try:
            self._check(making, cell)
        except Exception:  # a fault of our own must not leave the experiment going on for ever
            logging.getLogger(__name__).exception("a run of experiment %s could not be checked", self.id)
        finally:
            with self._lock:
                del self._making[making]
                self.version += 1

    def _check(self, making: Making, cell: Cell) -> None:
        """Store on both runs whether they are identical, if this run is a determinism check."""
        if not cell.checks or not making.run_id:
            return
        original, again = self._find(cell.checks), self._find(making.run_id)
        if original and again:
            write_determinism(self._log, (original.id, again.id), determinism(original, again))


class Experiments:
    """The experiments of this process. ``elsewhere``, where given, makes the shared cells."""

    def __init__(self, runner: Runner, log: Log, elsewhere: Maker | None = None, most_kept: int = _MOST_KEPT) -> None:
        self._here = MakerHere(runner)
        self._elsewhere = elsewhere
        self._log = log
        self._most_kept = most_kept
        self._experiments: dict[tuple[str, str], Experiment] = {}
        self._lock = threading.Lock()

    def find(self, experiment_id: str, owner: str = LOCAL) -> Experiment:
        """The owner's experiment with that id; without runs when this process makes none."""
        with self._lock:
            found = self._experiments.get((owner, experiment_id))
            if found is None:
                self._forget_old()
                log = OwnLog(self._log, owner)
                found = Experiment(experiment_id, self._here, partial(_record, log), log, self._elsewhere)
                self._experiments[owner, experiment_id] = found
            return found

    def stop(self) -> None:
        """Begin no more runs."""
        with self._lock:
            experiments = list(self._experiments.values())
        for experiment in experiments:
            experiment.stop()

    def _forget_old(self) -> None:
        for key, experiment in list(self._experiments.items()):
            if len(self._experiments) < self._most_kept:
                return
            if not experiment.going_on:
                del self._experiments[key]


def _record(log: OwnLog, run_id: str) -> RunRecord | None:
    run = live_run(log, run_id)
    if run:
        return run.record()
    return find_run(log.database, run_id) if log.database else None
