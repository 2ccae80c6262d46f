"""A sweep of many cells read by several processes, one of which is killed."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import count, product

import pytest

from components.drafts.comparison import Timing
from components.experiments.experiments import Experiments
from components.experiments.run_order import Cell, Plan
from components.experiments.store import runs_of
from components.log.log import Log
from components.runs.runner import Runner
from components.streaming.reader_processes import ReaderProcesses
from tests.experiments.conftest import ID, OTHER_ID, QUICK, Stage, an_endpoint
from tests.orders import order
from tests.streaming.endpoint import DONE, chunk, head, serve
from tests.waiting import wait_for

ROWS = 50


@pytest.fixture
def log(sqlite_url: str) -> Iterator[Log]:
    opened = Log(sqlite_url)
    yield opened
    opened.close()


def cells(base_url: str, repeats: int) -> Plan:
    one = order(an_endpoint(base_url), b'{"model": "m", "stream": true}')
    places = product(range(1, repeats + 1), range(ROWS))
    return Plan(tuple(Cell(f"row {row + 1}", row, repeat, one) for repeat, row in places), Timing.PARALLEL, 4, True)


def test_many_cells_are_read_by_other_processes_and_one_that_dies_loses_no_cell(log: Log) -> None:
    """Only the requests of the killed process are repeated."""
    go_on, held = threading.Event(), threading.Semaphore(0)
    go_on.set()

    def answer(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head() + chunk("m"))
        if not go_on.is_set():
            held.release()
        go_on.wait(30)
        connection.sendall(chunk("", "stop") + DONE)

    stage, readers = Stage({"m": answer}), ReaderProcesses(1)
    runner = Runner(log, QUICK)
    experiments = Experiments(runner, log, readers=readers)
    with serve(stage.play) as server:
        few = experiments.find(OTHER_ID)
        few.start(cells(server.base_url, 1))
        wait_for(lambda: not few.active)
        assert readers.ids() == []  # a few are read here
        asked_before = len(stage.bodies)
        experiment = experiments.find(ID)
        # Cells that begin before the process is ready would be read here, so they wait for it.
        go_on.clear()
        experiment.start(cells(server.base_url, 4))
        wait_for(readers.ids)
        begun = len(stage.bodies)
        go_on.set()
        wait_for(lambda: len(stage.bodies) > begun + 8)
        while held.acquire(blocking=False):
            pass
        go_on.clear()
        for _ in range(4):
            assert held.acquire(timeout=30)
        [reader] = readers.ids()
        os.kill(reader, signal.SIGKILL)
        for _ in range(4):
            assert held.acquire(timeout=30)
        go_on.set()
        wait_for(lambda: not experiment.active)
        assert len(stage.bodies) - asked_before == 4 * ROWS + 4
    assert experiment.paused_why is None
    assert log.database
    records = runs_of(log.database, ID)
    assert Counter(record.status for record in records) == {"ok": 4 * ROWS, "lost": 4}
    well = Counter((record.position, record.repeat) for record in records if record.status == "ok")
    assert well == dict.fromkeys(product(range(ROWS), range(1, 5)), 1)
    assert {record.text for record in records if record.status == "ok"} == {"m"}
    experiments.stop()
    readers.close()


def test_one_batch_of_rows_is_committed_ahead_and_a_stop_sends_none_of_them(log: Log) -> None:
    go_on, numbers = threading.Event(), count(1)

    def answer(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head() + chunk("m"))
        # Each request has its own number, since others may arrive meanwhile.
        if next(numbers) > 4:
            go_on.wait(30)
        connection.sendall(chunk("", "stop") + DONE)

    stage, readers = Stage({"m": answer}), ReaderProcesses(1)
    experiments = Experiments(Runner(log, QUICK), log, readers=readers)
    database = log.database
    assert database
    with serve(stage.play) as server:
        experiment = experiments.find(ID)
        experiment.start(cells(server.base_url, 4))
        wait_for(lambda: Counter(run.status for run in runs_of(database, ID)) == {"ok": 4, "running": 8})
        wait_for(lambda: len(stage.bodies) == 8)
        experiment.stop()
        go_on.set()
        wait_for(lambda: not experiment.active)
        assert len(stage.bodies) == 8
    assert Counter(run.status for run in runs_of(database, ID)) == {"ok": 4, "cancelled": 8}
    experiments.stop()
    readers.close()
