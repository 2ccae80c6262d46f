"""The order in which the runs of a comparison are made, and how many of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from components.drafts.comparison import Timing
from components.experiments.lanes import LaneRequest
from components.runs.order import Order, order_for
from components.runs.placement import WARM_UP


@dataclass(frozen=True)
class Cell:
    """One run to be made: its order, and where it belongs. Its parts mean what those of ``Placement`` mean."""

    lane: str
    position: int
    repeat: int
    order: Order
    checks: str | None = None


@dataclass(frozen=True)
class Plan:
    """Cells in their order. At most ``concurrency`` of them are under way at once.

    In parallel each lane makes its own one after another, so that none waits for another lane, unless the cells are
    ``shared``: then whoever is free takes the next one of all.
    """

    cells: tuple[Cell, ...]
    timing: Timing
    concurrency: int
    shared: bool = False


def plan(
    requests: Sequence[LaneRequest],
    positions: Sequence[int],
    *,
    repeats: int,
    timing: Timing,
    shuffled: Callable[[Sequence[Cell]], Sequence[Cell]],
) -> Plan:
    """The plan for some lanes, each of which makes a request; ``positions`` are their places on the page.

    In parallel there are as many at once as there are lanes; otherwise one. ``shuffled`` gives the cells of a round in
    random order. Before interleaved rounds each endpoint and model is warmed up once, by a run that counts for nothing.
    """
    first = [_cell(request, position) for request, position in zip(requests, positions, strict=True)]
    rounds = [[replace(cell, repeat=number) for cell in first] for number in range(1, repeats + 1)]
    match timing:
        case Timing.PARALLEL:
            return Plan(tuple(cell for each in rounds for cell in each), timing, max(len(first), 1))
        case Timing.ONE_AFTER_ANOTHER:
            return Plan(tuple(each[place] for place in range(len(first)) for each in rounds), timing, 1)
        case Timing.INTERLEAVED:
            warm_ups = {
                (cell.order.endpoint.name, cell.order.model): replace(cell, repeat=WARM_UP) for cell in reversed(first)
            }
            cells = [*warm_ups.values(), *(cell for each in rounds for cell in shuffled(each))]
            return Plan(tuple(cells), timing, 1)


def _cell(request: LaneRequest, position: int) -> Cell:
    order = order_for(request.endpoint, request.composed, request.draft)
    if order is None:
        raise ValueError(f"Lane {request.title} makes no request.")
    return Cell(request.lane.id, position, 1, order)
