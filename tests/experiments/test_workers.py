"""Sweeps on two Dask workers that write to one PostgreSQL, one of which dies."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from components.drafts.comparison import Timing
from components.endpoints.configuration import ENVIRONMENT
from components.experiments.cell_result import result_of
from components.experiments.experiment import Experiment
from components.experiments.run_order import Cell, Plan
from components.experiments.store import runs_of
from components.experiments.sweep_results import missing_cells, records_by_row
from components.experiments.workers import WorkersUnavailable, workers_of
from components.log.record import RunRecord
from components.server.process import close_service, make_in_worker, service, stop_in_worker
from components.service import Service
from tests.browser.conftest import free_port
from tests.experiments.conftest import ID, OTHER_ID, Stage, an_endpoint
from tests.orders import order
from tests.streaming.endpoint import DONE, Endpoint, chunk, head, serve
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.filterwarnings("default"),  # warnings of Dask itself
    pytest.mark.xdist_group("dask"),  # groups begin first; this is the longest test without a browser
]

ROWS = 20


def cells(base_url: str, model: str = "m", repeats: int = 2) -> tuple[Cell, ...]:
    endpoint = an_endpoint(base_url, ENVIRONMENT)
    body = b'{"model": "%s", "messages": [{"role": "user", "content": "Say it."}], "stream": true}' % model.encode()
    return tuple(
        Cell(f"row {row + 1}", row, repeat, order(endpoint, body, model))
        for repeat in range(1, repeats + 1)
        for row in range(ROWS)
    )


def kept(experiment_id: str = ID) -> list[RunRecord]:
    database = service().log.database
    assert database
    return runs_of(database, experiment_id)


class Gate:
    """Holds answers back while closed; ``held`` is the number of requests since."""

    def __init__(self) -> None:
        self.held = 0
        self._counting = threading.Lock()
        self._open = threading.Event()
        self._open.set()

    def close(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def pass_through(self) -> None:
        if not self._open.is_set():
            with self._counting:
                self.held += 1
            self._open.wait(120)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def stage(gate: Gate) -> Stage:
    def held(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head() + chunk("m"))
        gate.pass_through()
        connection.sendall(chunk("", "stop") + DONE)

    def stuck(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head() + chunk("Half a"))
        while connection.recv(65536):
            pass

    return Stage({"m": held, "stuck": stuck})


@pytest.fixture
def server(stage: Stage) -> Iterator[Endpoint]:
    with serve(stage.play) as server:
        yield server


@pytest.fixture
def two_workers(postgresql_url: str, server: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("TEMPERA_DATABASE_URL", postgresql_url)
    monkeypatch.setenv("TEMPERA_BASE_URL", server.base_url)
    monkeypatch.setenv("TEMPERA_DASK_SCHEDULER", "local")
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    close_service()
    yield service()
    close_service()


def test_a_stop_reaches_the_workers_and_a_killed_worker_loses_no_cell(
    two_workers: Service, server: Endpoint, stage: Stage, gate: Gate
) -> None:
    assert two_workers.workers_problem is None
    stop_two_cells(two_workers.experiments.find(OTHER_ID), server)
    kill_a_worker(two_workers, server, stage, gate)


def stop_two_cells(experiment: Experiment, server: Endpoint) -> None:
    experiment.start(Plan(cells(server.base_url, "stuck"), Timing.PARALLEL, 2, shared=True))
    wait_for(lambda: len(kept(OTHER_ID)) == 2 and all(run.text for run in kept(OTHER_ID)), 60)
    experiment.stop()
    wait_for(lambda: not experiment.active)
    assert [(run.status, run.text) for run in kept(OTHER_ID)] == [("cancelled", "Half a")] * 2


def kill_a_worker(two_workers: Service, server: Endpoint, stage: Stage, gate: Gate) -> None:
    """Only the requests of the killed worker are repeated."""
    client = two_workers.workers._client
    experiment = two_workers.experiments.find(ID)
    experiment.start(Plan(cells(server.base_url), Timing.PARALLEL, 4, shared=True))
    wait_for(lambda: stage.models.count("m") >= 10, 60)
    gate.close()
    # An answer that passed the gate before it was closed may still be on its way.
    wait_for(lambda: gate.held == 4 and client.run_on_scheduler(_tasks) == 4, 60)
    asking = client.processing()
    dying = max(asking, key=lambda worker: len(asking[worker]))
    pids = client.run(os.getpid)
    assert len(pids) == 2
    assert os.getpid() not in pids.values()
    before = stage.models.count("m")
    os.kill(pids[dying], signal.SIGKILL)
    wait_for(lambda: stage.models.count("m") == before + len(asking[dying]), 60)
    gate.open()
    wait_for(lambda: not experiment.active, 60)
    assert missing_cells(records_by_row([result_of(run) for run in kept()], ROWS), 2) == []
    assert stage.models.count("m") == 2 * ROWS + len(asking[dying])
    assert Counter((run.position, run.repeat) for run in well()) == dict.fromkeys(product(range(ROWS), (1, 2)), 1)
    assert {(run.endpoint, run.concurrency, run.text) for run in well()} == {(ENVIRONMENT, 4, "m")}


def well() -> list[RunRecord]:
    return [run for run in kept() if run.status == "ok"]


def _tasks(dask_scheduler: Any) -> int:
    return len(dask_scheduler.tasks)


@pytest.mark.parametrize(
    ("scheduler", "url", "why"),
    [
        ("local", "sqlite:///runs.sqlite3", "requires a log that all workers can write to"),
        ("tcp://127.0.0.1:1", "postgresql://nobody@127.0.0.1/none", r"There is no scheduler at tcp://127\.0\.0\.1:1"),
        ("nowhere at all", "postgresql://nobody@127.0.0.1/none", "There is no scheduler at nowhere at all"),
    ],
)
def test_unavailable_workers_are_reported(scheduler: str, url: str, why: str) -> None:
    with pytest.raises(WorkersUnavailable, match=why):
        workers_of(scheduler, url, make_in_worker, stop_in_worker, connect_s=0.3)


def test_dask_is_needed_only_with_a_scheduler() -> None:
    assert workers_of("", "sqlite:///runs.sqlite3", make_in_worker, stop_in_worker) is None


@contextmanager
def dask(*command: str, folder: Path, **environment: str) -> Iterator[None]:
    """A Dask process started in a folder from the command line; killed at the end."""
    program = Path(sys.executable).with_name("dask")
    with (
        open(folder / "dask.log", "a") as log,
        subprocess.Popen([program, *command], env={**os.environ, **environment}, stdout=log, stderr=log) as process,
    ):
        try:
            yield
        finally:
            process.kill()


def listens(address: str) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))):
        return True
    return False


def test_a_scheduler_that_cannot_import_tempera_is_named(tmp_path: Path) -> None:
    port = free_port()
    with (
        dask("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard", folder=tmp_path, PYTHONPATH=""),
        pytest.raises(WorkersUnavailable, match="cannot import Tempera"),
    ):
        workers_of(f"tcp://127.0.0.1:{port}", "postgresql://here", make_in_worker, stop_in_worker, connect_s=60)


def test_a_sweep_pauses_without_a_scheduler_and_continues_with_the_next(
    postgresql_url: str, server: Endpoint, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    monkeypatch.setenv("TEMPERA_DATABASE_URL", postgresql_url)
    monkeypatch.setenv("TEMPERA_BASE_URL", server.base_url)
    monkeypatch.setenv("TEMPERA_DASK_SCHEDULER", address)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    close_service()
    scheduler = ("scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--no-dashboard")
    worker = ("worker", address, "--nthreads", "4", "--no-nanny", "--no-dashboard")
    with dask(*scheduler, folder=tmp_path), dask(*worker, folder=tmp_path):
        wait_for(lambda: listens(address), 60)
        experiment = service().experiments.find(ID)
        assert service().workers_problem is None
        experiment.start(Plan(cells(server.base_url), Timing.PARALLEL, 2, shared=True))

        def five_were_sent() -> bool:
            if experiment.paused:  # the worker took longer than a sweep waits for one
                experiment.resume()
            return stage.models.count("m") >= 5

        wait_for(five_were_sent, 60)
    wait_for(lambda: experiment.paused_why, 60)
    assert experiment.paused_why == "Paused. Dask's scheduler does not answer. Start it again. Resume when it is fixed."
    begun_with = [stage.models.count("m")]
    with dask(*scheduler, folder=tmp_path), dask(*worker, folder=tmp_path):

        def ended() -> bool:
            if experiment.paused:  # again, if the connection broke once more
                if stage.models.count("m") > begun_with[-1]:
                    begun_with.append(stage.models.count("m"))
                experiment.resume()
            return not experiment.active

        wait_for(ended, 60)
    assert missing_cells(records_by_row([result_of(run) for run in kept()], ROWS), 2) == []
    # At most two cells were active at each pause, and only those may have run twice.
    assert 2 * ROWS <= stage.models.count("m") <= 2 * ROWS + 2 * len(begun_with)
    close_service()
