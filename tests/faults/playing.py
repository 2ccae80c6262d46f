"""Plays one fault to the reader, and reports the observations of both sides."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from components.streaming.answer import TimedEvent
from components.streaming.connections import close_kept_connections
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome
from components.streaming.session import ApiKey
from components.streaming.stream import AnswerStream
from tests.faults.fault import KEY, LIMITS, Fault, Where
from tests.faults.server import BadServer, serving

_SETTLED_S = 1.0
"""How soon after the end of a run the server must have seen its connections closed."""


@dataclass(frozen=True)
class Played:
    """One run against one fault."""

    outcome: Outcome
    events: list[TimedEvent]
    took_s: float
    server: BadServer | None
    """The server, closed; None when the address led to none."""
    settled: bool
    """Whether the server saw every connection closed soon after the end."""
    called_elsewhere: bool = False
    """Whether the target of a redirect was called."""

    def differences(self, fault: Fault) -> list[str]:
        """The broken guarantees in words; empty when all are kept."""
        outcome, found = self.outcome, []

        def compare(what: str, promised: object, observed: object) -> None:
            if promised != observed:
                found.append(f"{what}: {observed!r:.300} instead of {promised!r:.300}")

        compare("status", fault.status, outcome.status.value)
        compare("error kind", fault.kind, outcome.error_kind and outcome.error_kind.value)
        compare("HTTP status", fault.http, outcome.http_status)
        compare("attempts", fault.attempts, outcome.attempts)
        compare("retries", fault.attempts - 1 if fault.retries is None else fault.retries, len(outcome.retries))
        if isinstance(fault.text, re.Pattern):
            compare("text", True, bool(fault.text.fullmatch(outcome.text)) or outcome.text[:100])
        else:
            compare("text", fault.text, outcome.text)
        given_out = "".join(delta.text for event in self.events for delta in event.deltas if delta.index == 0)
        compare("text of the events", outcome.text, given_out)
        compare("a message", outcome.error_kind is not None, bool(outcome.message))
        compare("length of the message", True, len(outcome.message or "") <= 500)
        if fault.says not in (outcome.message or ""):
            found.append(f"message: {outcome.message!r} without {fault.says!r}")
        if not any(fault.warns in warning for warning in ("", *outcome.warnings)):
            found.append(f"warnings: {outcome.warnings!r} without {fault.warns!r}")
        if KEY[:8] in f"{outcome.message}{outcome.raw_error}{outcome.warnings}":
            found.append("the key is told")
        if self.took_s > fault.within_s + max(fault.limits.values(), default=0):
            found.append(f"time: {self.took_s:.2f} s")
        if self.server:
            compare("attempts that the server saw", fault.attempts, self.server.attempts)
            compare("calls elsewhere", False, self.called_elsewhere)
            compare("closed connections", True, self.settled)
        return found


def play(fault: Fault, **limits: float) -> Played:
    """Run the reader against this fault; ``limits`` override those of the fault."""
    if fault.where is not Where.SERVER:
        with _address(fault.where) as base_url:
            outcome, events, took_s = run(base_url, fault, **limits)
        return Played(outcome, events, took_s, None, True)
    with serving(fault.play, fault.certificate) as server:
        outcome, events, took_s = run(base_url_of(fault, server), fault, **limits)
        close_kept_connections()
        settled = server.all_connections_closed(_SETTLED_S)
        called_elsewhere = server.called_elsewhere
    return Played(outcome, events, took_s, server, settled, called_elsewhere)


def base_url_of(fault: Fault, server: BadServer) -> str:
    """The reader's base URL for this fault's server."""
    return f"{'https' if fault.tls or fault.certificate else 'http'}://127.0.0.1:{server.port}/v1"


def run(base_url: str, fault: Fault, **limits: float) -> tuple[Outcome, list[TimedEvent], float]:
    """One run, and its duration in seconds."""
    values = Limits.from_mapping({**LIMITS, **fault.limits, **limits})
    began = time.monotonic()
    stream = AnswerStream(base_url, fault.body, key=ApiKey(KEY, base_url), limits=values)
    events = list(stream)
    return stream.outcome, events, time.monotonic() - began


@contextmanager
def _address(where: Where) -> Iterator[str]:
    if where is Where.CLOSED_PORT:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        yield f"http://127.0.0.1:{port}/v1"
    elif where is Where.FULL:
        with full_queue() as port:
            yield f"http://127.0.0.1:{port}/v1"
    else:
        yield where.value


@contextmanager
def full_queue() -> Iterator[int]:
    """The port of a socket with a full queue, which accepts no connection."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        time.sleep(0.01)
        yield full.getsockname()[1]


AT_ONCE = 8
"""How many faults are played at the same time where their time does not count."""

Case = TypeVar("Case")
Seen = TypeVar("Seen")


def at_once(play_one: Callable[[Case], Seen], cases: Sequence[Case]) -> tuple[list[Seen], list[str]]:
    """The result of each case, several played at once, and the leaks of all of them, in words."""
    play_one(cases[-1])  # libraries load
    before = Resources.now()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        seen = list(pool.map(play_one, cases))
    return seen, Resources.now().more_than(before)


@dataclass(frozen=True)
class Resources:
    """The threads and open files of this process, without the thread that watches all exchanges."""

    threads: frozenset[threading.Thread]
    files: int

    @classmethod
    def now(cls) -> Resources:
        """The current ones."""
        threads = frozenset(thread for thread in threading.enumerate() if thread.name != "watch")
        return cls(threads, len(os.listdir("/dev/fd")))

    def more_than(self, before: Resources) -> list[str]:
        """The additions since ``before``, in words."""
        threads = [f"thread {thread.name}" for thread in self.threads - before.threads]
        files = [f"{self.files - before.files} open files"] if self.files > before.files else []
        return threads + files
