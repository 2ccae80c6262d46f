"""Kept connections: which calls reuse them, and which never do."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from urllib3.connection import HTTPConnection

from components.endpoints.endpoint import Address
from components.endpoints.models import list_models
from components.streaming.connections import IdleConnections, close_kept_connections
from components.streaming.faults import ErrorKind
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from components.streaming.session import ApiKey
from components.streaming.stream import AnswerStream
from tests.faults.server import server_context, trusted
from tests.streaming.endpoint import DONE, Endpoint, Play, chunk, document, framed, head, read_request, serve
from tests.waiting import wait_for

LIMITS = Limits.from_mapping({"total_s": 10, "backoff_s": 0.01, "after_done_s": 0.1})
BODY = chunk("Hello") + chunk(finish="stop") + DONE
WHOLE = head("200 OK", f"Content-Length: {len(BODY)}") + BODY
CHUNKED = head("200 OK", "Transfer-Encoding: chunked") + framed(BODY) + framed(b"")
HELLO = head("200 OK", "Transfer-Encoding: chunked") + framed(chunk("Hello"))


@pytest.fixture(autouse=True)
def nothing_is_kept_before_and_after() -> Iterator[None]:
    close_kept_connections()
    yield
    close_kept_connections()


def in_turn(*answers: bytes | None) -> Play:
    """A play that answers the requests of all connections in turn, repeating the last answer; None hangs up."""
    rest = list(answers)

    def play(connection: socket.socket, request: bytes) -> None:
        while request:
            answer = rest.pop(0) if len(rest) > 1 else rest[0]
            if answer is None:
                return
            connection.sendall(answer)
            request = read_request(connection)

    return play


def ask(endpoint: Endpoint, secret: str | None = None, scheme: str = "http", **more: object) -> Outcome:
    base_url = endpoint.base_url.replace("http", scheme)
    key = ApiKey(secret, base_url) if secret else None
    stream = AnswerStream(base_url, b'{"stream": true}', key=key, limits=LIMITS, **more)
    assert [event.data for event in stream] or stream.outcome.error_kind
    return stream.outcome


def connections(endpoint: Endpoint) -> int:
    # The endpoint records the first request of each connection.
    return len(endpoint.requests)


@pytest.mark.parametrize("answer", [WHOLE, CHUNKED], ids=["length", "chunked"])
def test_a_second_call_uses_the_connection_of_the_first(answer: bytes) -> None:
    with serve(in_turn(answer)) as endpoint:
        first, second = ask(endpoint), ask(endpoint)
        assert connections(endpoint) == 1
    assert (first.text, second.text) == ("Hello", "Hello")
    assert first.timings.connect_ms
    assert second.timings.connect_ms == 0
    assert second.timings.ttft_ms is not None


def test_a_second_call_needs_no_tls_handshake() -> None:
    context = server_context("good")
    answers = in_turn(WHOLE)

    def play(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as under_tls:
            read_request(under_tls)
            answers(under_tls, b"first")

    with trusted(), socket.create_server(("127.0.0.1", 0)) as listener:
        base_url = f"https://127.0.0.1:{listener.getsockname()[1]}/v1"

        def accept_one() -> None:
            with suppress(ConnectionAbortedError):  # the client hangs up between two requests
                play(listener.accept()[0])

        thread = threading.Thread(target=accept_one)
        thread.start()
        streams = [AnswerStream(base_url, b"{}", key=ApiKey("sk-1", base_url), limits=LIMITS) for _ in range(2)]
        for stream in streams:
            list(stream)
        close_kept_connections()
        thread.join()
    assert [stream.outcome.status for stream in streams] == [Status.OK, Status.OK]
    assert streams[1].outcome.timings.connect_ms == 0


def test_listing_models_leaves_a_connection_for_the_first_run() -> None:
    models = document({"data": [{"id": "m"}]})
    with serve(in_turn(models, WHOLE)) as endpoint:
        assert [model.id for model in list_models(Address(endpoint.base_url, None))] == ["m"]
        assert ask(endpoint).timings.connect_ms == 0


def test_an_error_read_to_its_end_keeps_the_connection() -> None:
    with serve(in_turn(document({"error": {"message": "no"}}, "400 Bad Request"), WHOLE)) as endpoint:
        assert ask(endpoint).http_status == 400
        assert ask(endpoint).timings.connect_ms == 0


def test_no_two_keys_share_a_connection() -> None:
    with serve(in_turn(WHOLE)) as endpoint:
        for secret in ("sk-one", "sk-two", None, "sk-one"):
            assert ask(endpoint, secret).status is Status.OK
        assert connections(endpoint) == 3
        assert all(b"sk-" in request for request in endpoint.requests[:2])


@pytest.mark.parametrize(
    "answer",
    [
        head() + BODY,
        head("200 OK", "Connection: close", f"Content-Length: {len(BODY)}") + BODY,
        WHOLE + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
        CHUNKED + b"x",
        document({"error": {"message": "no"}}, "302 Found", "Location: /elsewhere"),
    ],
    ids=["ends with the connection", "says close", "another answer behind it", "a byte behind it", "not read"],
)
def test_a_connection_that_cannot_be_reused_is_not_kept(answer: bytes) -> None:
    def play(connection: socket.socket, request: bytes) -> None:
        connection.sendall(answer)
        if answer.startswith(head()):
            connection.shutdown(socket.SHUT_WR)
        endpoint.until_closed(connection)

    with serve(play) as endpoint:
        ask(endpoint)
        assert ask(endpoint).timings.connect_ms
        assert connections(endpoint) == 2
        endpoint.play = in_turn(WHOLE)
        assert ask(endpoint).text == "Hello"


def test_a_stop_in_the_middle_closes_the_connection() -> None:
    with serve(in_turn(HELLO)) as endpoint:
        stream = AnswerStream(endpoint.base_url, b"{}", limits=LIMITS)
        for _ in stream:
            stream.stop()
        assert stream.outcome.status is Status.CANCELLED
        endpoint.play = in_turn(WHOLE)
        assert ask(endpoint).timings.connect_ms
        assert connections(endpoint) == 2


def test_a_stop_after_the_end_does_not_touch_the_next_call() -> None:
    with serve(in_turn(WHOLE)) as endpoint:
        first = AnswerStream(endpoint.base_url, b"{}", limits=LIMITS)
        list(first)
        second = AnswerStream(endpoint.base_url, b"{}", limits=LIMITS)
        for _ in second:
            first.stop()
        assert second.outcome.status is Status.OK
        assert connections(endpoint) == 1


def test_an_answer_ended_by_a_limit_closes_the_connection() -> None:
    with serve(in_turn(head("200 OK", "Transfer-Encoding: chunked") + framed(BODY), WHOLE)) as endpoint:
        assert ask(endpoint).status is Status.OK  # [DONE] arrived, the end of the body did not
        assert ask(endpoint).timings.connect_ms


def test_an_idle_connection_that_the_endpoint_closed_is_replaced() -> None:
    def once(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(WHOLE)

    with serve(once) as endpoint:
        assert [ask(endpoint).attempts for _ in range(2)] == [1, 1]
        assert connections(endpoint) == 2


def test_a_connection_lost_during_the_request_is_replaced_once_without_a_retry() -> None:
    with serve(in_turn(WHOLE, None, WHOLE)) as endpoint:
        ask(endpoint)
        again = ask(endpoint)
        assert (again.status, again.attempts, again.retries) == (Status.OK, 1, ())
        assert again.timings.connect_ms
        assert connections(endpoint) == 2


def test_a_second_lost_connection_is_an_error() -> None:
    with serve(in_turn(WHOLE, None)) as endpoint:
        ask(endpoint)
        failed = ask(endpoint)
        assert (failed.error_kind, failed.attempts) == (ErrorKind.RESET, 3)


def test_an_answer_that_began_on_a_kept_connection_is_not_requested_again() -> None:
    cut = iter([WHOLE, b"HTTP/1.1 200 OK\r\nContent-"])

    def play(connection: socket.socket, request: bytes) -> None:
        connection.sendall(next(cut))
        read_request(connection)
        connection.sendall(next(cut))

    with serve(play) as endpoint:
        ask(endpoint)
        failed = ask(endpoint)
        assert (failed.error_kind, failed.attempts) == (ErrorKind.RESET, 1)
        assert connections(endpoint) == 1


def test_each_call_checks_the_peer_of_a_kept_connection_against_its_own_policy() -> None:
    with serve(in_turn(WHOLE)) as endpoint:
        assert ask(endpoint).status is Status.OK
        refused = ask(endpoint, allows=lambda address: not address.startswith("127."))
        assert (refused.status, refused.error_kind) == (Status.REJECTED, ErrorKind.ADDRESS_REFUSED)
        assert connections(endpoint) == 1
        assert ask(endpoint, allows=lambda address: address == "127.0.0.1").timings.connect_ms
        assert ask(endpoint, allows=lambda address: address == "127.0.0.1").timings.connect_ms == 0


def test_a_connection_idle_for_too_long_is_closed_and_not_reused() -> None:
    place = (1, "http", "a-host", 80, None)
    for kept_s, used in ((60.0, True), (0.01, False)):
        ours, theirs = socket.socketpair()
        connection = HTTPConnection("a-host")
        connection.sock = ours
        kept = IdleConnections(kept_s)
        kept.keep(place, connection)
        since = time.monotonic()
        wait_for(lambda since=since: time.monotonic() > since + 0.02)
        assert (kept.take(place, None) is connection) is used
        assert connection.is_connected is used
        connection.close()
        theirs.close()
