"""The gate in a runner, before a real endpoint over loopback, on a real log."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from components.contract.chunk import Usage
from components.contract.request import to_bytes
from components.demo import budget
from components.demo.budget import ALIVE_S
from components.demo.demo_gate import DemoGate, used_tokens
from components.demo.settings import DemoSettings
from components.endpoints.endpoint import EndpointUnavailable
from components.log.log import Log
from components.log.query import find_run
from components.runs.gate import Refused
from components.runs.order import Placement
from components.runs.run import Activity, Run
from components.runs.runner import Runner
from components.streaming.outcome import Outcome, Status
from tests.demo.conftest import ASKED, SETTINGS, demo_endpoint, rows
from tests.demo.test_requests import FORGED
from tests.orders import order
from tests.streaming.endpoint import DONE, Endpoint, chunk, document, head, sending, serve
from tests.waiting import wait_for

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
ANSWER = head() + chunk("Hi", "stop", usage=USAGE) + DONE
BODY = to_bytes(ASKED)
RESERVED = len(BODY) + 100


class GatedRunner:
    """A runner with a gate, and its callers."""

    def __init__(self, log: Log, settings: DemoSettings) -> None:
        self.log = log
        self.gate = DemoGate(settings, log, lambda: False, watch_every_s=0.05)
        self.runner = Runner(log, settings.limits(), self.gate)

    def send(
        self,
        server: Endpoint,
        body: bytes = BODY,
        *,
        owner: str = "anna",
        network: str | None = "here",
        placement: Placement | None = None,
    ) -> Run:
        endpoint = demo_endpoint(server.base_url)
        return self.runner.start(order(endpoint, body, owner=owner, network=network, placement=placement))

    def ended(self, run: Run) -> tuple[str, str | None, str]:
        """The ended run in the log: status, kind of error, message."""
        wait_for(lambda: self.log.live(run.id) is None)
        assert self.log.database
        found = find_run(self.log.database.owned_by(run.owner), run.id)
        assert found
        return found.status, found.error_kind, found.error_message or ""


MakeRunner = Callable[[DemoSettings], GatedRunner]


@pytest.fixture
def log(sqlite_url: str) -> Iterator[Log]:
    """On SQLite only: the tests of the counters use both databases."""
    opened = Log(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def gated_runner(log: Log) -> Iterator[MakeRunner]:
    runners: list[GatedRunner] = []

    def opened(settings: DemoSettings = SETTINGS) -> GatedRunner:
        runners.append(GatedRunner(log, settings))
        return runners[-1]

    yield opened  # type: ignore[misc]
    for each in runners:
        each.runner.shutdown()
        each.gate.close()


@contextmanager
def held() -> Iterator[tuple[Endpoint, threading.Event]]:
    """An endpoint that answers once the event is set."""
    go = threading.Event()

    def play(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head())
        go.wait(20)
        connection.sendall(chunk("Hi", "stop", usage=USAGE) + DONE)

    with serve(play) as server:
        try:
            yield server, go
        finally:
            go.set()


def of(number: int, experiment: str = "e" * 32) -> Placement:
    return Placement(experiment, f"row {number}", number, 1, "in parallel", 4)


def test_a_run_passes_and_its_usage_is_counted(gated_runner: MakeRunner, log: Log) -> None:
    here = gated_runner(SETTINGS)
    with serve(ANSWER) as server:
        run = here.send(server)
        assert here.ended(run) == ("ok", None, "")
        (row,) = wait_for(lambda: [row for row in rows(log) if row.settled])
        assert len(server.requests) == 1
    assert (row.visitor, row.network, row.tokens) == ("anna", "here", 10)


def test_without_reported_usage_the_estimate_counts_against_the_networks_share(
    gated_runner: MakeRunner, log: Log
) -> None:
    here = gated_runner(replace(SETTINGS, tokens_a_day=10 * RESERVED, visitor_percent=10, network_percent=20))
    with serve(head() + chunk("Hi", "stop") + DONE) as server:
        for owner in ("anna", "berta"):
            assert here.ended(here.send(server, owner=owner))[0] == "ok"
        wait_for(lambda: all(row.settled for row in rows(log)))
        status, _, sentence = here.ended(here.send(server, owner="clara"))
        assert (status, sentence.partition(" that")[0]) == (
            "rejected",
            "All of your network have used their share of the tokens",
        )
        assert here.ended(here.send(server, owner="clara", network="there"))[0] == "ok"
    assert [row.tokens for row in rows(log)] == [RESERVED] * 3


def test_everything_is_reserved_when_the_request_arrives(gated_runner: MakeRunner, log: Log) -> None:
    here, seen = gated_runner(SETTINGS), []

    def play(connection: socket.socket, _request: bytes) -> None:
        seen.extend((row.tokens, row.settled) for row in rows(log))
        connection.sendall(ANSWER)

    with serve(play) as server:
        here.ended(here.send(server))
    assert seen == [(RESERVED, False)]


def test_forged_bytes_are_kept_as_rejected_and_never_sent(gated_runner: MakeRunner, log: Log) -> None:
    here, runs = gated_runner(SETTINGS), dict[str, Run]()
    with serve(ANSWER) as server:
        for name, body in FORGED.items():
            with suppress(Refused, UnicodeDecodeError):
                runs[name] = here.send(server, body)
        assert set(FORGED) - set(runs) == {"invalid UTF-8", "UTF-16"}
        assert {here.ended(run)[:2] for run in runs.values()} == {("rejected", "refused_here")}
        assert server.requests == []
    assert rows(log) == []


@pytest.mark.parametrize("name", ["invalid UTF-8", "UTF-16"])
def test_bytes_that_are_not_utf8_start_no_run(gated_runner: MakeRunner, name: str) -> None:
    with serve(ANSWER) as server:
        with pytest.raises(UnicodeDecodeError):
            gated_runner(SETTINGS).send(server, FORGED[name])
        assert server.requests == []


def test_runs_beyond_a_limit_are_rejected_with_advice_and_cause_no_request(gated_runner: MakeRunner) -> None:
    here = gated_runner(replace(SETTINGS, runs_a_minute=2))
    with serve(ANSWER) as server:
        for _ in range(2):
            assert here.ended(here.send(server))[0] == "ok"
        for _ in range(3):
            status, kind, sentence = here.ended(here.send(server))
            assert (status, kind) == ("rejected", "refused_here")
            assert "This demo allows 2 runs a minute. Try again in" in sentence
        assert here.ended(here.send(server, owner="berta"))[0] == "ok"
        assert len(server.requests) == 3


def test_a_flood_does_not_even_reach_the_log(gated_runner: MakeRunner, log: Log) -> None:
    here = gated_runner(replace(SETTINGS, runs_a_minute=1, visitors_a_network=1))
    with serve(ANSWER) as server:
        runs = [here.send(server) for _ in range(2)]
        with pytest.raises(Refused, match="too many"):
            here.send(server)
        for run in runs:
            here.ended(run)
        assert len(server.requests) == 1
    assert log.database
    with log.database.reader.begin() as connection:
        assert connection.exec_driver_sql("select count(*) from runs").scalar_one() == 2


def test_waiting_runs_have_a_place_in_the_queue(gated_runner: MakeRunner) -> None:
    here = gated_runner(replace(SETTINGS, slots=1))
    with held() as (server, go):
        first = here.send(server, owner="anna")
        wait_for(lambda: server.requests)
        second = here.send(server, owner="berta")
        wait_for(lambda: second.place_in_queue == 1)
        third = here.send(server, owner="clara")
        wait_for(lambda: third.place_in_queue == 2)
        assert second.activity is third.activity is Activity.QUEUED
        assert len(server.requests) == 1
        second.stop()
        wait_for(lambda: third.place_in_queue == 1)
        go.set()
        assert here.ended(second) == ("cancelled", "cancelled", "Stopped before anything was sent.")
        assert here.ended(first)[0] == here.ended(third)[0] == "ok"
        assert third.place_in_queue is None
        assert len(server.requests) == 2


def test_a_stop_leaves_the_queue_at_once(gated_runner: MakeRunner) -> None:
    here = gated_runner(replace(SETTINGS, slots=1))
    with held() as (server, _go):
        here.send(server)
        wait_for(lambda: server.requests)
        waiting = here.send(server, owner="berta")
        wait_for(lambda: waiting.place_in_queue)
        waiting.stop()
        assert waiting.ended.result(10) is Status.CANCELLED
        assert here.gate.slots.waiting == 0


def test_a_full_queue_refuses_a_run_and_uses_no_budget(gated_runner: MakeRunner, log: Log) -> None:
    here = gated_runner(replace(SETTINGS, slots=1, queue=1))
    with held() as (server, _go):
        here.send(server, owner="anna")
        wait_for(lambda: server.requests)
        waiting = here.send(server, owner="berta")
        wait_for(lambda: waiting.place_in_queue)
        refused = here.send(server, owner="clara")
        assert "wait for one already" in here.ended(refused)[2]
        assert len(rows(log)) == 1


def test_a_visitor_without_budget_takes_no_place_in_the_queue(gated_runner: MakeRunner) -> None:
    here = gated_runner(replace(SETTINGS, slots=1, runs_a_minute=1))
    with held() as (server, _go):
        here.send(server, owner="anna")
        wait_for(lambda: server.requests)
        assert "1 runs a minute" in here.ended(here.send(server, owner="anna"))[2]


def test_the_switch_refuses_new_and_waiting_runs_but_not_active_ones(gated_runner: MakeRunner, tmp_path: Path) -> None:
    file = tmp_path / "stop"
    here = gated_runner(replace(SETTINGS, slots=1, stop_file=str(file)))
    with held() as (server, go):
        first = here.send(server)
        wait_for(lambda: server.requests)
        waiting = here.send(server, owner="berta")
        wait_for(lambda: waiting.place_in_queue)
        file.touch()
        assert "paused by its operator" in here.ended(waiting)[2]
        assert "paused by its operator" in here.ended(here.send(server, owner="clara"))[2]
        go.set()
        assert here.ended(first)[0] == "ok"
        file.unlink()
        wait_for(lambda: here.gate.switch.sentence() is None, 5)
        assert here.ended(here.send(server, owner="dora"))[0] == "ok"
        assert len(server.requests) == 2


def test_runs_of_a_sweep_wait_for_the_next_minute_rather_than_fail(gated_runner: MakeRunner, log: Log) -> None:
    settings = replace(SETTINGS, runs_a_minute=2)
    here = gated_runner(settings)
    # The minute of two earlier runs is nearly over.
    began = datetime.now(UTC) - timedelta(seconds=58)
    for _ in range(2):
        budget.settle(log, budget.reserve(log, settings, budget.Demand("anna", "here", 1), began), 1)
    with serve(ANSWER) as server:
        runs = [here.send(server, placement=of(number)) for number in range(2)]
        assert [here.ended(run)[0] for run in runs] == ["ok"] * 2
    assert datetime.now(UTC) - began >= timedelta(minutes=1)


def test_the_twenty_first_run_of_a_sweep_is_refused(gated_runner: MakeRunner) -> None:
    here = gated_runner(replace(SETTINGS, runs_a_minute=100, sweep_runs=3))
    with serve(ANSWER) as server:
        for number in range(3):
            assert here.ended(here.send(server, placement=of(number)))[0] == "ok"
        assert "has 3 runs" in here.ended(here.send(server, placement=of(3)))[2]
        assert here.ended(here.send(server, placement=of(0, "f" * 32)))[0] == "ok"
        assert len(server.requests) == 4


def test_a_run_without_an_open_page_is_stopped(gated_runner: MakeRunner) -> None:
    here = gated_runner(replace(SETTINGS, slots=1, gone_after_s=1))
    with held() as (server, _go):
        left = here.send(server)
        wait_for(lambda: server.requests)
        waiting = here.send(server, owner="berta")
        wait_for(lambda: waiting.place_in_queue)
        for run in (left, waiting):
            run.seen()
        assert here.ended(left)[0] == "cancelled"
        assert "left the queue" in here.ended(waiting)[2]


def test_an_active_run_sends_heartbeats(gated_runner: MakeRunner, log: Log) -> None:
    here = gated_runner(SETTINGS)
    with held() as (server, _go):
        here.send(server)
        wait_for(lambda: any(row.alive_at > row.created_at for row in rows(log)))
    assert ALIVE_S == 30


def test_without_counters_nothing_is_sent(log: Log, gated_runner: MakeRunner) -> None:
    here = gated_runner(SETTINGS)
    with serve(ANSWER) as server:
        log.write(lambda connection: connection.exec_driver_sql("drop table reservations") and None)
        assert "counters cannot be reached" in here.ended(here.send(server))[2]
        assert server.requests == []


def test_without_a_database_nothing_is_sent(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = Log(f"sqlite:///{tmp_path / 'file' / 'log.sqlite3'}")
    here = GatedRunner(log, SETTINGS)
    with serve(ANSWER) as server:
        run = here.send(server)
        assert run.ended.result(10) is Status.REJECTED
        assert "counters cannot be reached" in (run.record().error_message or "")
        assert server.requests == []
    here.runner.shutdown()
    here.gate.close()
    log.close()


def test_a_refused_run_uses_no_tokens_and_one_without_reported_usage_uses_its_reservation(
    gated_runner: MakeRunner, log: Log
) -> None:
    here = gated_runner(SETTINGS)
    with serve(document({"detail": "No."}, "422 Unprocessable Entity")) as server:
        here.ended(here.send(server))
    with serve(sending(head(), chunk("Hi", "stop") + DONE)) as server:
        here.ended(here.send(server))
    assert [row.tokens for row in rows(log)] == [0, RESERVED]
    assert all(row.settled for row in rows(log))


def test_an_endpoint_without_an_address_uses_no_budget_and_frees_its_slot(gated_runner: MakeRunner, log: Log) -> None:
    class Broken:
        name, profile, default_model = "mine", demo_endpoint().profile, "m"

        def address(self, stopped: Callable[[], bool]) -> None:
            raise EndpointUnavailable("It does not start.")

    here = gated_runner(SETTINGS)
    run = here.runner.start(order(Broken(), BODY, owner="anna"))  # type: ignore[arg-type]
    assert here.ended(run)[1] == "endpoint_unavailable"
    (row,) = rows(log)
    assert (row.tokens, row.settled, row.network) == (0, True, "unknown")
    assert here.gate.slots.running == 0


@pytest.mark.parametrize(
    ("outcome", "used"),
    [
        (Outcome(Status.OK, attempts=1, usage=Usage(7, 3, 10)), 10),
        (Outcome(Status.OK, attempts=1, usage=Usage(7, 3, 0)), 10),
        (Outcome(Status.OK, attempts=1, usage=Usage(None, 3, 3)), 500),
        (Outcome(Status.OK, attempts=1), 500),
        (Outcome(Status.CANCELLED, attempts=1), 500),
        (Outcome(Status.CANCELLED, attempts=0), 0),
        (Outcome(Status.ERROR, attempts=1, http_status=429), 0),
        (Outcome(Status.ERROR, attempts=1, http_status=500), 500),
    ],
)
def test_unreported_usage_counts_as_reserved(outcome: Outcome, used: int) -> None:
    assert used_tokens(outcome, 500) == used
