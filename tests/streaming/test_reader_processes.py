"""Answers read by another process: equal, stoppable, and without orphaned processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.streaming.answer import TimedEvent
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from components.streaming.reader_processes import AnswerListener, ReaderProcesses
from components.streaming.session import ApiKey
from components.streaming.stream import AnswerStream
from tests.streaming.endpoint import DONE, Play, chunk, document, event, head, sending, serve
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]
SECRET = "sk-very-secret-1234"
LIMITS = Limits(backoff_s=0.01, max_backoff_s=0.01)


@pytest.fixture(scope="module")
def processes() -> Iterator[ReaderProcesses]:
    """One process that is ready."""
    made = ReaderProcesses(1)
    ready(made)
    yield made
    made.close()


def ready(processes: ReaderProcesses) -> None:
    """Wait until one is ready; the first answer starts it."""
    assert begin(processes, "http://127.0.0.1:1/v1", Heard()) is None
    wait_for(processes.ids)


class Heard:
    """The events and the outcome of one answer from a process."""

    def __init__(self) -> None:
        self.events: list[TimedEvent] = []
        self.waits: list[tuple[StreamFault, float]] = []
        self._outcome: Future[Outcome] = Future()
        self.listener = AnswerListener(
            self.events.append, lambda *wait: self.waits.append(wait), self._outcome.set_result
        )

    @property
    def outcome(self) -> Outcome:
        """The outcome, once the answer has ended."""
        return self._outcome.result(30)


def begin(processes: ReaderProcesses, base_url: str, heard: Heard, **more: Any) -> Callable[[], None] | None:
    arguments = {"key": None, "streaming": True, "limits": LIMITS, **more}
    return processes.begin(base_url, b'{"stream": true}', heard.listener, **arguments)


class Remote(Heard):
    """An answer read by another process."""

    def __init__(self, processes: ReaderProcesses, base_url: str, **more: Any) -> None:
        super().__init__()
        stop = begin(processes, base_url, self, **more)
        assert stop
        self.stop = stop

    def has_begun(self) -> bool:
        return any(event.deltas for event in self.events)


def half(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(head() + chunk("Half a"))
    while connection.recv(65536):
        pass


def test_events_and_outcome_equal_those_of_a_stream_in_this_process(processes: ReaderProcesses) -> None:
    half_a_pair = {"index": 0, "function": {"name": "\ud83d", "arguments": "{}"}}
    call = event({"choices": [{"delta": {"tool_calls": [half_a_pair]}}]})
    response = head() + chunk("Hello ") + chunk(SECRET) + call + chunk(" w\u00f6rld", "stop") + DONE
    with serve(response) as endpoint:
        key = ApiKey(SECRET, endpoint.base_url)
        here = AnswerStream(endpoint.base_url, b'{"stream": true}', key=key, limits=LIMITS)
        there = Remote(processes, endpoint.base_url, key=key)
        assert there.outcome
        events = [[(event.event, event.data, event.deltas) for event in stream] for stream in (here, there.events)]
        assert len(endpoint.requests) == 2
        assert all(f"Bearer {SECRET}".encode() in request for request in endpoint.requests)
    assert events[0] == events[1]
    assert SECRET not in str(events)
    assert facts(there.outcome) == facts(here.outcome) == (Status.OK, "Hello *** w\u00f6rld", "stop", 4)
    assert there.outcome.timings.ttft_ms is not None
    assert there.outcome.tool_calls == here.outcome.tool_calls != ()


def facts(outcome: Outcome) -> tuple[object, ...]:
    return outcome.status, outcome.text, outcome.finish_reason, outcome.chunk_count


def test_the_list_of_processes_shows_no_secret(processes: ReaderProcesses) -> None:
    with serve(half) as endpoint:
        answer = Remote(processes, endpoint.base_url, key=ApiKey(SECRET, endpoint.base_url))
        wait_for(lambda: endpoint.requests)
        [process] = processes.ids()
        listed = b"".join(Path(f"/proc/{process}/{name}").read_bytes() for name in ("cmdline", "environ"))
        answer.stop()
        assert answer.outcome
    assert b"components.streaming.reader" in listed
    assert SECRET.encode() not in listed


def test_a_stop_keeps_the_text_so_far(processes: ReaderProcesses) -> None:
    with serve(half) as endpoint:
        answer = Remote(processes, endpoint.base_url)
        wait_for(answer.has_begun)
        answer.stop()
        assert answer.outcome
    assert (answer.outcome.status, answer.outcome.text) == (Status.CANCELLED, "Half a")


def test_a_retry_in_another_process_is_reported(processes: ReaderProcesses) -> None:
    answers = [document({}, "503 Busy"), head() + chunk("Hi", "stop") + DONE]

    def play(connection: socket.socket, request: bytes) -> None:
        sending(answers.pop(0))(connection, request)

    with serve(play) as endpoint:
        answer = Remote(processes, endpoint.base_url)
        assert answer.outcome
    [(fault, seconds)] = answer.waits
    assert (fault.http_status, answer.outcome.attempts, answer.outcome.text) == (503, 2, "Hi")
    assert 0 < seconds < 1


def test_a_process_that_is_killed_loses_its_answers_and_is_replaced() -> None:
    processes = ReaderProcesses(1)
    ready(processes)
    play: Play = half
    with serve(lambda connection, request: play(connection, request)) as endpoint:
        answer = Remote(processes, endpoint.base_url)
        wait_for(answer.has_begun)
        [killed] = processes.ids()
        os.kill(killed, signal.SIGKILL)
        assert (answer.outcome.status, answer.outcome.error_kind) == (Status.LOST, ErrorKind.PROCESS_DIED)
        ready(processes)
        assert processes.ids() != [killed]
        play = sending(head() + chunk("Again", "stop") + DONE)
        again = Remote(processes, endpoint.base_url)
        assert again.outcome.text == "Again"
    processes.close()


def test_a_failed_process_loses_its_answers() -> None:
    processes = ReaderProcesses(1)
    ready(processes)
    with serve(half) as endpoint:
        answer = Remote(processes, endpoint.base_url)
        wait_for(answer.has_begun)
        broken = Remote(processes, endpoint.base_url, limits=SimpleNamespace(unknown=1))
        assert [each.outcome.status for each in (answer, broken)] == [Status.LOST] * 2
    processes.close()


def test_a_failing_listener_loses_the_answers_of_its_process() -> None:
    processes = ReaderProcesses(1)
    ready(processes)
    with serve(half) as endpoint:
        answer = Remote(processes, endpoint.base_url)
        wait_for(answer.has_begun)
        failing = Heard()
        failing.listener = replace(failing.listener, take=lambda event: event.unknown)  # type: ignore[attr-defined]
        assert begin(processes, endpoint.base_url, failing)
        assert [answer.outcome.status, failing.outcome.status] == [Status.LOST] * 2
    ready(processes)
    processes.close()


def test_an_idle_process_ends_and_a_new_one_starts_on_demand() -> None:
    processes = ReaderProcesses(1, idle_s=0.2)
    with serve(half) as endpoint:
        first, second = (read_half(processes, endpoint.base_url) for _ in range(2))
    assert first != second
    processes.close()


def read_half(processes: ReaderProcesses, base_url: str) -> int:
    """Read half an answer, stop it, and wait until its process ends; return the id of the process."""
    answer = Heard()
    stop = wait_for(lambda: begin(processes, base_url, answer))
    assert stop
    wait_for(lambda: answer.events)
    time.sleep(0.3)
    [reads] = processes.ids()
    stop()
    assert answer.outcome.text == "Half a"
    wait_for(lambda: not processes.ids() and not is_alive(reads))
    return reads


def test_a_reader_does_not_outlive_its_parent() -> None:
    program = (
        "import time\n"
        "from components.streaming.limits import Limits\n"
        "from components.streaming.reader_processes import AnswerListener, ReaderProcesses\n"
        "processes = ReaderProcesses(1)\n"
        "while not processes.ids():\n"
        "    processes.begin('http://127.0.0.1:1/v1', b'', AnswerListener(print, print, print), key=None,"
        " streaming=True, limits=Limits())\n"
        "    time.sleep(0.05)\n"
        "print(*processes.ids(), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        reader = int(parent.stdout.readline())
        parent.kill()
    wait_for(lambda: not is_alive(reader))


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
