"""Numbers side by side: incomparable ones are named and never the best."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.experiments.numbers import bests, incomparable
from components.log.record import RunRecord
from components.streaming.faults import ErrorKind
from components.streaming.moments import Timings
from components.streaming.outcome import Retry, Status
from tests.experiments.conftest import a_run

RECORD = a_run("whole", attempts=1, finish_reason="stop").record()


def a_record(ttft: float = 100.0, rate: float = 50.0, total: float = 1_000.0, **parts: Any) -> RunRecord:
    return replace(RECORD, ttft_ms=ttft, tokens_per_second=rate, total_ms=total, **parts)


def test_the_best_value_of_each_number_is_found() -> None:
    records = {
        "A": a_record(ttft=90.0, rate=10.0, total=700.0),
        "B": a_record(ttft=80.0, rate=30.0, total=900.0),
        "C": a_record(ttft=100.0, rate=20.0, total=600.0),
    }
    assert bests(records) == {"ttft_ms": "B", "tokens_per_second": "B", "total_ms": "C"}


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"attempts": 2}, "2 attempts"),
        ({"queued_ms": 10.0}, "waited 10 ms for a slot"),
        ({"queued_ms": 2_500.0}, "waited 2.5 s for a slot"),
        ({"cached_tokens": 7}, "7 prompt tokens from a cache"),
    ],
)
def test_incomparable_times_are_named_and_never_the_best(parts: dict[str, Any], why: str) -> None:
    quick = a_record(ttft=1.0, rate=999.0, total=1.0, **parts)
    assert incomparable(quick) == [why]
    slow, slower = a_record(), a_record(ttft=101.0, rate=49.0, total=1_001.0)
    assert set(bests({"quick": quick, "slow": slow, "slower": slower}).values()) == {"slow"}
    assert bests({"quick": quick, "slow": slow}) == {}


def test_all_reasons_against_a_comparison_are_named() -> None:
    record = a_record(attempts=3, queued_ms=99.4, cached_tokens=1)
    assert incomparable(record) == ["3 attempts", "waited 99 ms for a slot", "1 prompt tokens from a cache"]


@pytest.mark.parametrize("parts", [{}, {"queued_ms": 9.9}, {"queued_ms": 0.0, "cached_tokens": 0}, {"attempts": 0}])
def test_times_without_a_reason_are_comparable(parts: dict[str, Any]) -> None:
    assert incomparable(a_record(**parts)) == []


def test_a_run_stopped_while_waiting_for_a_retry_had_one_attempt() -> None:
    retry = Retry(ErrorKind.RATE_LIMITED, 429, 500.0)
    stopped = a_run(status=Status.CANCELLED, attempts=1, retries=(retry,), timings=Timings(total_ms=5.0)).record()
    assert incomparable(stopped) == []


@pytest.mark.parametrize(
    "parts",
    [{"finish_reason": "length"}, *({"status": status.value} for status in Status if status is not Status.OK)],
    ids=lambda parts: next(iter(parts.values())),
)
def test_cut_and_unsuccessful_answers_are_not_ranked(parts: dict[str, Any]) -> None:
    cut = a_record(ttft=1.0, rate=999.0, total=1.0, **parts)
    records = {"cut": cut, "A": a_record(), "B": a_record(ttft=99.0, rate=51.0, total=999.0)}
    assert bests(records) == dict.fromkeys(("ttft_ms", "tokens_per_second", "total_ms"), "B")
    assert bests({"cut": cut, "A": a_record()}) == {}


def test_a_tie_has_no_best() -> None:
    records = {"A": a_record(total=5.0), "B": a_record(total=7.0), "C": a_record(total=6.0)}
    assert bests(records) == {"total_ms": "A"}
    assert bests({"A": a_record(), "B": a_record()}) == {}


def test_unknown_numbers_are_not_ranked() -> None:
    unknown = replace(a_record(), ttft_ms=None, tokens_per_second=None)
    assert bests({"A": unknown, "B": a_record(total=9.0)}) == {"total_ms": "B"}
    assert bests({"A": unknown}) == {}
    assert bests({}) == {}
