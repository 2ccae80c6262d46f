"""Estimates the cost of a sweep before it runs; unknown parts are None."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from components.endpoints.endpoint import Prices

_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True)
class Price:
    """The estimate of a sweep. Answers from the log cost nothing.

    ``worst_tokens``: prompts and answers when every answer reaches its max_tokens; None when a request sends no
    max_tokens.
    ``expected_tokens``: the same with answers of the measured length, or max_tokens where that is less; None without
    measurements.
    ``expected_seconds``: the time to the first and all other tokens, divided by the concurrency, but at least that of
    the longest request; None when one of the rates was not measured.
    ``cost``: the price of the expected tokens, in the currency of the prices; None without prices or expected tokens.
    """

    worst_tokens: int | None
    expected_tokens: int | None
    expected_seconds: float | None
    cost: float | None


def total_of(prices: Sequence[Price]) -> Price:
    """The total price of groups run one after another. A part is None when any group's is."""

    def added(part: str) -> Any:
        values = [getattr(price, part) for price in prices]
        return None if any(value is None for value in values) else sum(values)

    return Price(**{field.name: added(field.name) for field in fields(Price)})


def price(
    bodies_max_tokens: Sequence[int | None],
    prompt_tokens: Sequence[int],
    times: Sequence[int],
    *,
    concurrency: int,
    seconds_per_token: float | None,
    ttft_s: float | None,
    expected_completion: float | None,
    prices: Prices | None,
) -> Price:
    """The price of the remaining requests.

    ``bodies_max_tokens`` (None where not sent), ``prompt_tokens`` (counted or estimated) and ``times`` (how often it
    is sent, at least once) have one entry per distinct request.
    ``seconds_per_token`` and ``ttft_s`` are as measured at this concurrency; ``expected_completion`` is in tokens.
    Raises ValueError when the lists differ in length.
    """
    if not len(bodies_max_tokens) == len(prompt_tokens) == len(times):
        raise ValueError("Each request needs its max_tokens, its prompt tokens, and how often it is sent.")
    if not times:
        return Price(0, 0, 0.0, 0.0)
    prompts = _weighted(prompt_tokens, times)
    limits = [limit for limit in bodies_max_tokens if limit is not None]
    worst = prompts + _weighted(limits, times) if len(limits) == len(times) else None
    if expected_completion is None:
        return Price(worst, None, None, None)
    answers = [expected_completion if limit is None else min(expected_completion, limit) for limit in bodies_max_tokens]
    completion = _weighted(answers, times)
    seconds: float | None = None
    if seconds_per_token is not None and ttft_s is not None:
        each = [ttft_s + answer * seconds_per_token for answer in answers]
        seconds = max(_weighted(each, times) / concurrency, max(each))
    cost = prices.cost(prompts, completion) if prices else None
    return Price(worst, round(prompts + completion), seconds, cost)


def _weighted(values: Sequence[_Number], times: Sequence[int]) -> _Number:
    return sum(value * often for value, often in zip(values, times, strict=True))
