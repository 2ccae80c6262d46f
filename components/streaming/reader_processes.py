"""Reads answers in processes of their own, so that many at once have more than one interpreter.

Each process runs ``components.streaming.reader``, which defines the messages. Requests, with their keys, and answers go
through its pipes only.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from requests import adapters

from components.streaming import sentences
from components.streaming.answer import Delta, TimedEvent
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from components.streaming.reader import OUTCOMES
from components.streaming.session import ApiKey

_PROJECT_ROOT = Path(__file__).resolve().parents[2]
_CLOSE_S = 2.0
_IDLE_S = 60.0


@dataclass(frozen=True)
class AnswerListener:
    """The callbacks of an answer that another process reads. One thread calls those of all answers: none may block.

    ``end`` gets the outcome; its status is lost when the process dies.
    """

    take: Callable[[TimedEvent], None]
    retry: Callable[[StreamFault, float], None]
    end: Callable[[Outcome], None]

    def handle(self, part: Any) -> None:
        """Pass a part that the process has sent to its callback."""
        match part:
            case list(events):
                for name, data, at_ms, deltas in events:
                    self.take(TimedEvent(name, data, at_ms, tuple([Delta(*delta) for delta in deltas])))
            case {"retrying": [kind, sentence, http_status, seconds]}:
                self.retry(StreamFault(ErrorKind(kind), sentence, http_status=http_status), seconds)
            case {"ended": outcome}:
                self.end(OUTCOMES.validate_python(outcome))


class ReaderProcesses:
    """Up to ``max_processes`` processes that read answers.

    Each starts when it is first needed and ends when it has read nothing for ``idle_s``; a dead one is replaced.
    """

    def __init__(self, max_processes: int, idle_s: float = _IDLE_S) -> None:
        self._max_processes = max_processes
        self._idle_s = idle_s
        self._processes: list[_Process] = []
        self._lock = threading.Lock()
        self._closed = False

    def begin(
        self,
        base_url: str,
        body: bytes,
        listener: AnswerListener,
        *,
        key: ApiKey | None,
        streaming: bool,
        limits: Limits,
    ) -> Callable[[], None] | None:
        """Begin to read an answer and return at once; returns what stops it, or None while no process is ready."""
        request = {
            "base_url": base_url,
            "body": body.decode(),
            "key": key.arguments() if key else None,
            "streaming": streaming,
        }
        process = self._least_busy()
        return process.begin(request, limits, listener) if process else None

    def ids(self) -> list[int]:
        """The process ids of those that are ready."""
        return [process.id for process in self._processes if process.is_ready]

    def close(self) -> None:
        """End the processes; answers that they still read are lost."""
        with self._lock:
            self._closed = True
            processes, self._processes = self._processes, []
        for process in processes:
            process.close()

    def _least_busy(self) -> _Process | None:
        with self._lock:
            self._processes = [process for process in self._processes if process.is_alive]
            while len(self._processes) < self._max_processes and not self._closed:
                self._processes.append(_Process(self._idle_s))
            ready = [process for process in self._processes if process.is_ready]
        return min(ready, key=lambda process: process.under_way, default=None)


class _Process:
    """One process, a thread that sends it requests, and one that receives its answers."""

    def __init__(self, idle_s: float) -> None:
        self.is_alive, self.is_ready = True, False
        self._idle_s = idle_s
        self._numbers = count()
        self._listeners: dict[int, AnswerListener] = {}
        self._limits: Limits | None = None
        self._lock = threading.Lock()
        self._messages: SimpleQueue[Any] = SimpleQueue()
        """None ends the process."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "components.streaming.reader"],
            cwd=_PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.id = self._process.pid
        # It trusts the same authorities as this process.
        self._messages.put(adapters.DEFAULT_CA_BUNDLE_PATH)
        threading.Thread(target=self._send, name="requests of a reader", daemon=True).start()
        threading.Thread(target=self._receive, name="answers of a reader", daemon=True).start()

    @property
    def under_way(self) -> int:
        """The number of answers that it reads."""
        return len(self._listeners)

    def begin(self, request: Mapping[str, Any], limits: Limits, listener: AnswerListener) -> Callable[[], None] | None:
        """Let it read an answer; returns what stops it, or None when the process has ended."""
        with self._lock:
            if not self.is_alive:
                return None
            number = next(self._numbers)
            self._listeners[number] = listener
            if limits is not self._limits:
                self._limits = limits
                self._messages.put(["limits", vars(limits)])
            self._messages.put(["begin", number, request])
        return lambda: self._messages.put(["stop", number])

    def close(self) -> None:
        """End the process."""
        self._messages.put(None)
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self) -> None:
        assert self._process.stdin  # noqa: S101 - it is a pipe
        # What can no longer be sent is dropped, because ``_receive`` ends all answers then.
        with suppress(OSError), self._process.stdin as stdin:
            while True:
                try:
                    message = self._messages.get(timeout=self._idle_s)
                except Empty:
                    if self._ends_idle():
                        return
                    continue
                lines = []
                with suppress(Empty):
                    while message is not None:
                        lines.append(json.dumps(message).encode() + b"\n")
                        message = self._messages.get_nowait()
                stdin.write(b"".join(lines))
                stdin.flush()
                if message is None:
                    return

    def _ends_idle(self) -> bool:
        with self._lock:
            if self.is_ready and not self._listeners:
                self.is_alive = self.is_ready = False
            return not self.is_alive

    def _receive(self) -> None:
        assert self._process.stdout  # noqa: S101 - it is a pipe
        try:
            with self._process.stdout as stdout:
                self.is_ready = bool(stdout.readline())
                for line in stdout:
                    for number, part in json.loads(line):
                        listeners = self._listeners
                        (listeners.pop(number) if "ended" in part else listeners[number]).handle(part)
        except Exception:  # a part that cannot be handled must not keep the other answers waiting
            logging.getLogger(__name__).exception("a reading process is given up")
            self._process.kill()
        with self._lock:
            self.is_alive = self.is_ready = False
            unfinished = list(self._listeners.values())
            self._listeners.clear()
        self._messages.put(None)
        for listener in unfinished:
            listener.end(Outcome(Status.LOST, ErrorKind.PROCESS_DIED, sentences.READER_DIED))
        self._process.wait()
