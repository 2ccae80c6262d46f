"""The runs that a sweep makes: each row of its plan, so often as it is repeated."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from components.drafts.composed import Composed, compose
from components.drafts.draft import Draft
from components.endpoints.endpoint import AnyEndpoint
from components.endpoints.models import ModelCard
from components.experiments.plan import Cell
from components.sweeps.axes import AxisProblem, with_values
from components.sweeps.planning import Row


@dataclass(frozen=True)
class RowRequest:
    """One row of a plan taken as far as it goes. ``problem`` says why it cannot be asked, and what to do."""

    number: int
    row: Row
    endpoint: AnyEndpoint | None
    composed: Composed
    draft: Draft
    problem: str | None

    @property
    def lane(self) -> str:
        """The row's name in the log."""
        return f"row {self.number}"

    def cell(self, repeat: int) -> Cell:
        """One run of this row. Raises ValueError for a row that has a problem."""
        if self.problem or self.endpoint is None or self.composed.request is None or self.composed.body is None:
            raise ValueError(f"Row {self.number} makes no request.")
        return Cell(
            lane=self.lane,
            position=self.number - 1,
            repeat=repeat,
            endpoint=self.endpoint,
            model=self.composed.request.model,
            body=self.composed.body,
            streaming=self.composed.request.stream,
            draft=self.draft.for_log(),
        )


def row_requests(
    draft: Draft,
    rows: Sequence[Row],
    endpoints: Mapping[str, AnyEndpoint],
    models_of: Callable[[AnyEndpoint], list[ModelCard]],
    *,
    send_anyway: bool,
) -> list[RowRequest]:
    """What each row asks, in their order, numbered from 1."""
    found = []
    for number, row in enumerate(rows, 1):
        try:
            own = with_values(draft, row)
        except AxisProblem as problem:
            found.append(RowRequest(number, row, None, Composed(), draft, str(problem)))
            continue
        endpoint = endpoints.get(own.endpoint or "")
        if endpoint is None:
            why = f"There is no endpoint {own.endpoint}. Choose another one." if own.endpoint else "Choose an endpoint."
            found.append(RowRequest(number, row, None, Composed(), own, why))
            continue
        card = next((card for card in models_of(endpoint) if card.id == own.model), None)
        composed = compose(own, endpoint.profile, context_tokens=card.context_length if card else None)
        found.append(RowRequest(number, row, endpoint, composed, own, composed.objection(send_anyway=send_anyway)))
    return found


def cells_of(requests: Sequence[RowRequest], repeats: int, *, shuffled: random.Random | None) -> list[Cell]:
    """The cells of all rows that can be asked, round by round; each round in an order of its own where shuffled."""
    first = [request.cell(1) for request in requests if not request.problem]
    cells: list[Cell] = []
    for number in range(1, repeats + 1):
        this_round = [replace(cell, repeat=number) for cell in first]
        if shuffled:
            shuffled.shuffle(this_round)
        cells += this_round
    return cells
