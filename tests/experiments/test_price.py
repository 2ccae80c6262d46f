"""The price of a sweep: known parts are summed, unknown ones are not guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.endpoints.endpoint import Prices
from components.experiments.price import Price, price, total_of

counts = st.integers(0, 10_000)


def priced(
    most: Sequence[int | None], prompts: Sequence[int], times: Sequence[int] | None = None, **known: Any
) -> Price:
    everything: dict[str, Any] = {
        "concurrency": 1,
        "seconds_per_token": 0.01,
        "ttft_s": 0.5,
        "expected_completion": 100.0,
        "prices": Prices(2.0, 6.0, "EUR"),
    }
    return price(most, prompts, [1] * len(prompts) if times is None else times, **{**everything, **known})


def test_known_prices_are_summed() -> None:
    assert priced([50, 200], [10, 20]) == Price(
        worst_tokens=280,
        expected_tokens=180,
        expected_seconds=pytest.approx(0.5 + 0.5 + 0.5 + 1.0),
        cost=pytest.approx((30 * 2 + 150 * 6) / 1_000_000),
    )


def test_without_max_tokens_there_is_no_worst_case() -> None:
    found = priced([50, None], [10, 20])
    assert (found.worst_tokens, found.expected_tokens) == (None, 180)


def test_without_a_measured_length_only_the_worst_case_is_known() -> None:
    assert priced([50], [10], expected_completion=None) == Price(60, None, None, None)


@pytest.mark.parametrize("unknown", ["seconds_per_token", "ttft_s"])
def test_without_a_measured_rate_there_is_no_time(unknown: str) -> None:
    found = priced([50], [10], **{unknown: None})
    assert found.expected_seconds is None
    assert found.cost == pytest.approx(0.00032)


def test_without_prices_there_is_no_cost() -> None:
    found = priced([50], [10], prices=None)
    assert (found.cost, found.expected_tokens) == (None, 60)


def test_concurrent_requests_share_the_time_but_are_not_split() -> None:
    assert priced([None] * 8, [1] * 8, concurrency=4).expected_seconds == pytest.approx(3.0)
    assert priced([None] * 2, [1] * 2, concurrency=4).expected_seconds == pytest.approx(1.5)


def test_no_requests_cost_nothing() -> None:
    nothing = price(
        [],
        [],
        [],
        concurrency=4,
        seconds_per_token=None,
        ttft_s=None,
        expected_completion=None,
        prices=None,
    )
    assert nothing == Price(0, 0, 0.0, 0.0)


def test_every_request_needs_its_prompt() -> None:
    with pytest.raises(ValueError, match="Each request needs"):
        priced([1, 2], [1])


@given(st.lists(st.tuples(counts, counts), min_size=1), st.floats(0, 10_000), st.integers(1, 64))
def test_expected_costs_are_within_their_bounds(
    requests: list[tuple[int, int]], expected: float, concurrency: int
) -> None:
    most, prompts = zip(*requests, strict=True)
    found = priced(most, prompts, expected_completion=expected, concurrency=concurrency)
    alone = priced(most, prompts, expected_completion=expected)
    assert found.expected_tokens is not None
    assert found.worst_tokens is not None
    assert sum(prompts) <= found.expected_tokens <= found.worst_tokens
    assert found.expected_seconds is not None
    assert alone.expected_seconds is not None
    assert found.expected_seconds <= alone.expected_seconds * (1 + 1e-9)


def test_the_cost_of_groups_is_their_sum_or_unknown() -> None:
    known = Price(100, 50, 1.5, 0.25)
    assert total_of([known, known]) == Price(200, 100, 3.0, 0.5)
    assert total_of([known, Price(None, 20, None, None)]) == Price(None, 70, None, None)


@given(st.lists(st.tuples(st.none() | counts, counts, st.integers(1, 5)), max_size=6))
def test_a_repeated_request_costs_its_price_each_time(requests: list[tuple[int | None, int, int]]) -> None:
    each = [(most, prompt) for most, prompt, often in requests for _ in range(often)]
    several = priced(*([one[part] for one in requests] for part in range(3)))
    singly = priced(*([one[part] for one in each] for part in range(2)))
    assert asdict(several) == pytest.approx(asdict(singly))
