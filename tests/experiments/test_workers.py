"""Sweeps past one process: two of Dask's workers, a PostgreSQL that all of them write, and one of them dying."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from components.drafts.comparison import Timing
from components.endpoints.configuration import ENVIRONMENT
from components.experiments.plan import Cell, Plan
from components.experiments.store import runs_of
from components.experiments.workers import SCHEDULER, WorkersUnavailable, workers_of
from components.runs.run import RunRecord
from components.service import Service, close_service, make_in_worker, service, stop_in_worker
from components.sweeps.results import missing_cells, records_by_row
from tests.experiments.conftest import ID, Stage, an_endpoint, in_turn
from tests.streaming.endpoint import Endpoint, chunk, head, serve
from tests.waiting import wait_for

pytestmark = pytest.mark.filterwarnings("default")  # those of Dask are not ours

ROWS = 20


def cells(base_url: str, model: str = "m", repeats: int = 2) -> tuple[Cell, ...]:
    endpoint = an_endpoint(base_url, ENVIRONMENT)
    body = b'{"model": "%s", "messages": [{"role": "user", "content": "Say it."}], "stream": true}' % model.encode()
    return tuple(
        Cell(f"row {row + 1}", row, repeat, endpoint, model, body, True)
        for repeat in range(1, repeats + 1)
        for row in range(ROWS)
    )


def kept() -> list[RunRecord]:
    database = service().log.database
    assert database
    return runs_of(database, ID)


@pytest.fixture
def stage() -> Stage:
    return Stage(pause=0.1)


@pytest.fixture
def server(stage: Stage) -> Iterator[Endpoint]:
    with serve(stage.play) as server:
        yield server


@pytest.fixture
def two_workers(postgresql_url: str, server: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("TEMPERA_DATABASE_URL", postgresql_url)
    monkeypatch.setenv("TEMPERA_BASE_URL", server.base_url)
    monkeypatch.setenv(SCHEDULER, "local")
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    close_service()
    yield service()
    close_service()


@pytest.mark.timeout(90)
def test_a_worker_that_dies_in_the_middle_loses_no_cell(two_workers: Service, server: Endpoint) -> None:
    assert two_workers.workers_problem is None
    experiment = two_workers.experiments.find(ID)
    experiment.start(Plan(cells(server.base_url), Timing.PARALLEL, 4, shared=True))
    wait_for(lambda: len([run for run in kept() if run.status == "ok"]) >= 6, 30)
    pids = two_workers.workers._client.run(os.getpid)
    assert len(pids) == 2
    assert os.getpid() not in pids.values()
    answered = sum(run.status == "ok" for run in kept())
    os.kill(next(iter(pids.values())), signal.SIGKILL)
    wait_for(lambda: not experiment.going_on, 60)
    by_row = records_by_row(kept(), ROWS)
    assert missing_cells(by_row, 2) == []
    well = Counter((run.position, run.repeat) for run in kept() if run.status == "ok")
    assert len(well) == 2 * ROWS
    # What the dead worker had answered, and not yet told of, is asked once more; nothing else is.
    assert sum(well.values()) <= 2 * ROWS + answered + 4
    assert {(run.endpoint, run.concurrency, run.text) for run in kept() if run.status == "ok"} == {
        (ENVIRONMENT, 4, "m")
    }


@pytest.mark.timeout(90)
def test_a_stop_reaches_the_workers(two_workers: Service, server: Endpoint, stage: Stage) -> None:
    seen = threading.Event()

    def stuck(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head() + chunk("Half a"))
        seen.set()
        while connection.recv(65536):
            pass

    stage._plays = {"stuck": stuck, "m": in_turn("m")}
    experiment = two_workers.experiments.find(ID)
    experiment.start(Plan(cells(server.base_url, "stuck"), Timing.PARALLEL, 2, shared=True))
    wait_for(lambda: len(kept()) == 2 and all(run.text for run in kept()), 30)
    experiment.stop()
    wait_for(lambda: not experiment.going_on, 10)
    assert [(run.status, run.text) for run in kept()] == [("cancelled", "Half a")] * 2


@pytest.mark.parametrize(
    ("scheduler", "url", "why"),
    [
        ("local", "sqlite:///runs.sqlite3", "needs a log that all workers can write"),
        ("tcp://127.0.0.1:1", "postgresql://nobody@127.0.0.1/none", r"No scheduler answers at tcp://127\.0\.0\.1:1"),
        ("nowhere at all", "postgresql://nobody@127.0.0.1/none", "No scheduler answers at nowhere at all"),
    ],
)
def test_workers_that_cannot_be_had_are_told(scheduler: str, url: str, why: str) -> None:
    with pytest.raises(WorkersUnavailable, match=why):
        workers_of({SCHEDULER: scheduler}, url, make_in_worker, stop_in_worker, connect_s=0.3)


def test_nobody_needs_dask_who_names_no_scheduler() -> None:
    assert workers_of({}, "sqlite:///runs.sqlite3", make_in_worker, stop_in_worker) is None
