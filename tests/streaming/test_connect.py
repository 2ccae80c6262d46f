"""Allowed addresses: the connected peer is checked before a byte is sent."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from components.streaming.connect import connect
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome
from components.streaming.session import ApiKey
from components.streaming.stream import AnswerStream
from components.streaming.watch import Watch
from tests.streaming.endpoint import DONE, chunk, head, serve
from tests.streaming.recorder import Recorder, recording

PUBLIC = "8.8.4.4"
LIMITS = Limits.from_mapping({"total_s": 5, "connect_s": 2, "backoff_s": 0.01})
KEY = "sk-canary-0123456789"


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as made:
        yield made


def is_not_loopback(address: str) -> bool:
    return not address.startswith("127.")


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Make look-ups return these answers in turn, repeating the last. Returns the names looked up."""
    looked_up: list[str] = []
    rest = list(answers)

    def look_up(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        looked_up.append(host)
        addresses = rest.pop(0) if len(rest) > 1 else rest[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return looked_up


def redirecting(monkeypatch: pytest.MonkeyPatch, to: Callable[[tuple[str, int]], tuple[str, int]]) -> list[str]:
    """Redirect connections to another address. Returns the intended addresses."""
    intended: list[str] = []

    class Redirected(socket.socket):
        def connect(self, address: tuple[str, int]) -> None:  # type: ignore[override]
            intended.append(address[0])
            super().connect(to(address))

    monkeypatch.setattr(socket, "socket", Redirected)
    return intended


def answer(host: str, port: int, allows: Callable[[str], bool] | None = is_not_loopback) -> Outcome:
    base_url = f"http://{host}:{port}/v1"
    stream = AnswerStream(base_url, b"{}", key=ApiKey(KEY, base_url), limits=LIMITS, allows=allows)
    for _ in stream:
        pass
    return stream.outcome


def test_a_refused_address_receives_no_packet(recorder: Recorder) -> None:
    outcome = answer("127.0.0.1", recorder.port)
    assert (outcome.error_kind, outcome.attempts) == (ErrorKind.ADDRESS_REFUSED, 1)
    assert "is not public, so nothing was sent there. Give a base URL with a public host" in outcome.message
    assert recorder.seen() == (0, b"")


@pytest.mark.parametrize("spelled", ["localhost", "127.1", "0x7f.1", "0x7f000001", "017700000001", "2130706433", "0"])
def test_other_spellings_of_this_machine_are_refused(spelled: str, recorder: Recorder) -> None:
    def is_elsewhere(address: str) -> bool:
        return is_not_loopback(address) and address not in ("0.0.0.0", "::1")

    assert answer(spelled, recorder.port, is_elsewhere).error_kind is ErrorKind.ADDRESS_REFUSED
    assert recorder.seen() == (0, b"")


def test_a_name_that_later_resolves_to_this_machine_is_refused(
    monkeypatch: pytest.MonkeyPatch, recorder: Recorder
) -> None:
    looked_up = resolving(monkeypatch, [PUBLIC], ["127.0.0.1"])

    def refuse(_address: tuple[str, int]) -> tuple[str, int]:
        raise ConnectionRefusedError

    intended = redirecting(monkeypatch, refuse)
    outcome = answer("rebinding.example", recorder.port)
    assert [retry.kind for retry in outcome.retries] == [ErrorKind.CONNECT_REFUSED]
    assert outcome.error_kind is ErrorKind.ADDRESS_REFUSED
    assert looked_up == ["rebinding.example"] * 2, "and not looked up endlessly"
    assert intended == [PUBLIC]
    monkeypatch.undo()
    assert recorder.seen() == (0, b"")


def test_the_connected_peer_counts_not_the_looked_up_address(
    monkeypatch: pytest.MonkeyPatch, recorder: Recorder
) -> None:
    resolving(monkeypatch, [PUBLIC])
    intended = redirecting(monkeypatch, lambda _address: ("127.0.0.1", recorder.port))
    outcome = answer("rewritten.example", recorder.port)
    assert (outcome.error_kind, outcome.attempts) == (ErrorKind.ADDRESS_REFUSED, 1)
    assert intended == [PUBLIC]
    assert "127.0.0.1" not in outcome.message
    monkeypatch.undo()
    assert recorder.seen() == (1, b""), "connected, but no byte was sent"


def test_no_tls_handshake_is_sent_to_a_refused_address(monkeypatch: pytest.MonkeyPatch, recorder: Recorder) -> None:
    resolving(monkeypatch, [PUBLIC])
    redirecting(monkeypatch, lambda _address: ("127.0.0.1", recorder.port))
    stream = AnswerStream("https://rewritten.example/v1", b"{}", limits=LIMITS, allows=is_not_loopback)
    assert list(stream) == []
    assert stream.outcome.error_kind is ErrorKind.ADDRESS_REFUSED
    monkeypatch.undo()
    assert recorder.seen() == (1, b"")


def test_one_refused_address_of_a_host_refuses_the_host(monkeypatch: pytest.MonkeyPatch, recorder: Recorder) -> None:
    resolving(monkeypatch, [PUBLIC, "127.0.0.1"])
    intended = redirecting(monkeypatch, lambda address: address)
    assert answer("both.example", recorder.port).error_kind is ErrorKind.ADDRESS_REFUSED
    assert intended == []


def test_a_connection_without_a_known_peer_is_refused(monkeypatch: pytest.MonkeyPatch, recorder: Recorder) -> None:
    resolving(monkeypatch, [PUBLIC])

    class Gone(socket.socket):
        def connect(self, _address: object) -> None:  # type: ignore[override]
            super().connect(("127.0.0.1", recorder.port))

        def getpeername(self) -> object:  # type: ignore[override]
            raise OSError(107, "not connected")

    monkeypatch.setattr(socket, "socket", Gone)
    watch = Watch(5)
    with pytest.raises(StreamFault) as fault:
        connect(watch, 1, "gone.example", 80, is_not_loopback)
    watch.close()
    assert fault.value.kind is ErrorKind.UNREACHABLE
    assert fault.value.unprocessed


def test_allowed_addresses_are_called_and_without_a_policy_all_are() -> None:
    for allows in (lambda address: address == "127.0.0.1", None):
        with serve(head() + chunk("Hello", "stop") + DONE) as endpoint:
            outcome = answer("127.0.0.1", endpoint.port, allows)
        assert outcome.text == "Hello"
        assert KEY.encode() in endpoint.requests[0]
