"""Makes a cell as a run of this process or in a worker. The run exists once its future is done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from components.experiments.run_order import Plan
from components.runs.order import Order
from components.runs.runner import Runner
from components.streaming.outcome import Status
from components.streaming.reader_processes import ReaderProcesses


@dataclass(frozen=True, eq=False)
class CellRun:
    """A cell that is being made.

    ``ended`` has the run's status once another cell may take its place; ``written`` is done when the run is in the
    log. ``run_id`` is known at once in this process, and None while a worker has it. ``waits`` says whether the run
    waits for a retry. ``send`` lets a cell that was made ahead go.
    """

    run_id: str | None
    ended: Future[Status]
    written: Future[None]
    stop: Callable[[], None]
    waits: Callable[[], bool]
    send: Callable[[], None] = lambda: None


class CellRunner(Protocol):
    """Makes cells.

    One ``ahead`` writes a cell's row to the log at once and sends nothing before ``CellRun.send``, so that a cell whose
    turn has come waits for no commit.
    """

    @property
    def ahead(self) -> bool:
        """Whether it makes cells ahead."""
        ...

    def make(self, order: Order) -> CellRun:
        """Begin a cell and return at once. Its order contains its placement. Raises UserError when it cannot."""
        ...

    def problem(self) -> str | None:
        """Why no cell is made now, as a sentence; None when they are."""
        ...


class LocalCellRunner:
    """Makes cells as runs of this process; ``readers`` read their answers."""

    def __init__(self, runner: Runner, readers: ReaderProcesses | None = None) -> None:
        self._runner = runner
        self._readers = readers

    @property
    def ahead(self) -> bool:
        """Whether other processes read the answers."""
        return self._readers is not None and not self._runner.is_gated

    def make(self, order: Order) -> CellRun:
        """Begin a run and return at once."""
        sent: Future[None] | None = Future() if self.ahead else None
        run = self._runner.start(order, self._readers, sent)

        def send() -> None:
            if sent and not sent.done():
                sent.set_result(None)

        def stop() -> None:
            run.stop()
            send()

        return CellRun(run.id, run.ended, run.written, stop, lambda: run.waits_to_retry, send)

    def problem(self) -> str | None:
        """None: this process can always make cells."""
        return None


_MANY_CELLS = 200
"""From this number on, a process that reads answers is worth its start."""


@dataclass(frozen=True)
class CellRunners:
    """The runners of cells: ``local`` by default; for shared cells ``workers``, or ``many`` for many of them."""

    local: CellRunner
    many: CellRunner | None = None
    workers: CellRunner | None = None

    def of(self, plan: Plan) -> CellRunner:
        """The runner of the plan's cells."""
        if not plan.shared:
            return self.local
        if self.workers is None and self.many and len(plan.cells) >= _MANY_CELLS:
            return self.many
        return self.workers or self.local
