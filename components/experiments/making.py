"""Makes a cell as a run of this process or in a worker. The run exists once its future is done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from components.runs.order import Order
from components.runs.runner import Runner
from components.streaming.outcome import Status


@dataclass(frozen=True, eq=False)
class Making:
    """A cell that is being made.

    ``ended`` has the run's status once another cell may take its place; ``written`` is done when the run is in the
    log. ``run_id`` is known at once in this process, and None while a worker has it. ``waits`` says whether the run
    waits for a retry.
    """

    run_id: str | None
    ended: Future[Status]
    written: Future[None]
    stop: Callable[[], None]
    waits: Callable[[], bool]


class Maker(Protocol):
    """Makes cells."""

    def make(self, order: Order) -> Making:
        """Begin a cell and return at once. Its order contains its placement. Raises UserError when it cannot."""
        ...

    def problem(self) -> str | None:
        """Why no cell is made now, as a sentence; None when they are."""
        ...


class MakerHere:
    """Makes cells as runs of this process."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def make(self, order: Order) -> Making:
        """Begin a run and return at once."""
        run = self._runner.start(order)
        return Making(run.id, run.ended, run.written, run.stop, lambda: run.waits_to_retry)

    def problem(self) -> str | None:
        """None: this process is there."""
        return None
