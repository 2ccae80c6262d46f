"""Cells that reuse logged answers, and the facts that they take over."""

from __future__ import annotations

from components.experiments.reuse import as_cell, reusable
from tests.experiments.conftest import a_run
from tests.experiments.test_cells import requests_of


def test_each_repeat_takes_an_answer_of_its_own_as_far_as_there_are_any() -> None:
    base, warm, base_again, refused = requests_of({}, {"temperature": "0.5"}, {}, {"endpoint": "gone"})
    bodies = {(base.composed.body or b"").decode(): ["a", "b", "c"]}
    found = reusable([base, warm, base_again, refused], 2, {"here": bodies, "gone": bodies})
    assert found == {(0, 1): "a", (0, 2): "b", (2, 1): "c"}


def test_an_answer_of_another_endpoint_is_another_one() -> None:
    (request,) = requests_of({})
    assert reusable([request], 1, {"there": {(request.composed.body or b"").decode(): ["a"]}}) == {}


def test_times_that_were_measured_under_another_load_do_not_count() -> None:
    cell = as_cell(a_run("the sea").record(), 2, 3)
    assert (cell.text, cell.position, cell.repeat) == ("the sea", 2, 3)
    assert (cell.ttft_ms, cell.tokens_per_second, cell.total_ms, cell.concurrency) == (None, None, None, None)
