"""Makes the runs of experiments. Runs belong to no page and continue after the visitor leaves it.

One process at a time makes the runs of an experiment. Pages of other processes see its progress, and their presses of
Pause, Resume and Stop reach it within a second.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial

from components.experiments import sentences
from components.experiments.cell_queue import CellQueue, Line
from components.experiments.cell_run import CellRun, CellRunners
from components.experiments.claims import ALIVE_S, Claim, Progress
from components.experiments.determinism import check_determinism
from components.experiments.run_order import Cell, Plan
from components.log.database import DatabaseUnavailable
from components.log.owned import OwnLog
from components.log.query import QueryFailed, find_run
from components.log.record import RunRecord
from components.runs.order import Placement
from components.runs.run import live_run
from components.streaming.outcome import Status
from components.user_error import UserError

_POLL_S = 0.2
_FAILURES_IN_A_ROW = 10
"""Consecutive failures that pause shared cells, or twice the number that may be under way where that is more."""
_RENEW_S = 1.0
_RENEW_UNCHANGED_S = 5.0
_MAX_SILENT_S = _RENEW_UNCHANGED_S + 3.0
_MAX_LANES_REPORTED = 32
_MAX_HELD_S = 0.25
"""The longest time that a page may hold runs back; other pages may watch them."""
_NO_FAILURES = (Status.OK, Status.CANCELLED)


class Experiment:
    """The runs of one experiment, made by this process, its workers or another process. Thread-safe."""

    def __init__(self, experiment_id: str, runners: CellRunners, log: OwnLog, process: str) -> None:
        """``process`` is the id of this process in claims."""
        self.id = experiment_id
        self._claim = Claim(experiment_id, log, process)
        self._claiming = threading.Lock()
        """Held while the claim is taken or given up; never taken while ``_lock`` is held."""
        self._claimed = False
        self._renewed_at = 0.0
        self._reported = Progress()
        self._version = 0
        self._paused_why: str | None = None
        self._runners = runners
        self._log = log
        self._lock = threading.Lock()
        self._network: str | None = None
        self._paused = False
        self._failures = 0
        self._ids: list[str] = []
        self._queue = CellQueue()
        self._refill_is_due = False
        self._holders = 0
        self._held_until = 0.0

    @property
    def version(self) -> int:
        """A number that grows with every run that begins or ends, and when the queue shrinks."""
        elsewhere = self._progress_elsewhere()
        return self._version + (elsewhere.version if elsewhere else 0)

    @property
    def paused(self) -> bool:
        """Whether no further run begins before ``resume``."""
        elsewhere = self._progress_elsewhere()
        return elsewhere.paused if elsewhere else self._paused

    @property
    def paused_why(self) -> str | None:
        """A sentence after an automatic pause."""
        elsewhere = self._progress_elsewhere()
        return elsewhere.paused_why if elsewhere else self._paused_why

    def pause(self, reason: str | None = None) -> None:
        """Begin no further run before ``resume``, or a ``start`` while idle. Runs under way continue.

        ``reason`` is a sentence for the page.
        """
        if self.is_made_elsewhere:
            self._claim.ask("pause", reason)
            return
        with self._lock:
            self._paused, self._paused_why = True, reason
            self._version += 1

    def resume(self) -> None:
        """Begin runs again."""
        if self.is_made_elsewhere:
            self._claim.ask("resume")
            return
        with self._lock:
            self._reset_pause()
            self._version += 1
        self._fill()

    @contextmanager
    def held_back(self, max_s: float = _MAX_HELD_S) -> Iterator[None]:
        """Begin no run while a page is drawn: runs would delay the page, and drawing would lengthen their times."""
        with self._lock:
            if not self._holders:
                self._held_until = time.monotonic() + max_s
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
            self._fill()

    @property
    def active(self) -> bool:
        """Whether runs are under way or queued, here or in another process."""
        return self.is_made_here or self.is_made_elsewhere

    @property
    def is_made_here(self) -> bool:
        """Whether this process has runs under way or queued."""
        with self._lock:
            return not self._queue.is_empty

    @property
    def is_made_elsewhere(self) -> bool:
        """Whether another process has runs under way or queued."""
        return self._progress_elsewhere() is not None

    @property
    def made_elsewhere(self) -> str | None:
        """A sentence about the other process that has runs under way or queued; None when there is none."""
        elsewhere = self._progress_elsewhere()
        if elsewhere is None:
            return None
        if elsewhere.silent_s < _MAX_SILENT_S:
            return sentences.MAKER_ELSEWHERE
        left_s = max(1, ALIVE_S - elsewhere.silent_s)
        return sentences.MAKER_SILENT.format(silent=f"{elsewhere.silent_s:.0f} s", left=f"{left_s:.0f} s")

    def _progress_elsewhere(self) -> Progress | None:
        if self._claimed or self.is_made_here:
            return None
        elsewhere = self._claim.elsewhere()
        with self._lock:
            # The version must not fall when the other process ends.
            if elsewhere is None and self._reported.version:
                self._version += self._reported.version + 1
            self._reported = elsewhere or Progress()
        return elsewhere

    def run_ids(self) -> list[str]:
        """The ids of the runs begun in this process, in order; only the log has those of workers."""
        with self._lock:
            return list(self._ids)

    @property
    def waiting(self) -> int:
        """The number of queued runs."""
        if elsewhere := self._progress_elsewhere():
            return elsewhere.waiting
        with self._lock:
            return self._queue.waiting

    def pending(self, lane: str) -> int:
        """The number of queued runs of this lane; 0 for a sweep of another process."""
        if elsewhere := self._progress_elsewhere():
            return elsewhere.pending.get(lane, 0)
        with self._lock:
            return self._queue.pending()[lane]

    def is_busy(self, lane: str) -> bool:
        """Whether runs of this lane are under way or queued."""
        return lane in self.busy_lanes()

    def busy_lanes(self) -> set[str]:
        """The lanes with runs under way or queued; none for a sweep of another process."""
        if elsewhere := self._progress_elsewhere():
            return set(elsewhere.busy)
        with self._lock:
            return self._queue.busy_lanes()

    def claim(self) -> bool:
        """Whether this process makes the runs of the experiment from now on; no other process begins any then.

        A claim without a following ``start`` expires.
        """
        with self._claiming:
            return self._has_claim()

    def start(self, plan: Plan, network: str | None = None, *, is_new: bool = False) -> bool:
        """Add these runs to those under way; returns whether they are made here.

        ``network`` is the owner's network, if known. An experiment that ``is_new`` is known to no other process, so
        its runs begin before the log has its claim. Sequential runs wait for each other, across all starts. Shared
        cells that are under way or queued are not added again. Nothing is added while another process makes the
        experiment.
        """
        if not plan.cells:
            return True
        with self._claiming:
            if is_new and not self._claimed:
                self._claim.take_new(self._progress())
                self._claimed = True
            if not self._has_claim():
                return False
            with self._lock:
                if self._queue.is_empty:
                    # A pause of an experiment that has ended does not apply to later runs.
                    self._reset_pause()
                self._network = network
                self._queue.add(plan)
                self._version += 1
        self._fill()
        return True

    def renew_claim(self) -> None:
        """Renew the claim, or give it up at the end, and do what other processes ask for. Called again and again."""
        workers = self._runners.workers
        if workers and self._waits_for_workers() and (problem := workers.problem()):
            with self._lock:
                if not self._paused:
                    self._pause_automatically(problem)
        with self._claiming:
            if not self._claimed and not self.is_made_here:
                return
            try:
                self._keep_claim()
            except (DatabaseUnavailable, QueryFailed):
                return  # the log says so itself
            claimed = self._claimed
        if not claimed and self.is_made_here:
            # This process was stopped for a while, or without the database, and another one makes the runs now.
            self.stop()

    def _waits_for_workers(self) -> bool:
        with self._lock:
            in_workers = any(cell_run.run_id is None for cell_run in self._queue.runs)
            return in_workers or any(line.cells and line.cells[0][1].shared for line in self._queue.lines)

    def close(self) -> None:
        """Let another process make the runs."""
        with self._claiming, suppress(DatabaseUnavailable):
            if self._claimed:
                self._claimed = False
                self._claim.give_up()

    def _has_claim(self) -> bool:
        if not self._claimed:
            try:
                self._claimed = self._claim.take(self._progress(), anew=True)
            except DatabaseUnavailable:
                return True  # no other process has the database either, as far as can be known
        return self._claimed

    def _keep_claim(self) -> None:
        if not self.is_made_here:
            self._claimed = False
            self._claim.give_up()
            return
        requests = self._claim.take_requests() if self._claimed else []
        for name, *args in requests:
            getattr(self, name)(*args)
        now, progress = time.monotonic(), self._progress()
        due_s = _RENEW_S if progress != self._reported else _RENEW_UNCHANGED_S
        if requests or not self._claimed or now - self._renewed_at > due_s:
            self._claimed = self._claim.take(progress, anew=not self._claimed)
            self._renewed_at, self._reported = now, progress

    def _progress(self) -> Progress:
        with self._lock:
            pending, busy = self._queue.pending(), self._queue.busy_lanes()
            by_lane = (dict(pending), tuple(busy)) if len(busy) <= _MAX_LANES_REPORTED else ({}, ())
            return Progress(self._version, pending.total(), self._paused, self._paused_why, *by_lane)

    def stop(self, lane: str | None = None) -> None:
        """Stop the runs of one lane, or of all, and drop the queued ones."""
        if self.is_made_elsewhere:
            self._claim.ask("stop", lane)
            return
        with self._lock:
            self._queue.drop(lane)
            stopped = self._queue.stop(lambda cell: lane is None or cell.lane == lane)
            self._version += 1
            if lane is None:
                self._reset_pause()
        for cell_run in stopped:
            cell_run.stop()

    def stop_cells(self, places: Collection[tuple[int, int]]) -> None:
        """Stop the runs under way at these positions and repeats."""
        if self.is_made_elsewhere:
            self._claim.ask("stop_cells", list(places))
            return
        chosen = {(position, repeat) for position, repeat in places}
        with self._lock:
            stopped = self._queue.stop(lambda cell: (cell.position, cell.repeat) in chosen)
        for cell_run in stopped:
            cell_run.stop()

    def _reset_pause(self) -> None:
        self._paused, self._paused_why, self._failures = False, None, 0

    def _fill(self) -> None:
        """Begin as many runs as allowed. Called after each change that may allow more."""
        started: list[tuple[CellRun, Cell, Line, Plan]] = []
        sent: list[CellRun] = []
        with self._lock, self._log.log.together():
            for line in self._queue.lines:
                sent += self._queue.send(line, self._waits)
                while line.cells and self._has_room(line) and self._may_begin(*line.cells[0]):
                    cell, plan = line.cells.popleft()
                    if cell_run := self._begin(cell, plan, line):
                        started.append((cell_run, cell, line, plan))
                sent += self._queue.send(line, self._waits)
            self._queue.remove_finished_lines()
            if not self._paused and not self._refill_is_due and any(cell_run.waits() for cell_run in self._queue.runs):
                # A run that waits for a retry sends no signal when it gets through.
                self._refill_is_due = True
                timer = threading.Timer(_POLL_S, self._refill)
                timer.daemon = True
                timer.start()
        for cell_run, cell, line, plan in started:
            # Outside the lock: a finished future calls back at once.
            cell_run.ended.add_done_callback(partial(self._ended, cell_run, line, plan))
            cell_run.written.add_done_callback(partial(self._written, cell_run, cell))
        for cell_run in sent:
            cell_run.send()

    def _refill(self) -> None:
        with self._lock:
            self._refill_is_due = False
        self._fill()

    def _may_begin(self, cell: Cell, plan: Plan) -> bool:
        if plan.shared and not self._paused and self._log.log.problem:
            self._pause_automatically(self._log.log.problem)
        return not self._paused and not self._waits(cell)

    def _waits(self, cell: Cell) -> bool:
        """Whether a page holds the cell back, or its endpoint asked to retry later, which holds for all its runs."""
        if self._holders and time.monotonic() < self._held_until:
            return True
        return self._queue.waits_to_retry(cell.order.endpoint.name)

    def _has_room(self, line: Line) -> bool:
        ahead = self._runners.of(line.cells[0][1]).ahead
        return (len(line.ready) if ahead else line.under_way) < line.at_once

    def _begin(self, cell: Cell, plan: Plan, line: Line) -> CellRun | None:
        # Runs of another start may be under way and slow this one down.
        at_once = max(plan.concurrency, self._queue.concurrency(line))
        placement = Placement(self.id, cell.lane, cell.position, cell.repeat, plan.timing.value, at_once, cell.checks)
        order = replace(cell.order, placement=placement, owner=self._log.owner, network=self._network)
        self._version += 1
        try:
            runner = self._runners.of(plan)
            cell_run = runner.make(order)
        except UserError as refused:
            if plan.shared:
                line.cells.appendleft((cell, plan))
                self._pause_automatically(refused.sentence)
            return None
        except Exception:  # an internal error must not leave the experiment running forever
            logging.getLogger(__name__).exception("a run of experiment %s could not be made", self.id)
            return None
        self._queue.begin(cell_run, cell, line, ahead=runner.ahead)
        if cell_run.run_id:
            self._ids.append(cell_run.run_id)
        return cell_run

    def _ended(self, cell_run: CellRun, line: Line, plan: Plan, ended: Future[Status]) -> None:
        """Begin the next run. A cell that was not made stays in the queue, which pauses; a lost one is made again."""
        not_made = ended.cancelled() or ended.exception() is not None
        lost = not not_made and ended.result() is Status.LOST
        failed = not_made or ended.result() not in _NO_FAILURES
        with self._lock:
            line.under_way -= 1
            if (not_made or lost) and plan.shared and not self._queue.is_stopped(cell_run):
                line.cells.appendleft((self._queue.runs[cell_run], plan))
                if not_made and not self._paused:
                    self._pause_automatically(_why_not_made(ended))
            self._failures = self._failures + 1 if failed else 0
            has_many_failures = self._failures >= max(_FAILURES_IN_A_ROW, 2 * line.at_once)
            # Failures of runs that were under way at the pause add nothing.
            if plan.shared and has_many_failures and line.cells and not self._paused:
                record = self._record(cell_run.run_id) if cell_run.run_id else None
                reason = record.error_message if record and record.error_message else sentences.RUNS_HAVE_THE_REASONS
                self._pause_automatically(sentences.MANY_FAILED.format(count=self._failures, why=reason))
        self._fill()

    def _pause_automatically(self, reason: str) -> None:
        self._paused, self._paused_why = True, sentences.PAUSED.format(why=reason.rstrip("."))
        self._version += 1

    def _written(self, cell_run: CellRun, cell: Cell, _written: Future[None]) -> None:
        try:
            self._check(cell_run, cell)
        except Exception:  # an internal error must not leave the experiment running forever
            logging.getLogger(__name__).exception("a run of experiment %s could not be checked", self.id)
        finally:
            with self._lock:
                self._queue.written(cell_run)
                self._version += 1

    def _check(self, cell_run: CellRun, cell: Cell) -> None:
        """Store on both runs whether they are identical, if this run is a determinism check."""
        if not cell.checks or not cell_run.run_id:
            return
        original, again = self._record(cell.checks), self._record(cell_run.run_id)
        if original and again:
            check_determinism(self._log, original, again)

    def _record(self, run_id: str) -> RunRecord | None:
        if run := live_run(self._log, run_id):
            return run.record()
        return find_run(self._log.database, run_id) if self._log.database else None


def _why_not_made(ended: Future[Status]) -> str:
    if ended.cancelled():
        return sentences.SCHEDULER_GONE  # nothing else cancels it
    return sentences.WORKER_FAILED.format(error=str(ended.exception()).strip().rstrip("."))
