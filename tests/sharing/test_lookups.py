"""Guessing ids is rate limited per visitor."""

from __future__ import annotations

import threading

import pytest

from components.sharing.lookups import Lookups, TooManyLookups


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def nothing() -> None:
    return None


def tries(lookups: Lookups, visitor: str, most: int = 100) -> int:
    for number in range(most):
        try:
            lookups.look_up(visitor, nothing)
        except TooManyLookups:
            return number
    return most


def test_failed_lookups_are_limited_to_twenty_a_minute() -> None:
    clock = Clock()
    lookups = Lookups(clock=clock)
    assert tries(lookups, "me") == 20
    assert tries(lookups, "them") == 20
    clock.now += 2.9
    assert tries(lookups, "me") == 0
    clock.now += 0.2
    assert tries(lookups, "me") == 1
    clock.now += 3_600.0
    assert tries(lookups, "me") == 20


def test_successful_lookups_do_not_count_but_too_many_failures_block_a_visitor() -> None:
    lookups = Lookups(clock=Clock())
    assert [lookups.look_up("me", lambda: "capsule") for _ in range(50)] == ["capsule"] * 50
    assert tries(lookups, "me") == 20
    with pytest.raises(TooManyLookups, match=r"^Too many invalid links .* Wait a minute, then try again\.$"):
        lookups.look_up("me", lambda: pytest.fail("looked"))


def test_a_lookup_with_an_error_does_not_count() -> None:
    lookups = Lookups(clock=Clock())
    for _ in range(30):
        with pytest.raises(ZeroDivisionError):
            lookups.look_up("me", lambda: 1 // 0)
    assert tries(lookups, "me") == 20


def test_many_visitors_need_little_memory() -> None:
    lookups = Lookups(clock=Clock(), max_visitors=10)
    for number in range(1_000):
        assert lookups.look_up(f"found {number}", lambda: 1) == 1
        lookups.look_up(str(number), nothing)
    assert len(lookups._buckets) == 10
    assert tries(lookups, "999") == 19


def test_concurrent_lookups_count() -> None:
    lookups = Lookups(clock=Clock())
    together = threading.Barrier(30)
    refused = []

    def look() -> None:
        together.wait()
        try:
            lookups.look_up("me", nothing)
        except TooManyLookups:
            refused.append(1)

    threads = [threading.Thread(target=look) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 10
