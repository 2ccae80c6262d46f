"""How a cell is made: as a run of this process, or by a worker elsewhere. Either way it is there when its future is."""

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

    ``ended`` has the run's status as soon as another cell may take its place; ``written`` is done when the run is in
    the log. ``run_id`` is known at once in this process, and None as long as a worker keeps it. ``waits`` says whether
    the endpoint has told it to come again later.
    """

    run_id: str | None
    ended: Future[Status]
    written: Future[None]
    stop: Callable[[], None]
    waits: Callable[[], bool]


class Maker(Protocol):
    """Whatever makes cells."""

    def make(self, order: Order) -> Making:
        """Begin to make a cell, and return at once. Its order says where it is placed."""
        ...


class MakerHere:
    """Makes cells as runs of this process."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def make(self, order: Order) -> Making:
        """Begin a run, and return at once."""
        run = self._runner.start(order)
        return Making(run.id, run.ended, run.written, run.stop, lambda: run.waits_to_retry)
