"""The planned runs of a sweep: requests, problems and the order of the rounds."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contract.profile import OPENAI
from components.drafts.draft import Draft
from components.endpoints.endpoint import Address, Endpoint
from components.endpoints.models import ModelCard
from components.experiments.cells import RowRequest, cells_of, objections, row_requests
from components.experiments.run_order import Cell
from components.experiments.sweep_plan import Row
from tests.drafts.test_draft import a_draft
from tests.experiments.conftest import an_endpoint

BASE_URL = "http://127.0.0.1:9/v1"
ENDPOINTS = {"here": an_endpoint(BASE_URL), "there": Endpoint("there", OPENAI, Address(BASE_URL))}
DRAFT = a_draft("Hi", endpoint="here")


def requests_of(
    *rows: Row, draft: Draft = DRAFT, cards: Sequence[ModelCard] = (), send_anyway: bool = False
) -> list[RowRequest]:
    return row_requests(draft, rows, ENDPOINTS, lambda _endpoint: list(cards), send_anyway=send_anyway)


def body_of(request: RowRequest) -> dict[str, Any]:
    return json.loads(request.cell(1).order.body)


def test_the_row_of_the_base_sends_the_request_of_the_form() -> None:
    (request,) = requests_of({})
    assert body_of(request) == {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


def test_each_row_changes_its_own_fields_and_leaves_the_others() -> None:
    base, warm, other_model = requests_of({}, {"temperature": "0.5", "stream": "false"}, {"model": "large"})
    assert body_of(warm) == {**body_of(base), "temperature": 0.5, "stream": False}
    assert body_of(other_model) == {**body_of(base), "model": "large"}


def test_a_cell_has_its_place_in_the_sweep() -> None:
    _base, request = requests_of({}, {"temperature": "0.5", "model": "large", "stream": "false"})
    cell = request.cell(3)
    assert (cell.lane, cell.position, cell.repeat, cell.order.model, cell.order.streaming) == (
        "row 2",
        1,
        3,
        "large",
        False,
    )
    assert cell.order.endpoint is ENDPOINTS["here"]


def test_a_cell_keeps_the_variables_of_its_row() -> None:
    draft = a_draft("Say {{word}}", endpoint="here", variables={"word": "one"})
    cells = cells_of(requests_of({}, {"{{word}}": "two"}, draft=draft), 1, shuffled=None)
    assert [json.loads(cell.order.draft or "")["variables"] for cell in cells] == [{"word": "one"}, {"word": "two"}]
    assert [json.loads(cell.order.body)["messages"][0]["content"] for cell in cells] == ["Say one", "Say two"]


def test_a_row_for_another_endpoint_uses_that_endpoints_dialect() -> None:
    here, there = requests_of({"random_seed": "7"}, {"random_seed": "7", "endpoint": "there"})
    assert (here.cell(1).order.endpoint.name, there.cell(1).order.endpoint.name) == ("here", "there")
    assert (body_of(here)["random_seed"], body_of(there)["seed"]) == (7, 7)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"endpoint": "gone"}, "There is no endpoint gone. Choose another one."),
        ({"temperature": "warm"}, "warm is invalid for temperature, which takes numbers such as 0.5, null or omitted."),
    ],
)
def test_an_invalid_row_has_a_problem_and_affects_no_other(row: Row, why: str) -> None:
    well, ill, also_well = requests_of({}, row, {"temperature": "1"})
    assert (well.problem, ill.problem, also_well.problem) == (None, why, None)
    with pytest.raises(ValueError, match=r"Row 2 has no valid request\."):
        ill.cell(1)
    assert [cell.lane for cell in cells_of([well, ill, also_well], 1, shuffled=None)] == ["row 1", "row 3"]


def test_without_an_endpoint_every_row_has_a_problem() -> None:
    without = DRAFT.model_copy(update={"endpoint": None})
    assert [request.problem for request in requests_of({}, {"endpoint": "here"}, draft=without)] == [
        "Choose an endpoint first.",
        None,
    ]


def test_a_row_that_may_be_refused_needs_send_anyway() -> None:
    refused = {"temperature": "9"}
    (held_back,) = requests_of(refused)
    assert held_back.problem == "temperature must be at most 1; 9 is more. Change it, or tick Send anyway."
    (sent,) = requests_of(refused, send_anyway=True)
    assert sent.problem is None
    assert body_of(sent)["temperature"] == 9


def test_a_row_is_checked_against_the_context_of_its_model() -> None:
    cards = [ModelCard(id="small", context_length=100)]
    small, large = requests_of(
        {"model": "small", "max_tokens": "500"}, {"model": "large", "max_tokens": "500"}, cards=cards
    )
    assert small.composed.remarks != large.composed.remarks
    assert "100" in " ".join(remark.sentence for remark in small.composed.remarks)


def places(cells: Sequence[Cell]) -> list[tuple[int, int]]:
    return [(cell.repeat, cell.position) for cell in cells]


def test_each_round_has_each_row_once() -> None:
    cells = cells_of(requests_of({}, {"temperature": "0"}, {"temperature": "1"}), 2, shuffled=None)
    assert places(cells) == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]


@given(st.integers(0, 5), st.integers(1, 4), st.integers())
def test_rounds_are_shuffled_without_losing_a_cell(rows: int, repeats: int, seed: int) -> None:
    requests = requests_of(*({"random_seed": str(number)} for number in range(rows)))
    found = places(cells_of(requests, repeats, shuffled=random.Random(seed)))
    assert [repeat for repeat, _row in found] == sorted(repeat for repeat, _row in found)
    assert sorted(found) == [(repeat, row) for repeat in range(1, repeats + 1) for row in range(rows)]


def test_each_round_is_shuffled_separately() -> None:
    requests = requests_of(*({"random_seed": str(number)} for number in range(20)))
    found = places(cells_of(requests, 2, shuffled=random.Random(1)))
    first, second = [row for _, row in found[:20]], [row for _, row in found[20:]]
    assert first != second
    assert first != sorted(first)


def test_a_problem_of_many_rows_is_shown_once_with_their_numbers() -> None:
    wrong, gone = {"temperature": "warm"}, {"endpoint": "gone"}
    found = objections(requests_of(wrong, {}, gone, wrong, wrong, wrong, gone), range(1, 8))
    assert list(found.values()) == ["Rows 1, 4 to 6", "Rows 3, 7"]
    problems = objections(requests_of({}, gone), [1, 4])
    assert problems == {"There is no endpoint gone. Choose another one.": "Row 4"}


def test_each_row_and_input_has_its_own_position() -> None:
    draft = a_draft("Say {{word}}", endpoint="here", variables={"word": "none"})
    inputs = [{"word": "one", "other": "x"}, {"word": "base"}]
    requests = row_requests(
        draft, [{}, {"temperature": "1"}], ENDPOINTS, lambda _endpoint: [], inputs=inputs, send_anyway=False
    )
    sent = [(request.position, request.lane, body_of(request)["messages"][0]["content"]) for request in requests]
    assert sent == [
        (0, "row 1 input 1", "Say one"),
        (1, "row 1 input 2", "Say base"),
        (2, "row 2 input 1", "Say one"),
        (3, "row 2 input 2", "Say base"),
    ]
    assert (
        objections(
            row_requests(
                draft, [{"temperature": "warm"}], ENDPOINTS, lambda _endpoint: [], inputs=inputs, send_anyway=True
            ),
            [1],
        ).popitem()[1]
        == "Row 1"
    )
