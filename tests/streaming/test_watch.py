"""Exchanges end at their limits, with many watched at once."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from components.streaming.faults import ErrorKind
from components.streaming.watch import Watch
from tests.waiting import wait_for

EDGES = 0.5
"""How much later than its limit an exchange may end, in seconds."""


def ended_after(watch: Watch, began: float) -> float:
    wait_for(lambda: watch.ended)
    return time.monotonic() - began


@pytest.mark.clock
def test_an_early_limit_ends_in_time_among_later_ones() -> None:
    others = [Watch(60) for _ in range(20)]
    began = time.monotonic()
    watch = Watch(60)
    watch.expect(ErrorKind.FIRST_EVENT_TIMEOUT, 0.1)
    assert 0.1 <= ended_after(watch, began) < 0.1 + EDGES
    assert watch.ended is ErrorKind.FIRST_EVENT_TIMEOUT
    assert not [other for other in others if other.ended]
    for one in (watch, *others):
        one.close()


@pytest.mark.clock
def test_limits_that_end_in_any_order_are_each_kept() -> None:
    began = time.monotonic()
    watches = {seconds: Watch(seconds) for seconds in (0.3, 0.1, 0.4, 0.2)}
    for seconds in sorted(watches):
        assert seconds <= ended_after(watches[seconds], began) < seconds + EDGES
        assert watches[seconds].ended is ErrorKind.DEADLINE
        watches[seconds].close()


@pytest.mark.clock
def test_each_extension_gives_more_time() -> None:
    watch = Watch(60)
    for _ in range(10):
        watch.expect(ErrorKind.FIRST_EVENT_TIMEOUT, 0.2)
        time.sleep(0.05)
    assert watch.ended is None
    watch.close()


@pytest.mark.clock
def test_the_total_time_limits_all_extensions() -> None:
    began = time.monotonic()
    watch = Watch(0.2)
    watch.expect(ErrorKind.FIRST_EVENT_TIMEOUT, 60)
    assert ended_after(watch, began) < 0.2 + EDGES
    assert watch.ended is ErrorKind.DEADLINE
    watch.close()


def test_a_closed_watch_ends_no_exchange() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        watch = Watch(0.1)
        watch.hold(ours)
        watch.close()
        time.sleep(0.2)
        assert watch.ended is None
        theirs.sendall(b"still here")
        assert ours.recv(100) == b"still here"


def test_a_socket_is_shut_down_when_time_is_up() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        watch = Watch(0.1)
        watch.hold(ours)
        assert ours.recv(100) == b""
        assert watch.ended is ErrorKind.DEADLINE
        watch.close()


def test_one_thread_watches_all_exchanges() -> None:
    watches = [Watch(60) for _ in range(50)]
    assert [thread.name for thread in threading.enumerate()].count("watch") == 1
    for watch in watches:
        watch.close()
