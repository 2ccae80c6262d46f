"""Many clients at once, and clients that leave before their answer is complete."""

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

from .conftest import ENDLESS, LONG_PROMPT, MODEL, Endpoint, Stream, in_background, say

PARALLEL = 4


@contextlib.contextmanager
def busy_slots(endpoint: Endpoint, count: int) -> Iterator[list[requests.Response]]:
    """``count`` streams that go on for as long as the block lasts; each has begun."""
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
    """Send a request over a bare socket, so that leaving is nothing but the connection's end."""
    address = urlsplit(endpoint.base_url)
    payload = json.dumps({"model": MODEL, **body}).encode()
    connection = socket.create_connection((address.hostname, address.port), timeout=20)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {endpoint.key}\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    connection.sendall(head.encode() + payload)
    return connection


def seconds_until_served(endpoint: Endpoint, since: float) -> float:
    with endpoint.post(say("Say hi", max_tokens=1, stream=True), stream=True) as response:
        assert response.status_code == 200
        return time.monotonic() - since


def test_four_streams_come_interleaved(endpoint: Endpoint) -> None:
    streams: list[Stream] = []

    def read(number: int) -> None:
        body = say(f"Tell me a story about {number} foxes", max_tokens=30, random_seed=number, stream=True)
        with endpoint.post(body, stream=True) as response:
            stream = Stream(response)
            stream.read()
            streams.append(stream)

    threads = [in_background(lambda number=number: read(number)) for number in range(PARALLEL)]
    for thread in threads:
        thread.join()
    assert len(streams) == PARALLEL
    last_first_text = max(stream.chunks[1][0] for stream in streams)
    first_end = min(stream.chunks[-1][0] for stream in streams)
    assert last_first_text < first_end
    for stream in streams:
        moments = [moment for moment, _ in stream.chunks]
        assert moments[-1] - moments[1] > 0.2, "the pieces came one by one"


def test_a_seed_repeats_in_company_too(endpoint: Endpoint) -> None:
    body = say("Tell me a story about a fox", max_tokens=25, temperature=1.0, random_seed=7)
    alone = endpoint.text(body)
    with busy_slots(endpoint, 2):
        assert endpoint.text(body) == alone


def test_health_is_answered_while_the_model_works(endpoint: Endpoint) -> None:
    health = Endpoint(endpoint.base_url.removesuffix("/v1"))
    with busy_slots(endpoint, 2):
        for _ in range(5):
            assert health.get("/health").elapsed.total_seconds() < 0.5


def test_a_fifth_client_waits_and_is_served_in_its_turn(endpoint: Endpoint) -> None:
    answers: list[str] = []
    with busy_slots(endpoint, PARALLEL) as streams:
        fifth = in_background(lambda: answers.append(endpoint.text(say("Say hi", max_tokens=2))))
        fifth.join(0.7)
        assert not answers
        streams[0].close()
        fifth.join(10)
        assert answers


def test_of_five_clients_only_the_fifth_is_told_that_it_waited(endpoint: Endpoint) -> None:
    waits: list[float | None] = []
    with busy_slots(endpoint, PARALLEL) as streams:

        def ask() -> None:
            waits.append(queue_ms(endpoint.post(say("Say hi", max_tokens=1)).headers["Server-Timing"]))

        began = time.monotonic()
        fifth = in_background(ask)
        time.sleep(0.3)
        streams[0].close()
        fifth.join(10)
        took_ms = (time.monotonic() - began) * 1000
        served_at_once = [queue_ms(stream.headers["Server-Timing"]) for stream in streams]
    assert max(served_at_once) < 50
    # The connection takes a little of the 300 ms.
    [waited] = waits
    assert 200 < waited < took_ms


def test_a_client_that_leaves_its_stream_frees_its_slot(endpoint: Endpoint) -> None:
    with busy_slots(endpoint, PARALLEL) as streams:
        left = time.monotonic()
        streams[0].close()
        assert seconds_until_served(endpoint, left) < 1


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_while_its_prompt_is_read_frees_its_slot(endpoint: Endpoint, stream: bool) -> None:
    with busy_slots(endpoint, PARALLEL - 1):
        with ask_and_leave(endpoint, {**LONG_PROMPT, "stream": stream}):
            time.sleep(0.7)
        assert seconds_until_served(endpoint, time.monotonic()) < 1.5


def test_a_client_that_leaves_an_unstreamed_answer_frees_its_slot(endpoint: Endpoint) -> None:
    with busy_slots(endpoint, PARALLEL - 1):
        with ask_and_leave(endpoint, ENDLESS):
            time.sleep(1)
        assert seconds_until_served(endpoint, time.monotonic()) < 1.5


def test_clients_that_leave_while_waiting_do_not_hold_up_the_next(endpoint: Endpoint) -> None:
    with busy_slots(endpoint, PARALLEL) as streams:
        with contextlib.ExitStack() as waiting:
            for _ in range(20):
                waiting.enter_context(ask_and_leave(endpoint, LONG_PROMPT))
            time.sleep(0.5)
        left = time.monotonic()
        streams[0].close()
        assert seconds_until_served(endpoint, left) < 1.5
