"""Stop ends a run at once in every phase, and the endpoint sees its connection closed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import pytest

from components.streaming.connections import close_kept_connections
from components.streaming.faults import ErrorKind
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from components.streaming.stream import AnswerStream
from tests.faults.breaks import CHUNKS, SAID
from tests.faults.connecting import TLS_HELLO, never_reading, without_reading
from tests.faults.fault import GOOD, HELLO, stream, then
from tests.faults.playing import Resources, at_once, full_queue
from tests.faults.server import Caller, Play, answering, serving, trusted
from tests.streaming.endpoint import chunk, document, head

pytestmark = pytest.mark.clock

STOP_AFTER_S = 0.15
ENDS_WITHIN_S = 0.5
CLOSED_WITHIN_S = 1.0


@dataclass(frozen=True)
class Phase:
    """The state of a run at the stop, and the text it keeps; ``text`` None stands for any text."""

    name: str
    play: Play | None = None
    text: str | None = ""
    http: int | None = None
    tls: bool = False
    certificate: str | None = None
    body: bytes = b'{"stream": true}'
    limits: dict[str, float] = field(default_factory=dict)

    def differences(self, seen: Stopped) -> list[str]:
        """The broken guarantees of a stop in this phase, in words; empty when all are kept."""
        outcome = seen.outcome
        text_is_kept = set(outcome.text) == {"x"} if self.text is None else outcome.text == self.text
        promises = {
            f"ended as {outcome.status}": (outcome.status, outcome.error_kind)
            == (Status.CANCELLED, ErrorKind.CANCELLED),
            f"message: {outcome.message}": outcome.message == "Stopped.",
            f"HTTP status: {outcome.http_status}": outcome.http_status == self.http,
            f"text: {outcome.text[:100]}": text_is_kept,
            f"attempts: {seen.attempts}": seen.attempts == 1,
            f"time: ended after {seen.ended_s:.2f} s": seen.ended_s < ENDS_WITHIN_S,
            f"time: closed after {seen.closed_s:.2f} s": seen.closed_s < CLOSED_WITHIN_S,
        }
        return [promise for promise, kept in promises.items() if not kept]


LOOK_UP = Phase("name look-up")
PHASES = (
    Phase("connecting"),
    Phase("wait before a retry of a connection"),
    Phase("TLS handshake without an answer", Caller.wait, tls=True),
    Phase("TLS handshake half done", without_reading(bytes([TLS_HELLO, 3, 3, 0, 122, 2, 0]), "wait"), tls=True),
    Phase("sending the request", never_reading, body=b"x" * 12_000_000),
    Phase("waiting for headers", then(b"", "wait")),
    Phase("waiting for headers under TLS", then(b"", "wait"), certificate="good"),
    Phase("half a status line", then(b"HTTP/1.1 2", "wait")),
    Phase("half the headers", then(head()[:-2], "wait")),
    Phase("drip of headers", then(b"HTTP/1.1 200 OK\r\nX: ", "drip", b"x")),
    Phase("flood of interim answers", then(b"", "flood", b"HTTP/1.1 100 Continue\r\n\r\n" * 99)),
    Phase("wait that Retry-After asks for", answering(document("", "429 Wait", "Retry-After: 50")), http=429),
    Phase("wait before a retry", answering(document("", "503 Wait")), http=503, limits={"backoff_s": 50}),
    Phase("error body", then(head("500 No") + b"so far", "wait"), http=500, limits={"error_body_s": 50}),
    Phase("page instead of a stream", then(head(content_type="text/html"), "wait"), http=200,
          limits={"error_body_s": 50}),
    Phase("waiting for the first event", then(head(), "wait"), http=200),
    Phase("comments", then(head(), "drip", b": ping\n\n"), http=200),
    Phase("flood of comments", then(head(), "flood", b": ping\n\n" * 999), http=200),
    Phase("body that says nothing yet", then(head(content_type="text/plain") + b"d", "wait"), http=200),
    Phase("half a document", then(head(content_type="application/json") + b'{"a', "wait"), http=200),
    Phase("streaming", then(stream(HELLO), "drip", chunk("")), "Hello", 200),
    Phase("silence in the stream", then(stream(HELLO), "wait"), "Hello", 200),
    Phase("silence under TLS", then(stream(HELLO), "wait"), "Hello", 200, certificate="good"),
    Phase("half a chunk", then(SAID + b"99\r\nda", "wait"), "Hello", 200),
    Phase("half a chunk size", then(CHUNKS + b"9", "wait"), "", 200),
    Phase("flood", then(head(), "flood", chunk("x") * 99), None, 200),
    Phase("flood of small pieces", then(head(), "flood", chunk("x")), None, 200),
    Phase("flood under TLS", then(head(), "flood", chunk("x") * 99), None, 200, certificate="good"),
    Phase("behind [DONE]", then(stream(GOOD), "wait"), "Hello", 200, limits={"after_done_s": 50}),
)  # fmt: skip


@dataclass(frozen=True)
class Stopped:
    """The effect of a stop: the outcome, and the seconds until the end and until the server saw the close."""

    outcome: Outcome
    ended_s: float
    closed_s: float
    attempts: int


def stopped(phase: Phase) -> Stopped:
    with ExitStack() as stack:
        server = None
        if phase.play:
            server = stack.enter_context(serving(phase.play, phase.certificate))
            base_url = f"{'https' if phase.tls or phase.certificate else 'http'}://127.0.0.1:{server.port}/v1"
        elif phase is LOOK_UP:
            base_url = "http://name.invalid/v1"
        else:
            base_url = f"http://127.0.0.1:{stack.enter_context(full_queue())}/v1"
        limits = {"after_done_s": 0.1, "connect_s": 50 if phase.name == "connecting" else 0.05, "backoff_s": 50.0}
        stream = AnswerStream(base_url, phase.body, limits=Limits.from_mapping(limits | phase.limits))
        moments: list[float] = []

        def stop() -> None:
            moments.append(time.monotonic())
            stream.stop()

        timer = threading.Timer(STOP_AFTER_S, stop)
        timer.start()
        for _ in stream:
            pass
        ended_at = time.monotonic()
        timer.join()
        close_kept_connections()  # of an error response that was read to its end
        assert server is None or server.all_connections_closed(CLOSED_WITHIN_S)
        closed_at = max(server.left_at) if server else ended_at
        return Stopped(stream.outcome, ended_at - moments[0], closed_at - moments[0], server.attempts if server else 1)


@contextmanager
def endless_look_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within this block, the resolver does not answer."""
    over = threading.Event()

    def look_up(*_: object, **__: object) -> list[object]:
        over.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "over")

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", look_up)
        try:
            yield
        finally:
            over.set()
            for thread in threading.enumerate():
                if thread.name == "look up a host":
                    thread.join()


@pytest.fixture(scope="module")
def _trusted() -> Iterator[None]:
    with trusted():
        yield


@pytest.fixture(scope="module")
def together(_trusted: None) -> tuple[dict[str, list[str]], list[str]]:
    """The broken guarantees of each phase when several are stopped at once, and the leaks of all of them."""
    found, left = at_once(lambda phase: phase.differences(stopped(phase)), PHASES)
    return {phase.name: differences for phase, differences in zip(PHASES, found, strict=True)}, left


def differences_alone(phase: Phase) -> list[str]:
    before = Resources.now()
    return phase.differences(stopped(phase)) + Resources.now().more_than(before)


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
def test_a_stop_ends_the_run_at_once_and_the_endpoint_sees_it(
    phase: Phase, together: tuple[dict[str, list[str]], list[str]]
) -> None:
    differences = together[0][phase.name]
    if any(text.startswith("time: ") for text in differences):
        # Runs stopped at once may delay each other.
        differences = differences_alone(phase)
    assert differences == []


def test_a_stop_ends_a_name_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    with endless_look_up(monkeypatch):
        seen = stopped(LOOK_UP)
    assert LOOK_UP.differences(seen) == []


def test_stopped_runs_leave_no_thread_or_open_file(together: tuple[dict[str, list[str]], list[str]]) -> None:
    assert together[1] == []
