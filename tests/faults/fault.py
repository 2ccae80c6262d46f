"""A fault: the misbehaviour of an endpoint, and the required end of a run against it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from tests.faults.server import Caller, Play, answering
from tests.streaming.endpoint import DONE, chunk, framed, head

HELLO = chunk("Hel") + chunk("lo")
FINISH = chunk(finish="stop")
GOOD = HELLO + FINISH + DONE

# Short, so that faults ended by a limit end soon.
LIMITS: Mapping[str, float] = {
    "connect_s": 1,
    "first_byte_s": 2,
    "first_event_s": 2,
    "idle_between_events_s": 2,
    "total_s": 6,
    "after_done_s": 0.1,
    "error_body_s": 0.15,
    "backoff_s": 0.01,
    "max_backoff_s": 0.02,
}
SOON = 0.2
"""A limit that ends a fault, in seconds."""

KEY = "sk-canary-0123456789abcdef"


class Where(Enum):
    """The server at the endpoint's address."""

    SERVER = "the bad server"
    CLOSED_PORT = "a port on which nothing listens"
    FULL = "a queue so full that the next packets are dropped"
    UNKNOWN_NAME = "http://no-such-host.invalid/v1"
    ILLEGAL_NAME = f"http://{'long-' * 20}name.invalid/v1"


@dataclass(frozen=True)
class Fault:
    """A misbehaviour, and the guarantee for it.

    ``attempts`` is the number of connections to the server. ``text`` is the kept text, or a pattern for it.
    The run must end within ``within_s`` seconds under ``LIMITS`` and ``limits``. ``says`` is part of the message,
    ``warns`` of a warning. ``size`` marks the faults whose memory is measured.
    """

    id: str
    play: Play
    status: str
    kind: str | None
    http: int | None
    text: str | re.Pattern[str] = ""
    attempts: int = 1
    retries: int | None = None
    """Where they are not one less than the attempts."""
    within_s: float = 0.5
    limits: Mapping[str, float] = field(default_factory=dict)
    says: str = ""
    warns: str = ""
    where: Where = Where.SERVER
    tls: bool = False
    certificate: str | None = None
    body: bytes = b'{"stream": true}'
    size: bool = False
    group: str = ""

    def promised(self) -> str:
        """The guarantee in a few words."""
        return " ".join(filter(None, [self.status, self.kind, self.http and str(self.http)]))


def _played(play: Play | bytes) -> Play:
    return answering(play) if isinstance(play, bytes) else play


def ok(name: str, play: Play | bytes, text: str = "Hello", **more: object) -> Fault:
    """A fault without loss."""
    return _fault(name, play, status="ok", kind=None, text=text, **more)


def damaged(name: str, play: Play | bytes, text: str = "Hello", **more: object) -> Fault:
    """A fault that leaves the answer complete, but possibly with a gap."""
    return _fault(name, play, status="damaged", kind=None, text=text, **more)


def interrupted(name: str, kind: str, play: Play | bytes, text: str = "Hello", **more: object) -> Fault:
    """A fault after some text has arrived, which is kept."""
    return _fault(name, play, status="interrupted", kind=kind, text=text, **more)


def error(name: str, kind: str, play: Play | bytes, http: int | None = 200, **more: object) -> Fault:
    """A fault before any text."""
    return _fault(name, play, status="error", kind=kind, http=http, **more)


def _fault(name: str, play: Play | bytes, **fields: object) -> Fault:
    return Fault(name, _played(play), **({"http": 200} | fields))  # type: ignore[arg-type]


def group(name: str, *faults: Fault) -> tuple[Fault, ...]:
    """The faults of one group."""
    return tuple(replace(each, group=name) for each in faults)


def stream(*pieces: bytes) -> bytes:
    """A response with status 200 and these events, which ends with the connection."""
    return head() + b"".join(pieces)


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """A response with status 200 and these pieces as its chunks."""
    return head("200 OK", "Transfer-Encoding: chunked") + b"".join(map(framed, pieces)) + end


def repeated(first: bytes, piece: bytes, times: int, end: bytes = b"") -> Play:
    """A play that sends a large body without holding it in memory."""

    def play(caller: Caller) -> None:
        caller.read()
        caller.send(first)
        for _ in range(times):
            caller.send(piece)
        caller.send(end)
        caller.finish()

    return play


def then(first: bytes, what: str, *arguments: object) -> Play:
    """A play that reads the request, sends ``first``, then calls the method of ``Caller`` with this name."""

    def play(caller: Caller) -> None:
        caller.read()
        caller.send(first)
        getattr(caller, what)(*arguments)

    return play
