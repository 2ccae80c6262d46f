"""Makes the runs of experiments. They belong to no page: whoever comes back finds them as far as they have come."""

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
"""Experiments of which nothing is under way are found in the log as well."""
_LOOK_AGAIN_S = 0.2
_FAILURES_IN_A_ROW = 10
"""When so many shared cells in a row did not end well, and more than are under way at once, no next one would."""
_MOST_HELD_S = 0.25
"""As long as a page holds runs back at most, for others may be looking on as well."""
_NO_FAILURES = (Status.OK, Status.CANCELLED)


@dataclass(eq=False)
class _Line:
    """Cells, each with the plan that it is of: at most so many of them are under way at once."""

    at_once: int
    cells: deque[tuple[Cell, Plan]] = field(default_factory=deque)
    under_way: int = 0


class Experiment:
    """The runs of one experiment that this process makes, or has made elsewhere. Any thread may use it.

    ``version`` grows with every run that begins or ends, and whenever there is less to come. ``paused_why`` is a
    sentence when it paused by itself.
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
        """Whatever is made one at a time, whenever it was started."""
        self._lines = [self._in_turn]
        self._making: dict[Making, Cell] = {}
        self._looks_again = False
        self._holders = 0
        self._held_until = 0.0

    @property
    def paused(self) -> bool:
        """Whether no further run begins until somebody says so."""
        return self._paused

    def pause(self) -> None:
        """Begin no further run until ``resume``, or the start of others once all is over; those under way go on."""
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
        """Begin no run for a moment: a page that is drawn would wait for the runs, and their times would be longer."""
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
        """Whether there are runs under way or to come."""
        with self._lock:
            return self._is_going_on

    def run_ids(self) -> list[str]:
        """The ids of the runs that have begun here, in that order; those made elsewhere are in the log alone."""
        with self._lock:
            return list(self._ids)

    @property
    def waiting(self) -> int:
        """How many runs are still to begin."""
        with self._lock:
            return sum(len(line.cells) for line in self._lines)

    def pending(self, lane: str) -> int:
        """How many runs of this lane are still to begin."""
        with self._lock:
            return sum(cell.lane == lane for line in self._lines for cell, _plan in line.cells)

    def is_busy(self, lane: str) -> bool:
        """Whether runs of this lane are under way or to come."""
        return lane in self.busy_lanes()

    def busy_lanes(self) -> set[str]:
        """The lanes of which runs are under way or to come."""
        with self._lock:
            to_come = {cell.lane for line in self._lines for cell, _plan in line.cells}
            return {cell.lane for cell in self._making.values()} | to_come

    def start(self, plan: Plan, network: str | None = None) -> None:
        """Make these runs, besides those that are under way; returns at once. ``network`` is where they are asked from.

        Runs that are made one at a time wait for each other, whenever they were started.
        """
        if not plan.cells:
            return
        with self._lock:
            if not self._is_going_on:
                # A pause that came too late to keep anything back is no pause of what comes later.
                self._go_on()
            self._network = network
            self._queue(plan)
            self.version += 1
        self._fill()

    def stop(self, lane: str | None = None) -> None:
        """Stop the runs of one lane, or of all, and begin none of those to come."""
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
        """Stop the runs under way of some positions and repeats."""
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
        """Begin as many runs as may begin now. Called whenever those may have become more."""
        begun: list[tuple[Making, Cell, _Line, Plan]] = []
        with self._lock:
            for line in self._lines:
                while line.cells and line.under_way < line.at_once and self._may_begin(*line.cells[0]):
                    cell, plan = line.cells.popleft()
                    if making := self._begin(cell, plan, line):
                        begun.append((making, cell, line, plan))
            self._lines = [line for line in self._lines if line.cells or line.under_way or line is self._in_turn]
            if not self._paused and not self._looks_again and any(making.waits() for making in self._making):
                # Nobody says when one that waits to be tried again has got through.
                self._looks_again = True
                timer = threading.Timer(_LOOK_AGAIN_S, self._look_again)
                timer.daemon = True
                timer.start()
        for making, cell, line, plan in begun:
            # Not under the lock: what is over already calls back at once.
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
        # Whoever told one of them to come again later told all of them.
        return (
            not self._paused
            and not held
            and not any(
                other.order.endpoint.name == cell.order.endpoint.name and making.waits()
                for making, other in self._making.items()
            )
        )

    def _begin(self, cell: Cell, plan: Plan, line: _Line) -> Making | None:
        # Those of another start may be under way as well, and slow this one down.
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
        """Let the next one begin."""
        failed = ended.cancelled() or ended.exception() is not None or ended.result() not in _NO_FAILURES
        with self._lock:
            line.under_way -= 1
            self._failures = self._failures + 1 if failed else 0
            many = self._failures >= max(_FAILURES_IN_A_ROW, 2 * line.at_once)
            # Those that were under way as it paused say nothing new.
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
        """Write on both runs whether they are the same, where this one was made to see that."""
        if not cell.checks or not making.run_id:
            return
        original, again = self._find(cell.checks), self._find(making.run_id)
        if original and again:
            write_determinism(self._log, (original.id, again.id), determinism(original, again))


class Experiments:
    """The experiments of this process. ``elsewhere`` makes shared cells where there is one, else they are made here."""

    def __init__(self, runner: Runner, log: Log, elsewhere: Maker | None = None, most_kept: int = _MOST_KEPT) -> None:
        self._here = MakerHere(runner)
        self._elsewhere = elsewhere
        self._log = log
        self._most_kept = most_kept
        self._experiments: dict[tuple[str, str], Experiment] = {}
        self._lock = threading.Lock()

    def find(self, experiment_id: str, owner: str = LOCAL) -> Experiment:
        """The owner's experiment of that id; one of which this process makes no run is one without runs."""
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
