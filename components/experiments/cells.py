"""The runs of a sweep: each row of its plan with each input, once per repeat, and those reused from the log."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from typing import Any

from components.drafts.composed import Composed, compose_for
from components.drafts.draft import Draft
from components.endpoints.endpoint import AnyEndpoint
from components.endpoints.models import ModelCard
from components.experiments.axes import AxisProblem, with_values
from components.experiments.data_set import with_input
from components.experiments.run_order import Cell
from components.experiments.sweep_plan import Row
from components.log.record import TIMED, RunRecord
from components.runs.order import order_for

Reused = dict[tuple[int, int], str]
"""The id of the reused run, by the cell's position and repeat."""


@dataclass(frozen=True)
class RowRequest:
    """The request of one row of a plan with one input.

    ``number`` is the row's and ``input_number`` the input's, both from 1; without a data set ``input_number`` is 0.
    ``position`` counts all from 0: the inputs of the first row, then those of the second.
    ``problem`` says why it cannot be sent, and what to do.
    """

    number: int
    input_number: int
    position: int
    endpoint: AnyEndpoint | None
    composed: Composed
    draft: Draft
    problem: str | None

    @property
    def lane(self) -> str:
        """Its name in the log."""
        return f"row {self.number}" + (f" input {self.input_number}" if self.input_number else "")

    def cell(self, repeat: int) -> Cell:
        """One run of this row. Raises ValueError for a row with a problem."""
        order = None if self.problem else order_for(self.endpoint, self.composed, self.draft)
        if order is None:
            raise ValueError(f"{self.lane.capitalize()} has no valid request.")
        return Cell(self.lane, self.position, repeat, order)


def row_requests(
    draft: Draft,
    rows: Sequence[Row],
    endpoints: Mapping[str, AnyEndpoint],
    models_of: Callable[[AnyEndpoint], list[ModelCard]],
    *,
    inputs: Sequence[Mapping[str, str]] = (),
    send_anyway: bool,
) -> list[RowRequest]:
    """The request of each row with each input, by position; without inputs, one for each row."""
    models = cache(lambda name: models_of(endpoints[name]))

    def request(number: int, row: Row, input_number: int, texts: Mapping[str, str]) -> RowRequest:
        position = (number - 1) * max(len(inputs), 1) + max(input_number - 1, 0)
        try:
            row_draft = with_input(with_values(draft, row), texts)
        except AxisProblem as problem:
            return RowRequest(number, input_number, position, None, Composed(), draft, str(problem))
        endpoint = endpoints.get(row_draft.endpoint or "")
        composed = compose_for(row_draft, endpoint, models(row_draft.endpoint) if endpoint else ())
        objection = composed.objection(send_anyway=send_anyway)
        return RowRequest(number, input_number, position, endpoint, composed, row_draft, objection)

    numbered = [*enumerate(inputs, 1)] or [(0, {})]
    return [
        request(number, row, input_number, texts)
        for number, row in enumerate(rows, 1)
        for input_number, texts in numbered
    ]


def objections(requests: Sequence[RowRequest], in_table: Sequence[int]) -> dict[str, str]:
    """Each distinct problem with the rows that have it, as ``Row 2`` or ``Rows 2 to 4, 7``.

    ``in_table`` has the number in the displayed table of each row of the plan.
    """
    numbers: dict[str, dict[int, None]] = {}
    for request in requests:
        if request.problem:
            numbers.setdefault(request.problem, {})[in_table[request.number - 1]] = None
    return {problem: _rows_in_words(list(row_numbers)) for problem, row_numbers in numbers.items()}


def _rows_in_words(numbers: Sequence[int]) -> str:
    spans = [
        [number for _, number in group]
        for _, group in groupby(enumerate(numbers), key=lambda counted: counted[1] - counted[0])
    ]
    words = [f"{span[0]:,} to {span[-1]:,}" if len(span) > 2 else ", ".join(f"{n:,}" for n in span) for span in spans]
    return f"Row{'s' if len(numbers) > 1 else ''} {', '.join(words)}"


def cells_of(requests: Sequence[RowRequest], repeats: int, *, shuffled: random.Random | None) -> list[Cell]:
    """The cells of all rows without a problem, round by round; ``shuffled`` reorders each round."""
    first = [request.cell(1) for request in requests if not request.problem]
    cells: list[Cell] = []
    for number in range(1, repeats + 1):
        this_round = [replace(cell, repeat=number) for cell in first]
        if shuffled:
            shuffled.shuffle(this_round)
        cells += this_round
    return cells


def reusable(
    requests: Iterable[RowRequest], repeats: int, answers: Mapping[str, Mapping[str, Sequence[str]]]
) -> Reused:
    """The cells with a logged answer; each repeat has its own.

    ``answers`` maps endpoint and body to the ids of the runs that sent it.
    """
    reused: Reused = {}
    used: dict[tuple[str, str], int] = {}
    for request in requests:
        if request.problem or request.endpoint is None or request.composed.body is None:
            continue
        endpoint, body = request.endpoint.name, request.composed.body.decode()
        ids = answers.get(endpoint, {}).get(body, ())
        # Two rows with the same request do not share an answer either.
        taken = used.get((endpoint, body), 0)
        run_ids = ids[taken : taken + repeats]
        reused |= {(request.position, repeat): run_id for repeat, run_id in enumerate(run_ids, 1)}
        used[endpoint, body] = taken + len(run_ids)
    return reused


def as_cell(record: RunRecord, position: int, repeat: int) -> RunRecord:
    """An earlier run as a cell: its answer is kept; its times, measured under another load, are dropped."""
    untimed: dict[str, Any] = dict.fromkeys(TIMED)
    return replace(record, position=position, repeat=repeat, concurrency=None, **untimed)
