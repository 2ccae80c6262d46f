"""Many clients at once, and clients that disconnect before their answer is complete."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from components.streaming.server_timing import queue_ms

from .conftest import ENDLESS, LONG_PROMPT, MODEL, Endpoint, in_background, say

PARALLEL = 4


@contextlib.contextmanager
def busy_slots(endpoint: Endpoint, count: int) -> Iterator[list[requests.Response]]:
    """``count`` started streams that continue until the block ends."""
    with contextlib.ExitStack() as stack:
        responses = []
        for _ in range(count):
            response = stack.enter_context(endpoint.post({**ENDLESS, "stream": True}, stream=True))
            assert response.status_code == 200
            responses.append(response)
        yield responses
    # The slots are free again before the next test begins.
    endpoint.answer(say("Say hi", max_tokens=1))


def ask_and_leave(endpoint: Endpoint, body: dict[str, Any]) -> socket.socket:
    """Send a request over a bare socket, so that disconnecting only closes the connection."""
    address = urlsplit(endpoint.base_url)
    payload = json.dumps({"model": MODEL, **body}).encode()
    connection = socket.create_connection((address.hostname, address.port), timeout=20)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {endpoint.key}\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    connection.sendall(head.encode() + payload)
    return connection


def assert_served(endpoint: Endpoint) -> None:
    """A slot is free: with all slots taken by endless streams, this request would get no answer."""
    with endpoint.post(say("Say hi", max_tokens=1, stream=True), stream=True) as response:
        assert response.status_code == 200


def test_a_seed_repeats_during_other_requests(endpoint: Endpoint) -> None:
    body = say("Tell me a story about a fox", max_tokens=8, temperature=1.0, random_seed=7)
    alone = endpoint.text(body)
    with busy_slots(endpoint, 2):
        assert endpoint.text(body) == alone


@pytest.mark.clock
def test_health_is_answered_during_generation(endpoint: Endpoint) -> None:
    health = Endpoint(endpoint.base_url.removesuffix("/v1"))
    with busy_slots(endpoint, 2):
        for _ in range(5):
            assert health.get("/health").elapsed.total_seconds() < 0.5


def test_four_streams_interleave_and_a_fifth_reports_its_wait(
    endpoint: Endpoint,
) -> None:
    waits: list[float | None] = []
    with busy_slots(endpoint, PARALLEL) as streams:
        lines = [stream.iter_lines() for stream in streams]
        # None of them has ended, and all continue.
        for _ in range(3):
            for stream in lines:
                while not next(stream).startswith(b"data: {"):
                    pass

        def ask() -> None:
            waits.append(queue_ms(endpoint.post(say("Say hi", max_tokens=1)).headers["Server-Timing"]))

        began = time.monotonic()
        fifth = in_background(ask)
        fifth.join(0.3)
        assert not waits
        # A client that leaves its stream frees its slot.
        streams[0].close()
        fifth.join(30)
        took_ms = (time.monotonic() - began) * 1000
        served_before = [queue_ms(stream.headers["Server-Timing"]) for stream in streams]
    [waited] = waits
    assert max(served_before) < waited < took_ms


@pytest.mark.parametrize("body", [LONG_PROMPT, ENDLESS], ids=["prompt", "answer"])
def test_a_client_that_disconnects_frees_its_slot(endpoint: Endpoint, body: dict[str, Any]) -> None:
    with busy_slots(endpoint, PARALLEL - 1):
        with ask_and_leave(endpoint, body):
            time.sleep(0.3)
        assert_served(endpoint)


def test_clients_that_leave_while_waiting_do_not_hold_up_the_next(endpoint: Endpoint) -> None:
    with busy_slots(endpoint, PARALLEL) as streams:
        with contextlib.ExitStack() as waiting:
            for _ in range(20):
                waiting.enter_context(ask_and_leave(endpoint, ENDLESS))
        streams[0].close()
        # Any of the twenty that still had a slot would never end.
        assert_served(endpoint)


@pytest.mark.clock
def test_a_slot_is_free_within_a_second_and_a_half(endpoint: Endpoint) -> None:
    with busy_slots(endpoint, PARALLEL) as streams:
        left = time.monotonic()
        streams[0].close()
        assert_served(endpoint)
        assert time.monotonic() - left < 1.5
