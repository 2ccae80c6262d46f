"""The process that ``ReaderProcesses`` starts: reads requests from standard input, writes parts of answers to standard
output, and ends with its input, so that it never outlives the process that started it.

Each line is JSON. The first line of the input names the trusted authorities; then ``["limits", limits]`` sets those of
the following answers, ``["begin", number, arguments]`` begins an answer and ``["stop", number]`` stops it. The first
line of the output is empty and says that the process is ready; then each is a list of ``[number, part]``, in the order
of arrival. A part is a list of events, or an object for a retry or the end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, BinaryIO

from pydantic import TypeAdapter
from requests import adapters

from components.streaming.answer import TimedEvent
from components.streaming.faults import StreamFault
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome
from components.streaming.session import ApiKey
from components.streaming.stream import AnswerStream

OUTCOMES = TypeAdapter(Outcome)


class _Answers:
    """The answers that this process reads, and the thread that writes their parts."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._parts: SimpleQueue[tuple[int, TimedEvent | dict[str, Any]]] = SimpleQueue()
        self._streams: dict[int, AnswerStream] = {}
        self._begun: SimpleQueue[tuple[int, AnswerStream]] = SimpleQueue()
        self._threads = 0
        """Threads that read answers, one after the other."""
        self._limits = Limits()
        _start(self._write)

    def limit(self, limits: dict[str, Any]) -> None:
        """Set the limits of the answers that begin from now on."""
        self._limits = Limits(**limits)

    def begin(self, number: int, request: dict[str, Any]) -> None:
        """Read an answer."""

        def retrying(fault: StreamFault, seconds: float) -> None:
            self._parts.put((number, {"retrying": [fault.kind, fault.sentence, fault.http_status, seconds]}))

        self._streams[number] = stream = AnswerStream(
            request["base_url"],
            request["body"].encode(),
            key=ApiKey(*request["key"]) if request["key"] else None,
            streaming=request["streaming"],
            limits=self._limits,
            on_retry=retrying,
        )
        self._begun.put((number, stream))
        # Only this thread starts others, and each of them reads one answer at a time.
        if len(self._streams) > self._threads:
            self._threads += 1
            _start(self._read)

    def stop(self, number: int) -> None:
        """Stop an answer if it has not ended."""
        if stream := self._streams.get(number):
            stream.stop()

    def _read(self) -> None:
        while True:
            number, stream = self._begun.get()
            for event in stream:
                self._parts.put((number, event))
            del self._streams[number]
            self._parts.put((number, {"ended": OUTCOMES.dump_python(stream.outcome)}))

    def _write(self) -> None:
        while True:
            batch: list[tuple[int, list[TimedEvent] | dict[str, Any]]] = []
            number, part = self._parts.get()
            try:
                while True:
                    if isinstance(part, dict):
                        batch.append((number, part))
                    elif batch and batch[-1][0] == number and isinstance(events := batch[-1][1], list):
                        events.append(part)
                    else:
                        batch.append((number, [part]))
                    number, part = self._parts.get_nowait()
            except Empty:
                # Everything that has arrived by now goes out in one line.
                self._output.write(json.dumps(batch).encode() + b"\n")
                self._output.flush()


def _start(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


def _end_with_failure(failure: threading.ExceptHookArgs) -> None:
    """End the process after a fault of its own: the parent then ends its answers, where it would wait for them."""
    threading.__excepthook__(failure)
    sys.stderr.flush()
    os._exit(1)


def main() -> None:
    """Read answers until standard input ends."""
    threading.excepthook = _end_with_failure
    # Ctrl+C in a terminal reaches this process too; the one that started it decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    requests = sys.stdin.buffer
    adapters.DEFAULT_CA_BUNDLE_PATH = json.loads(requests.readline())
    answers = _Answers(output)
    output.write(b"\n")
    output.flush()
    for line in requests:
        match json.loads(line):
            case ["limits", limits]:
                answers.limit(limits)
            case ["begin", number, request]:
                answers.begin(number, request)
            case ["stop", number]:
                answers.stop(number)
    os._exit(0)  # at once: nothing reads the answers any more


if __name__ == "__main__":
    main()
