"""The order of runs: each cell occurs once, and fair orders have a warm-up."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.drafts.comparison import MAX_LANES, Lane, Timing
from components.experiments.lanes import lane_requests
from components.experiments.run_order import plan
from components.runs.order import WARM_UP
from tests.drafts.test_draft import a_draft
from tests.experiments.conftest import COLD, a_plan, an_endpoint, compared, lanes_of

HERE, THERE = an_endpoint("http://127.0.0.1:1/v1"), an_endpoint("http://127.0.0.1:2/v1", "there")
any_lanes = st.lists(
    st.tuples(st.sampled_from([None, "there"]), st.sampled_from(["small", "large"]), st.booleans()),
    min_size=1,
    max_size=MAX_LANES,
).map(
    lambda lanes: [
        Lane(id=str(number), endpoint=endpoint, model=model, settings={"temperature": COLD} if cold else {})
        for number, (endpoint, model, cold) in enumerate(lanes, 1)
    ]
)


@given(any_lanes, st.integers(1, 5), st.sampled_from(Timing))
def test_every_lane_is_run_once_per_repeat(lanes: list[Lane], repeats: int, timing: Timing) -> None:
    made = a_plan([HERE, THERE], *lanes, timing=timing, repeats=repeats)
    counted = Counter((cell.lane, cell.repeat) for cell in made.cells if cell.repeat != WARM_UP)
    assert counted == {(lane.id, number): 1 for lane in lanes for number in range(1, repeats + 1)}
    assert {(cell.lane, cell.position) for cell in made.cells} == {
        (lane.id, position) for position, lane in enumerate(lanes)
    }
    assert made.timing is timing
    assert made.concurrency == (len(lanes) if timing is Timing.PARALLEL else 1)


@given(any_lanes, st.integers(1, 5))
def test_interleaved_runs_begin_with_one_warm_up_per_endpoint_and_model(lanes: list[Lane], repeats: int) -> None:
    made = a_plan([HERE, THERE], *lanes, timing=Timing.INTERLEAVED, repeats=repeats)
    counted = {(lane.endpoint or "here", lane.model) for lane in lanes}
    warm_ups, rounds = made.cells[: len(counted)], made.cells[len(counted) :]
    assert {cell.repeat for cell in warm_ups} == {WARM_UP}
    assert {(cell.order.endpoint.name, cell.order.model) for cell in warm_ups} == counted
    assert [cell.repeat for cell in rounds] == [number for number in range(1, repeats + 1) for _ in lanes]


@pytest.mark.parametrize("timing", [Timing.PARALLEL, Timing.ONE_AFTER_ANOTHER])
def test_only_interleaved_runs_have_a_warm_up(timing: Timing) -> None:
    assert [cell.repeat for cell in a_plan(HERE, *lanes_of("a", "b"), timing=timing).cells] == [1, 1]


def test_parallel_runs_are_ordered_by_repeat() -> None:
    cells = a_plan(HERE, *lanes_of("a", "b"), repeats=2).cells
    assert [(cell.lane, cell.repeat) for cell in cells] == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


def test_sequential_runs_finish_a_lane_before_the_next_begins() -> None:
    cells = a_plan(HERE, *lanes_of("a", "b"), repeats=2, timing=Timing.ONE_AFTER_ANOTHER).cells
    assert [(cell.lane, cell.repeat) for cell in cells] == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]


def test_each_round_is_shuffled_separately() -> None:
    rounds: list[list[str]] = []

    def turned(cells):
        rounds.append([cell.lane for cell in cells])
        return [*cells[len(rounds) :], *cells[: len(rounds)]]

    lanes = lanes_of("a", "b", "c")
    cells = a_plan(HERE, *lanes, repeats=2, timing=Timing.INTERLEAVED, shuffled=turned).cells
    assert rounds == [["a", "b", "c"]] * 2
    assert [cell.lane for cell in cells if cell.repeat] == ["b", "c", "a", "c", "a", "b"]


def test_a_cell_has_the_exact_bytes_of_its_lane() -> None:
    base = a_draft("{{a}}", endpoint="here", variables={"a": "Hi"})
    lanes = Lane(id="1"), Lane(id="2", model="other", stream=False)
    draft = base.model_copy(update={"comparison": compared(*lanes).comparison})
    requests = lane_requests(draft, {"here": HERE}, lambda _endpoint: [])
    made = plan(requests, [4, 7], repeats=1, timing=Timing.PARALLEL, shuffled=lambda cells: cells)
    first, second = made.cells
    assert [cell.order.body for cell in made.cells] == [request.composed.body for request in requests]
    assert (first.order.model, first.order.streaming, first.position) == ("m", True, 4)
    assert (second.order.model, second.order.streaming, second.position) == ("other", False, 7)
    assert second.order.draft == lanes[1].apply(draft).for_log() is not None
    assert a_plan(HERE, *lanes).cells[0].order.draft is None


def test_a_lane_without_a_request_cannot_be_planned() -> None:
    with pytest.raises(ValueError, match="Lane A has no valid request"):
        a_plan(HERE, Lane(id="1", endpoint="gone"))
    with pytest.raises(ValueError, match="Lane B has no valid request"):
        a_plan(HERE, Lane(id="1"), Lane(id="2", extra_body="{"))
