"""Real experiments: over loopback, with the runner and the log. Their models identify the lanes."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from components.contract.profile import BEEZY
from components.drafts.comparison import Comparison, Lane, Timing
from components.drafts.draft import Draft, FieldState, Setting
from components.endpoints.endpoint import Address, Endpoint
from components.experiments.experiments import Experiments
from components.experiments.lanes import lane_requests
from components.experiments.run_order import Cell, Plan, plan
from components.log.log import Log
from components.log.query import find_run
from components.log.record import RunRecord
from components.runs.run import Run
from components.runs.runner import Runner
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from tests.drafts.test_draft import a_draft
from tests.log.conftest import _postgresql_server, log, postgresql_url, sqlite_url, url
from tests.orders import order, text_event
from tests.streaming.endpoint import DONE, Play, chunk, head
from tests.waiting import wait_for

__all__ = ["_postgresql_server", "log", "postgresql_url", "sqlite_url", "url"]

ID, OTHER_ID = "e" * 32, "0" * 32
QUICK = Limits(backoff_s=0.01, max_backoff_s=0.01)
COLD = Setting(state=FieldState.VALUE, value=0.0)


class Stage:
    """An endpoint that answers with the model's name and records the requests and their concurrency.

    ``plays`` maps models to other responses. ``bodies`` has the request bodies in order of arrival.
    """

    def __init__(self, plays: Mapping[str, Play] | None = None, *, pause: float = 0.01) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.max_at_once = 0
        self.plays = plays or {}
        self._pause = pause
        self._under_way = 0
        self._lock = threading.Lock()

    @property
    def models(self) -> list[str]:
        """The requested models, in the same order."""
        return [body["model"] for body in self.bodies]

    def play(self, connection: socket.socket, request: bytes) -> None:
        body = json.loads(request.partition(b"\r\n\r\n")[2])
        with self._lock:
            self.bodies.append(body)
            self._under_way += 1
            self.max_at_once = max(self.max_at_once, self._under_way)
        if play := self.plays.get(body["model"]):
            play(connection, request)
            pause, end = 0.0, b""
        else:
            connection.sendall(head() + chunk(body["model"]))
            pause, end = self._pause, chunk("", "stop") + DONE
        time.sleep(pause)
        with self._lock:
            self._under_way -= 1
        # After the count: a client that received the end may send the next request at once.
        connection.sendall(end)


def in_turn(*answers: str) -> Play:
    """A play that answers each request with the next answer."""
    left = list(answers)

    def play(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head() + chunk(left.pop(0)) + chunk("", "stop") + DONE)

    return play


def an_endpoint(base_url: str, name: str = "here") -> Endpoint:
    return Endpoint(name, BEEZY, Address(base_url))


def compared(*lanes: Lane, **parts: Any) -> Draft:
    """A draft with these lanes, the endpoint ``here`` and the model ``base``."""
    return a_draft("Hi", endpoint="here", **{"model": "base", **parts}, comparison=Comparison(lanes=lanes))


def lanes_of(*models: str, endpoint: str | None = None) -> tuple[Lane, ...]:
    """One lane per model, with the model's name as its id."""
    return tuple(Lane(id=model, model=model, endpoint=endpoint) for model in models)


def a_plan(
    endpoints: Sequence[Endpoint] | Endpoint,
    *lanes: Lane,
    timing: Timing = Timing.PARALLEL,
    repeats: int = 1,
    shuffled: Callable[[Sequence[Cell]], Sequence[Cell]] | None = None,
) -> Plan:
    """The compare page's plan for all of these lanes."""
    by_name = {one.name: one for one in ([endpoints] if isinstance(endpoints, Endpoint) else endpoints)}
    # A comparison has at least two lanes; some experiments here have fewer.
    draft = compared(*lanes, *lanes_of("unused", "unused")[len(lanes) :])
    requests = lane_requests(draft, by_name, lambda _endpoint: [])[: len(lanes)]
    chance = random.Random(1)
    return plan(
        requests,
        range(len(requests)),
        repeats=repeats,
        timing=timing,
        shuffled=shuffled or (lambda cells: chance.sample(cells, len(cells))),
    )


def a_run(text: str = "", status: Status = Status.OK, *, reasoning: str = "", **outcome: Any) -> Run:
    """A run that has ended."""
    run = Run(order(an_endpoint("http://127.0.0.1:1/v1")))
    run.take(text_event(text, 1.0, reasoning))
    run.finish(Outcome(status, text=text, reasoning=reasoning, **outcome))
    return run


def written(log: Log, run: Run) -> str:
    """Write the run to the log; return its id."""
    log.begin(run)
    log.end(run)
    return run.id


def kept(log: Log, run_id: str) -> RunRecord:
    """A run as stored in the database."""
    assert log.database
    found = find_run(log.database, run_id)
    assert found
    return found


@pytest.fixture
def runner(log: Log) -> Iterator[Runner]:
    made = Runner(log, QUICK)
    yield made
    made.shutdown()


@pytest.fixture
def experiments(runner: Runner, log: Log) -> Iterator[Experiments]:
    """Experiments, and a check that no test leaves a run or thread behind."""
    made = Experiments(runner, log)
    yield made
    made.stop()
    wait_for(lambda: not threads_at_work(), 5.0)


def threads_at_work() -> list[str]:
    """The threads that execute runs."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith(("run ", "experiment "))]
