"""Reads answers in processes of their own, so that many at once have more than one interpreter.

Each process runs ``components.streaming.reader``, which defines the messages. Requests, with their keys, and answers go
through its pipes only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from requests import adapters

from components.streaming import sentences
from components.streaming.answer import Delta, TimedEvent
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from components.streaming.reader import OUTCOMES
from components.streaming.session import ApiKey
from components.streaming.stream import AnswerStream

_PROJECT_ROOT = Path(__file__).resolve().parents[2]
_CLOSE_S = 2.0


class RemoteAnswer:
    """An ``AnswerStream`` that another process reads. When that process dies, the outcome's status is lost."""

    def __init__(
        self, process: _Process, request: Mapping[str, Any], on_retry: Callable[[StreamFault, float], None]
    ) -> None:
        self._parts: SimpleQueue[Any] = SimpleQueue()
        self._on_retry = on_retry
        self._process = process
        self._outcome: Outcome | None = None
        self._number = process.begin(request, self._parts)

    @property
    def outcome(self) -> Outcome:
        """How it ended. Raises RuntimeError while the iteration is not over."""
        if self._outcome is None:
            raise RuntimeError("The answer has not ended yet.")
        return self._outcome

    def stop(self) -> None:
        """Stop soon; what arrived is kept."""
        self._process.send(["stop", self._number])

    def __iter__(self) -> Iterator[TimedEvent]:
        while self._outcome is None:
            match self._parts.get():
                case list(events):
                    for name, data, at_ms, deltas in events:
                        yield TimedEvent(name, data, at_ms, tuple([Delta(*delta) for delta in deltas]))
                case {"retrying": [kind, sentence, http_status, seconds]}:
                    self._on_retry(StreamFault(ErrorKind(kind), sentence, http_status=http_status), seconds)
                case {"ended": outcome}:
                    self._outcome = OUTCOMES.validate_python(outcome)
                case None:
                    self._outcome = Outcome(Status.LOST, ErrorKind.PROCESS_DIED, sentences.READER_DIED)


class ReaderProcesses:
    """Up to ``most`` processes that read answers. Each starts when it is first needed; a dead one is replaced."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._processes: list[_Process] = []
        self._lock = threading.Lock()
        self._closed = False

    def read(
        self,
        base_url: str,
        body: bytes,
        *,
        key: ApiKey | None,
        streaming: bool,
        limits: Limits,
        on_retry: Callable[[StreamFault, float], None],
        allows: Callable[[str], bool] | None,
    ) -> AnswerStream | RemoteAnswer:
        """The answer, as ``AnswerStream`` gives it.

        This process reads it itself until another one is ready, and when there is a policy of addresses.
        """
        if allows is None and (process := self._least_busy()):
            request = {
                "base_url": base_url,
                "body": body.decode(),
                "key": key.handed_over() if key else None,
                "streaming": streaming,
                "limits": vars(limits),
            }
            with suppress(BrokenPipeError):
                return RemoteAnswer(process, request, on_retry)
        return AnswerStream(
            base_url, body, key=key, streaming=streaming, limits=limits, on_retry=on_retry, allows=allows
        )

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
            while len(self._processes) < self._most and not self._closed:
                self._processes.append(_Process())
            ready = [process for process in self._processes if process.is_ready]
        return min(ready, key=lambda process: process.under_way, default=None)


class _Process:
    """One process, and the thread that receives its answers."""

    def __init__(self) -> None:
        self.is_alive, self.is_ready = True, False
        self._numbers = count()
        self._answers: dict[int, SimpleQueue[Any]] = {}
        self._sending = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "components.streaming.reader"],
            cwd=_PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.id = self._process.pid
        # It trusts the same authorities as this process.
        self.send(adapters.DEFAULT_CA_BUNDLE_PATH)
        threading.Thread(target=self._receive, name="answers of a reader", daemon=True).start()

    @property
    def under_way(self) -> int:
        """The number of answers that it reads."""
        return len(self._answers)

    def begin(self, request: Mapping[str, Any], parts: SimpleQueue[Any]) -> int:
        """Let it read an answer, whose parts arrive in that queue, last None when the process dies.

        Returns the answer's number. Raises BrokenPipeError when the process has ended.
        """
        with self._sending:
            if not self.is_alive:
                raise BrokenPipeError
            number = next(self._numbers)
            self._answers[number] = parts
        self.send(["begin", number, request])
        return number

    def send(self, message: Any) -> None:
        """Send a message; one that can no longer be sent is dropped, because ``_receive`` ends all answers then."""
        content = json.dumps(message).encode() + b"\n"
        with self._sending, suppress(OSError, ValueError):
            assert self._process.stdin  # noqa: S101 - it is a pipe
            self._process.stdin.write(content)
            self._process.stdin.flush()

    def close(self) -> None:
        """End the process."""
        with self._sending, suppress(OSError):
            assert self._process.stdin  # noqa: S101 - it is a pipe
            self._process.stdin.close()
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _receive(self) -> None:
        assert self._process.stdout  # noqa: S101 - it is a pipe
        with suppress(OSError, ValueError), self._process.stdout as stdout:
            self.is_ready = bool(stdout.readline())
            for line in stdout:
                for number, part in json.loads(line):
                    answers = self._answers
                    (answers.pop(number) if "ended" in part else answers[number]).put(part)
        with self._sending, suppress(OSError):
            self.is_alive = self.is_ready = False
            assert self._process.stdin  # noqa: S101 - it is a pipe
            self._process.stdin.close()
        for parts in self._answers.values():
            parts.put(None)
        self._process.wait()
