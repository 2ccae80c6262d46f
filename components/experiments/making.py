"""How a cell is made: as a run of this process, or by a worker elsewhere. Either way it is there when its future is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from components.experiments.run_order import Cell
from components.runs.placement import Placement
from components.runs.run import Activity
from components.runs.runner import Runner
from components.streaming.outcome import Status


@dataclass(frozen=True, eq=False)
class Making:
    """A cell that is being made.

    ``ended`` has the run's status as soon as another cell may take its place; ``written`` is done when the run is in
    the log. ``run_id`` is known at once in this process, and None as long as a worker keeps it. ``waits`` says whether
    the endpoint has told it to come again later.
    """

    placement: Placement
    endpoint: str
    run_id: str | None
    ended: Future[Status]
    written: Future[None]
    stop: Callable[[], None]
    waits: Callable[[], bool]


class Maker(Protocol):
    """Whatever makes cells."""

    def make(self, cell: Cell, placement: Placement, owner: str, network: str | None) -> Making:
        """Begin to make a cell for its owner, who calls from that network, and return at once."""
        ...


class MakerHere:
    """Makes cells as runs of this process."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def make(self, cell: Cell, placement: Placement, owner: str, network: str | None) -> Making:
        """Begin a run, and return at once."""
        run = self._runner.send(
            cell.endpoint,
            model=cell.model,
            body=cell.body,
            streaming=cell.streaming,
            draft=cell.draft,
            placement=placement,
            owner=owner,
            network=network,
        )
        return Making(
            placement=placement,
            endpoint=cell.endpoint.name,
            run_id=run.id,
            ended=run.ended,
            written=run.written,
            stop=run.stop,
            waits=lambda: run.activity is Activity.RETRYING and not run.finished,
        )
