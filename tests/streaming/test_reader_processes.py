"""Answers that another process reads: they are the same, a stop reaches it, and neither process outlives the other."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.endpoints.address_policy import AddressPolicy
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from components.streaming.reader_processes import ReaderProcesses, RemoteAnswer
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
    begin(processes, "http://127.0.0.1:1/v1")
    wait_for(processes.ids)


def begin(processes: ReaderProcesses, base_url: str, **more: Any) -> AnswerStream | RemoteAnswer:
    arguments = {"key": None, "streaming": True, "limits": LIMITS, "on_retry": lambda *_: None, "allows": None, **more}
    return processes.read(base_url, b'{"stream": true}', **arguments)


def remote(processes: ReaderProcesses, base_url: str, **more: Any) -> RemoteAnswer:
    answer = begin(processes, base_url, **more)
    assert isinstance(answer, RemoteAnswer)
    return answer


def half(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(head() + chunk("Half a"))
    while connection.recv(65536):
        pass


def test_events_and_outcome_are_those_of_a_stream_of_this_process(processes: ReaderProcesses) -> None:
    half_a_pair = {"index": 0, "function": {"name": "\ud83d", "arguments": "{}"}}
    call = event({"choices": [{"delta": {"tool_calls": [half_a_pair]}}]})
    said = head() + chunk("Hello ") + chunk(SECRET) + call + chunk(" w\u00f6rld", "stop") + DONE
    with serve(said) as endpoint:
        key = ApiKey(SECRET, endpoint.base_url)
        here = AnswerStream(endpoint.base_url, b'{"stream": true}', key=key, limits=LIMITS)
        there = remote(processes, endpoint.base_url, key=key)
        events = [[(event.event, event.data, event.deltas) for event in stream] for stream in (here, there)]
        assert len(endpoint.requests) == 2
        assert all(f"Bearer {SECRET}".encode() in request for request in endpoint.requests)
    assert events[0] == events[1]
    assert SECRET not in str(events)
    assert facts(there.outcome) == facts(here.outcome) == (Status.OK, "Hello *** w\u00f6rld", "stop", 4)
    assert there.outcome.timings.ttft_ms is not None
    assert there.outcome.tool_calls == here.outcome.tool_calls != ()


def facts(outcome: Outcome) -> tuple[object, ...]:
    return outcome.status, outcome.text, outcome.finish_reason, outcome.chunk_count


def test_no_secret_stands_in_the_list_of_processes(processes: ReaderProcesses) -> None:
    with serve(half) as endpoint:
        answer = remote(processes, endpoint.base_url, key=ApiKey(SECRET, endpoint.base_url))
        wait_for(lambda: endpoint.requests)
        [process] = processes.ids()
        listed = b"".join(Path(f"/proc/{process}/{name}").read_bytes() for name in ("cmdline", "environ"))
        answer.stop()
        list(answer)
    assert b"components.streaming.reader" in listed
    assert SECRET.encode() not in listed


def test_a_stop_keeps_what_arrived(processes: ReaderProcesses) -> None:
    with serve(half) as endpoint:
        answer = remote(processes, endpoint.base_url)
        events = iter(answer)
        assert next(events).deltas[0].text == "Half a"
        answer.stop()
        list(events)
    assert (answer.outcome.status, answer.outcome.text) == (Status.CANCELLED, "Half a")


def test_a_retry_is_told_as_here(processes: ReaderProcesses) -> None:
    answers = [document({}, "503 Busy"), head() + chunk("Hi", "stop") + DONE]

    def play(connection: socket.socket, request: bytes) -> None:
        sending(answers.pop(0))(connection, request)

    told: list[tuple[StreamFault, float]] = []
    with serve(play) as endpoint:
        answer = remote(processes, endpoint.base_url, on_retry=lambda *wait: told.append(wait))
        list(answer)
    [(fault, seconds)] = told
    assert (fault.http_status, answer.outcome.attempts, answer.outcome.text) == (503, 2, "Hi")
    assert 0 < seconds < 1


def test_an_address_with_a_policy_is_read_here(processes: ReaderProcesses) -> None:
    """The policy belongs to this process."""
    with serve(half) as endpoint:
        refused = begin(processes, endpoint.base_url, allows=AddressPolicy().allows)
        assert list(refused) == []
        assert endpoint.requests == []
    assert refused.outcome.error_kind is ErrorKind.ADDRESS_REFUSED


def test_a_process_that_is_killed_loses_its_answers_and_is_replaced() -> None:
    processes = ReaderProcesses(1)
    ready(processes)
    play: Play = half
    with serve(lambda connection, request: play(connection, request)) as endpoint:
        answer = remote(processes, endpoint.base_url)
        events = iter(answer)
        assert next(events).deltas[0].text == "Half a"
        [killed] = processes.ids()
        os.kill(killed, signal.SIGKILL)
        list(events)
        assert (answer.outcome.status, answer.outcome.error_kind) == (Status.LOST, ErrorKind.PROCESS_DIED)
        ready(processes)
        assert processes.ids() != [killed]
        play = sending(head() + chunk("Again", "stop") + DONE)
        again = remote(processes, endpoint.base_url)
        list(again)
        assert again.outcome.text == "Again"
    processes.close()


def test_a_process_that_fails_keeps_no_answer_waiting() -> None:
    processes = ReaderProcesses(1)
    ready(processes)
    with serve(half) as endpoint:
        answer = remote(processes, endpoint.base_url)
        events = iter(answer)
        assert next(events).deltas[0].text == "Half a"
        broken = remote(processes, endpoint.base_url, limits=SimpleNamespace(unknown=1))
        assert list(broken) == []
        assert list(events) == []
    assert [each.outcome.status for each in (answer, broken)] == [Status.LOST] * 2
    processes.close()


def test_it_does_not_outlive_the_process_that_started_it() -> None:
    program = (
        "import time\n"
        "from components.streaming.limits import Limits\n"
        "from components.streaming.reader_processes import ReaderProcesses\n"
        "processes = ReaderProcesses(1)\n"
        "while not processes.ids():\n"
        "    processes.read('http://127.0.0.1:1/v1', b'', key=None, streaming=True, limits=Limits(),"
        " on_retry=print, allows=None)\n"
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
