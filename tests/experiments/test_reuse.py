"""Cells that reuse logged answers, and the facts they keep."""

from __future__ import annotations

from components.experiments.cells import as_cell, reusable
from tests.experiments.conftest import a_run
from tests.experiments.test_cells import requests_of


def test_each_repeat_reuses_a_different_answer() -> None:
    base, warm, base_again, refused = requests_of({}, {"temperature": "0.5"}, {}, {"endpoint": "gone"})
    bodies = {(base.composed.body or b"").decode(): ["a", "b", "c"]}
    found = reusable([base, warm, base_again, refused], 2, {"here": bodies, "gone": bodies})
    assert found == {(0, 1): "a", (0, 2): "b", (2, 1): "c"}


def test_answers_of_another_endpoint_are_not_reused() -> None:
    (request,) = requests_of({})
    assert reusable([request], 1, {"there": {(request.composed.body or b"").decode(): ["a"]}}) == {}


def test_times_under_another_load_are_not_reused() -> None:
    cell = as_cell(a_run("the sea").record(), 2, 3)
    assert (cell.text, cell.position, cell.repeat) == ("the sea", 2, 3)
    assert (cell.ttft_ms, cell.tokens_per_second, cell.total_ms, cell.concurrency) == (None, None, None, None)
