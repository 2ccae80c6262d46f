"""The order in which the runs of a comparison are made, and how many of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from components.drafts.comparison import Timing
from components.endpoints.endpoint import AnyEndpoint
from components.experiments.lanes import LaneRequest
from components.runs.placement import WARM_UP


@dataclass(frozen=True)
class Cell:
    """One run to be made: what it asks, and where it belongs. Its parts mean what those of ``Placement`` mean."""

    lane: str
    position: int
    repeat: int
    endpoint: AnyEndpoint
    model: str
    body: bytes
    streaming: bool
    draft: str | None = None
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
            warm_ups = {(cell.endpoint.name, cell.model): replace(cell, repeat=WARM_UP) for cell in reversed(first)}
            cells = [*warm_ups.values(), *(cell for each in rounds for cell in shuffled(each))]
            return Plan(tuple(cells), timing, 1)


def _cell(request: LaneRequest, position: int) -> Cell:
    endpoint, composed = request.endpoint, request.composed
    if endpoint is None or composed.request is None or composed.body is None:
        raise ValueError(f"Lane {request.title} makes no request.")
    return Cell(
        lane=request.lane.id,
        position=position,
        repeat=1,
        endpoint=endpoint,
        model=composed.request.model,
        body=composed.body,
        streaming=composed.request.stream,
        draft=request.draft.for_log(),
    )
