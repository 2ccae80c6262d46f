"""The order and the concurrency of the runs of a comparison."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from components.checks.check import Check
from components.checks.results import AnswerChecks
from components.drafts.comparison import Timing
from components.experiments.lanes import LaneRequest
from components.runs.order import WARM_UP, Order, order_for


@dataclass(frozen=True)
class Cell:
    """One run to make: its order and its place. The fields are those of ``Placement``."""

    lane: str
    position: int
    repeat: int
    order: Order
    checks: str | None = None


@dataclass(frozen=True)
class Plan:
    """Cells in their order. At most ``concurrency`` of them are under way at once.

    In parallel each lane makes its own cells one after another, and no lane waits for another. ``shared`` cells form
    one queue: the next free slot takes the next cell.
    """

    cells: tuple[Cell, ...]
    timing: Timing
    concurrency: int
    shared: bool = False


def _in_random_order(cells: Sequence[Cell]) -> Sequence[Cell]:
    return random.sample(cells, len(cells))


def plan(
    requests: Sequence[LaneRequest],
    positions: Sequence[int],
    *,
    repeats: int,
    timing: Timing,
    shuffled: Callable[[Sequence[Cell]], Sequence[Cell]] = _in_random_order,
) -> Plan:
    """The plan for lanes that make a request; ``positions`` are their places on the page.

    Concurrency is the number of lanes in parallel, otherwise 1. ``shuffled`` gives the cells of a round in random
    order. Before interleaved rounds each endpoint and model is warmed up once, by a run that is not counted.
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


def with_checks(
    cells: Iterable[Cell], checks: tuple[Check, ...], values_at: Callable[[int], Mapping[str, str]]
) -> tuple[Cell, ...]:
    """The cells with these checks of their answers; ``values_at`` has the values of the input at a position."""
    at = cache(lambda position: AnswerChecks(checks, values_at(position)))
    if not checks:
        return tuple(cells)
    return tuple(
        cell if cell.repeat == WARM_UP else replace(cell, order=replace(cell.order, checks=at(cell.position)))
        for cell in cells
    )


def _cell(request: LaneRequest, position: int) -> Cell:
    order = order_for(request.endpoint, request.composed, request.draft)
    if order is None:
        raise ValueError(f"Lane {request.title} has no valid request.")
    return Cell(request.lane.id, position, 1, order)
