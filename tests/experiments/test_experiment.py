"""Experiments over loopback: the order of requests, stops, pauses, and the rows in the log."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert

from components.drafts.comparison import Lane, Timing
from components.endpoints.endpoint import Endpoint
from components.experiments.experiment import Experiment
from components.experiments.experiments import Experiments
from components.experiments.run_order import Cell, Plan
from components.experiments.store import runs_of
from components.log.deletion import delete_run
from components.log.log import Log
from components.log.owned import OwnLog
from components.log.query import find_run
from components.log.record import RunRecord
from components.log.tables import runs, to_row
from components.runs.runner import Runner
from components.streaming.limits import Limits
from tests.experiments.conftest import (
    COLD,
    ID,
    OTHER_ID,
    QUICK,
    Stage,
    a_plan,
    a_run,
    an_endpoint,
    in_turn,
    kept,
    lanes_of,
    threads_at_work,
)
from tests.streaming.endpoint import DONE, Play, chunk, document, head, sending, serve
from tests.waiting import wait_for


@pytest.fixture
def log(sqlite_url: str) -> Iterator[Log]:
    """Guarantees of the database are tested on both kinds; the order of runs needs only one."""
    opened = Log(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def experiment(experiments: Experiments) -> Experiment:
    return experiments.find(ID)


def ended(experiment: Experiment, log: Log) -> list[RunRecord]:
    """The runs of the experiment in order of their start, once all have ended."""
    wait_for(lambda: not experiment.active)
    return [kept(log, run_id) for run_id in experiment.run_ids()]


def of_lane(records: Sequence[RunRecord], lane: str) -> list[RunRecord]:
    return [record for record in records if record.lane == lane]


def stuck(seen: threading.Event | None = None) -> Play:
    """A play that sends a beginning, then nothing until the client hangs up."""

    def play(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head() + chunk("Half a"))
        if seen:
            seen.set()
        while connection.recv(65536):
            pass

    return play


def until(opened: threading.Event) -> Play:
    """A play that answers as soon as the test opens it."""

    def play(connection: socket.socket, request: bytes) -> None:
        opened.wait(10)
        in_turn("late")(connection, request)

    return play


def unreachable() -> Endpoint:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return an_endpoint(f"http://127.0.0.1:{free.getsockname()[1]}/v1", "nowhere")


def test_lanes_run_in_parallel_each_with_its_own_settings(experiment: Experiment, log: Log) -> None:
    together = threading.Barrier(3, timeout=5)

    def play(connection: socket.socket, request: bytes) -> None:
        together.wait()  # no request is answered before all have arrived
        in_turn("together")(connection, request)

    stage = Stage(dict.fromkeys(("a", "b", "base"), play))
    with serve(stage.play) as server:
        lanes = (*lanes_of("a", "b"), Lane(id="c", settings={"temperature": COLD}))
        experiment.start(a_plan(an_endpoint(server.base_url), *lanes))
        records = ended(experiment, log)
    assert sorted((record.lane, record.position, record.status) for record in records) == [
        ("a", 0, "ok"),
        ("b", 1, "ok"),
        ("c", 2, "ok"),
    ]
    assert {(body["model"], body.get("temperature")) for body in stage.bodies} == {
        ("a", None),
        ("b", None),
        ("base", 0),
    }
    assert {(record.timing, record.concurrency, record.repeat) for record in records} == {("parallel", 3, 1)}


def test_in_parallel_a_stuck_lane_does_not_delay_the_others(experiment: Experiment, log: Log) -> None:
    """Even if they have repeats, which wait for each other within a lane."""
    stage = Stage({"slow": stuck()})
    with serve(stage.play) as server:
        experiment.start(a_plan(an_endpoint(server.base_url), *lanes_of("slow", "a", "b"), repeats=4))
        wait_for(lambda: not experiment.is_busy("a") and not experiment.is_busy("b"), 5.0)
        assert Counter(stage.models) == {"slow": 1, "a": 4, "b": 4}
        assert (experiment.is_busy("slow"), experiment.pending("slow"), experiment.pending("a")) == (True, 3, 0)
        experiment.stop()
        records = ended(experiment, log)
    assert [record.repeat for record in of_lane(records, "a")] == [1, 2, 3, 4]
    assert [(record.status, record.text) for record in of_lane(records, "slow")] == [("cancelled", "Half a")]


def test_sequential_timing_runs_one_request_at_a_time(experiment: Experiment, log: Log) -> None:
    stage = Stage()
    with serve(stage.play) as server:
        endpoint = an_endpoint(server.base_url)
        experiment.start(
            a_plan(endpoint, *lanes_of("a", "b", "c"), repeats=2, timing=Timing.ONE_AFTER_ANOTHER),
        )
        # Another lane or a check waits for its turn.
        experiment.start(a_plan(endpoint, *lanes_of("d"), repeats=2, timing=Timing.ONE_AFTER_ANOTHER))
        records = ended(experiment, log)
    assert stage.max_at_once == 1
    assert [model for model in stage.models if model != "d"] == ["a", "a", "b", "b", "c", "c"]
    assert stage.models.count("d") == 2
    assert {record.concurrency for record in records} == {1}


def test_interleaved_warms_up_once_and_runs_every_lane_once_a_round(experiment: Experiment, log: Log) -> None:
    stage = Stage()
    order: list[str] = []

    def shuffled(cells: Sequence[Cell]) -> list[Cell]:
        turned = [*cells[len(order) % 3 :], *cells[: len(order) % 3]]
        order.extend(cell.lane for cell in turned)
        return turned

    with serve(stage.play) as here, serve(stage.play) as there:
        endpoints = [an_endpoint(here.base_url), an_endpoint(there.base_url, "there")]
        lanes = [
            *lanes_of("small", "large"),
            Lane(id="cold", model="small", settings={"temperature": COLD}),
            Lane(id="far", model="small", endpoint="there"),
        ]
        experiment.start(a_plan(endpoints, *lanes, repeats=3, timing=Timing.INTERLEAVED, shuffled=shuffled))
        records = ended(experiment, log)
        assert (len(here.requests), len(there.requests)) == (2 + 3 * 3, 1 + 3)
    assert stage.max_at_once == 1
    warm_ups, rounds = records[:3], records[3:]
    assert {(record.endpoint, record.model) for record in warm_ups} == {
        ("here", "small"),
        ("here", "large"),
        ("there", "small"),
    }
    assert {record.repeat for record in warm_ups} == {0}
    assert [record.lane for record in rounds] == order
    assert [record.repeat for record in rounds] == [1] * 4 + [2] * 4 + [3] * 4
    for first in (0, 4, 8):
        assert sorted(order[first : first + 4]) == ["cold", "far", "large", "small"]
    # As the page orders them, by when they began, they are the same.
    assert [record.id for record in runs_of(log.database, ID)] == experiment.run_ids()


def test_a_stop_of_one_lane_does_not_stop_the_others(experiment: Experiment, log: Log) -> None:
    opened, began = threading.Event(), threading.Event()
    stage = Stage({"a": stuck(began), "b": until(opened)})
    with serve(stage.play) as server:
        experiment.start(a_plan(an_endpoint(server.base_url), *lanes_of("a", "b"), repeats=2))
        began.wait(5)
        wait_for(lambda: stage.models.count("b"))
        experiment.stop("a")
        wait_for(lambda: not experiment.is_busy("a"))
        assert (experiment.is_busy("b"), experiment.pending("b")) == (True, 1)
        opened.set()
        records = ended(experiment, log)
    assert [record.status for record in of_lane(records, "a")] == ["cancelled"]
    assert [(record.status, record.text) for record in of_lane(records, "b")] == [("ok", "late")] * 2


def test_a_stop_of_one_lane_continues_with_the_next_lane(experiment: Experiment, log: Log) -> None:
    began = threading.Event()
    stage = Stage({"a": stuck(began)})
    with serve(stage.play) as server:
        plan = a_plan(an_endpoint(server.base_url), *lanes_of("a", "b"), repeats=2, timing=Timing.ONE_AFTER_ANOTHER)
        experiment.start(plan)
        began.wait(5)
        experiment.stop("a")
        ended(experiment, log)
    assert stage.models == ["a", "b", "b"]


@pytest.mark.parametrize("timing", Timing)
def test_a_stop_of_all_starts_no_queued_run(experiment: Experiment, log: Log, timing: Timing) -> None:
    began = threading.Event()
    stage = Stage({"a": stuck(began), "b": stuck(began)})
    with serve(stage.play) as server:
        experiment.start(a_plan(an_endpoint(server.base_url), *lanes_of("a", "b"), repeats=3, timing=timing))
        began.wait(5)
        wait_for(lambda: len(stage.bodies) == (2 if timing is Timing.PARALLEL else 1))
        experiment.stop()
        assert (experiment.pending("a"), experiment.pending("b")) == (0, 0)
        records = ended(experiment, log)
        wait_for(lambda: not threads_at_work())
        assert len(stage.bodies) == len(records) == (2 if timing is Timing.PARALLEL else 1)
    assert {record.status for record in records} == {"cancelled"}


def test_a_lane_can_be_run_again_after_a_stop(experiment: Experiment, log: Log) -> None:
    began = threading.Event()
    stage = Stage({"a": stuck(began)})
    with serve(stage.play) as server:
        plan = a_plan(an_endpoint(server.base_url), *lanes_of("a", "b"), timing=Timing.ONE_AFTER_ANOTHER)
        experiment.start(plan)
        began.wait(5)
        experiment.stop()
        experiment.start(a_plan(an_endpoint(server.base_url), *lanes_of("b"), repeats=2))
        records = ended(experiment, log)
    assert Counter(record.lane for record in records) == {"a": 1, "b": 2}


@pytest.mark.parametrize("timing", Timing)
def test_failed_lanes_do_not_affect_the_others(experiment: Experiment, log: Log, timing: Timing) -> None:
    stage = Stage(
        {
            "refused": sending(document({"detail": "Who are you?"}, "401 Unauthorized")),
            "busy": sending(document({"detail": "Later"}, "429 Too Many Requests", "Retry-After: 0")),
            "broken": sending(head() + chunk("Half a")),
        }
    )
    with serve(stage.play) as server:
        lanes = [*lanes_of("refused", "busy", "broken"), Lane(id="gone", endpoint="nowhere"), *lanes_of("good")]
        experiment.start(a_plan([an_endpoint(server.base_url), unreachable()], *lanes, repeats=2, timing=timing))
        records = ended(experiment, log)
    assert {lane: {(run.status, run.error_kind) for run in of_lane(records, lane)} for lane in ("gone", "good")} == {
        "gone": {("error", "connect_refused")},
        "good": {("ok", None)},
    }
    statuses = {lane: {run.http_status for run in of_lane(records, lane)} for lane in ("refused", "busy")}
    assert statuses == {"refused": {401}, "busy": {429}}
    assert {run.status for run in of_lane(records, "broken")} == {"interrupted"}
    counted = Counter(record.lane for record in records if record.repeat)
    assert counted == dict.fromkeys(["refused", "busy", "broken", "gone", "good"], 2)


def test_a_lane_started_during_others_includes_them_in_its_concurrency(experiment: Experiment, log: Log) -> None:
    began = threading.Event()
    stage = Stage({"slow": stuck(began)})
    with serve(stage.play) as server:
        endpoint = an_endpoint(server.base_url)
        experiment.start(a_plan(endpoint, *lanes_of("slow")))
        began.wait(5)
        experiment.start(a_plan(endpoint, *lanes_of("a")))
        wait_for(lambda: not experiment.is_busy("a"))
        experiment.stop()
        records = ended(experiment, log)
    assert [(record.lane, record.concurrency) for record in records] == [("slow", 1), ("a", 2)]


@pytest.fixture
def no_log(tmp_path: Path) -> Log:
    (tmp_path / "file").touch()
    return Log(f"sqlite:///{tmp_path / 'file' / 'log.sqlite3'}")


@pytest.mark.parametrize("timing", Timing)
def test_runs_work_without_a_database(no_log: Log, timing: Timing) -> None:
    runner = Runner(no_log, QUICK)
    experiment = Experiments(runner, no_log).find(ID)
    with serve(Stage().play) as server:
        experiment.start(a_plan(an_endpoint(server.base_url), *lanes_of("a", "b"), timing=timing, repeats=2))
        wait_for(lambda: not experiment.active)
    records = [no_log.live(run_id).record() for run_id in experiment.run_ids()]
    counted = Counter((record.lane, record.text, record.status) for record in records if record.repeat)
    assert counted == {("a", "a", "ok"): 2, ("b", "b", "ok"): 2}
    runner.shutdown()
    no_log.close()


def test_runs_continue_without_the_database_and_are_written_later(url: str) -> None:
    log = Log(url, Limits(log_flush_ms=20, log_lock_wait_s=0.2, log_retry_s=0.1))
    runner = Runner(log, QUICK)
    experiment = Experiments(runner, log).find(ID)
    opened = threading.Event()
    stage = Stage({"a": until(opened)})
    holder = create_engine(url)
    with serve(stage.play) as server:
        first = a_plan(an_endpoint(server.base_url), *lanes_of("a", "b", "c"), timing=Timing.ONE_AFTER_ANOTHER)
        experiment.start(first)
        wait_for(lambda: stage.bodies)
        with holder.begin() as connection:
            sqlite = connection.dialect.name == "sqlite"
            connection.exec_driver_sql("begin immediate" if sqlite else "lock table runs in exclusive mode")
            opened.set()
            wait_for(lambda: not experiment.active)
            assert log.problem
            checked = experiment.run_ids()[2]
            experiment.start(Plan((replace(first.cells[2], checks=checked),), Timing.ONE_AFTER_ANOTHER, 1))
            wait_for(lambda: not experiment.active)
    holder.dispose()
    wait_for(lambda: len(runs_of(log.database, ID)) == 4)
    wait_for(lambda: kept(log, checked).determinism)
    found = [(run.lane, run.text, run.status, run.determinism) for run in runs_of(log.database, ID)]
    assert found[:2] == [("a", "late", "ok", None), ("b", "b", "ok", None)]
    assert found[2:] == [("c", "c", "ok", "identical")] * 2
    runner.shutdown()
    log.close()


def a_check(plan: Plan, checks: str) -> Plan:
    """A plan that sends the bytes of the first cell again."""
    return Plan((replace(plan.cells[0], checks=checks),), Timing.ONE_AFTER_ANOTHER, 1)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (("The sea.", "The sea."), "identical"),
        (("The sea.", "The see."), "first differs at character 7"),
        (("The sea", "The sea."), "first differs at character 8"),
    ],
)
def test_a_determinism_check_stores_its_result_with_both_runs(
    experiment: Experiment, log: Log, answers: tuple[str, str], words: str
) -> None:
    stage = Stage({"a": in_turn(*answers)})
    with serve(stage.play) as server:
        plan = a_plan(an_endpoint(server.base_url), *lanes_of("a"))
        experiment.start(plan)
        (original,) = ended(experiment, log)
        experiment.start(a_check(plan, original.id))
        again = ended(experiment, log)[1]
        wait_for(lambda: kept(log, again.id).determinism)
        assert server.requests[0] == server.requests[1]
    assert [kept(log, run.id).determinism for run in (original, again)] == [words, words]
    assert (again.checks, again.lane, original.checks) == (original.id, "a", None)


def test_a_determinism_check_of_a_cut_answer_is_unknown(experiment: Experiment, log: Log) -> None:
    with serve(sending(head() + chunk("Half a"))) as server:
        plan = a_plan(an_endpoint(server.base_url), *lanes_of("a"))
        experiment.start(plan)
        (original,) = ended(experiment, log)
        experiment.start(a_check(plan, original.id))
        again = ended(experiment, log)[1]
        wait_for(lambda: kept(log, again.id).determinism)
    assert {kept(log, run.id).determinism for run in (original, again)} == {"unknown: the first answer is interrupted"}


def test_a_stopped_determinism_check_is_unknown(experiment: Experiment, log: Log) -> None:
    answers: list[Play] = [in_turn("whole"), stuck()]
    with serve(lambda connection, request: answers.pop(0)(connection, request)) as server:
        plan = a_plan(an_endpoint(server.base_url), *lanes_of("a"))
        experiment.start(plan)
        (original,) = ended(experiment, log)
        experiment.start(a_check(plan, original.id))
        wait_for(lambda: not answers)
        experiment.stop("a")
        again = ended(experiment, log)[1]
        wait_for(lambda: kept(log, again.id).determinism)
    assert kept(log, original.id).determinism == "unknown: the second answer is cancelled"


def test_a_determinism_check_of_a_missing_run_has_no_result(experiment: Experiment, log: Log) -> None:
    with serve(Stage().play) as server:
        experiment.start(a_check(a_plan(an_endpoint(server.base_url), *lanes_of("a")), OTHER_ID))
        (record,) = ended(experiment, log)
    assert (record.status, record.checks, record.determinism) == ("ok", OTHER_ID, None)


def test_another_process_reads_the_runs_of_an_experiment_from_the_log(url: str) -> None:
    log = Log(url)
    runner = Runner(log, QUICK)
    with serve(Stage().play) as server:
        endpoint = an_endpoint(server.base_url)
        experiments = Experiments(runner, log)
        experiment = experiments.find(ID)
        experiment.start(a_plan(endpoint, *lanes_of("a", "b"), repeats=2, timing=Timing.INTERLEAVED))
        wait_for(lambda: not experiment.active)
        another = experiments.find(OTHER_ID)
        another.start(a_plan(endpoint, *lanes_of("a", "b")))
        wait_for(lambda: not another.active)
    experiments.stop()
    experiments.close()
    runner.shutdown()
    log.close()
    log = Log(url)
    found = Experiments(Runner(log), log).find(ID)
    assert (found.active, found.run_ids(), found.is_busy("a")) == (False, [], False)
    records = runs_of(log.database, ID)
    places = [(run.lane, run.position, run.repeat, run.timing, run.concurrency) for run in records]
    assert sorted(places) == [
        (lane, position, repeat, "interleaved", 1) for position, lane in enumerate("ab") for repeat in (0, 1, 2)
    ]
    assert {(run.timing, run.concurrency) for run in runs_of(log.database, OTHER_ID)} == {("parallel", 2)}
    assert all(run.status == "ok" and run.text == run.lane for run in records)
    log.close()


def test_the_version_grows_with_every_run_that_begins_or_ends(experiment: Experiment) -> None:
    opened = threading.Event()
    versions = [experiment.version]

    def grown() -> bool:
        return experiment.version > versions[-1]

    with serve(Stage({"a": until(opened)}).play) as server:
        experiment.start(a_plan(an_endpoint(server.base_url), *lanes_of("a")))
        wait_for(lambda: experiment.run_ids())
        assert grown()
        versions.append(experiment.version)
        opened.set()
        wait_for(lambda: not experiment.active)
        assert grown()
    versions.append(experiment.version)
    experiment.stop()
    assert grown()


def test_an_experiment_without_runs_is_finished_at_once(experiment: Experiment) -> None:
    experiment.start(Plan((), Timing.PARALLEL, 1))
    assert (experiment.active, experiment.version, experiment.run_ids()) == (False, 0, [])


@pytest.mark.parametrize("timing", [Timing.PARALLEL, Timing.ONE_AFTER_ANOTHER])
def test_an_internal_error_ends_the_experiment(
    experiment: Experiment, log: Log, caplog: pytest.LogCaptureFixture, timing: Timing
) -> None:
    with serve(Stage().play) as server:
        plan = a_plan(an_endpoint(server.base_url), *lanes_of("a", "b"), timing=timing)
        faulty = replace(plan.cells[0], order=replace(plan.cells[0].order, body=None))
        experiment.start(replace(plan, cells=(faulty, *plan.cells)))
        records = ended(experiment, log)
    assert sorted(record.text for record in records) == ["a", "b"]
    assert f"a run of experiment {ID} could not be made" in caplog.text


def test_active_experiments_are_never_dropped(runner: Runner, log: Log) -> None:
    experiments = Experiments(runner, log, max_idle=2)
    active, idle = experiments.find(ID), experiments.find(OTHER_ID)
    with serve(Stage({"a": stuck()}).play) as server:
        active.start(a_plan(an_endpoint(server.base_url), *lanes_of("a")))
        assert experiments.find(OTHER_ID) is idle
        experiments.find("1" * 32)
        assert experiments.find(ID) is active
        assert experiments.find(OTHER_ID) is not idle
        experiments.stop()
        wait_for(lambda: not active.active)


def test_shutdown_starts_no_more_runs(experiments: Experiments) -> None:
    stage = Stage({"a": stuck()})
    with serve(stage.play) as server:
        for experiment_id in (ID, OTHER_ID):
            plan = a_plan(an_endpoint(server.base_url), *lanes_of("a"), repeats=5, timing=Timing.ONE_AFTER_ANOTHER)
            experiments.find(experiment_id).start(plan)
        wait_for(lambda: len(stage.bodies) == 2)
        experiments.stop()
        wait_for(lambda: not threads_at_work())
        assert len(stage.bodies) == 2


def shared(plan: Plan, concurrency: int) -> Plan:
    """The same cells, shared among this many workers."""
    return replace(plan, concurrency=concurrency, shared=True)


def test_shared_cells_run_once_each_within_the_concurrency_of_the_plan(experiment: Experiment, log: Log) -> None:
    stage = Stage(pause=0.02)
    with serve(stage.play) as server:
        plan = a_plan(an_endpoint(server.base_url), *lanes_of("a", "b", "c", "d"), repeats=5)
        experiment.start(shared(plan, 3))
        records = ended(experiment, log)
    assert stage.max_at_once == 3
    assert sorted((run.lane, run.repeat) for run in records) == [(lane, n) for lane in "abcd" for n in range(1, 6)]
    assert len(stage.bodies) == 20
    assert {run.concurrency for run in records} == {3}


def test_no_shared_cell_waits_for_a_stuck_one(experiment: Experiment, log: Log) -> None:
    """Including cells of its own lane, which would wait if each lane executed its own cells."""
    answers = [stuck(), in_turn("free"), in_turn("free"), in_turn("free")]
    stage = Stage({"slow": lambda connection, request: answers.pop(0)(connection, request)})
    with serve(stage.play) as server:
        experiment.start(shared(a_plan(an_endpoint(server.base_url), *lanes_of("slow", "a", "b"), repeats=4), 2))
        wait_for(lambda: [experiment.pending(lane) for lane in ("slow", "a", "b")] == [0, 0, 0], 5.0)
        wait_for(lambda: not experiment.is_busy("a") and not experiment.is_busy("b"))
        assert Counter(stage.models) == {"slow": 4, "a": 4, "b": 4}
        experiment.stop()
        records = ended(experiment, log)
    assert Counter(run.status for run in of_lane(records, "slow")) == {"ok": 3, "cancelled": 1}


def test_there_may_be_more_workers_than_shared_cells(experiment: Experiment, log: Log) -> None:
    with serve(Stage().play) as server:
        experiment.start(shared(a_plan(an_endpoint(server.base_url), *lanes_of("a", "b")), 32))
        assert sorted(run.lane for run in ended(experiment, log)) == ["a", "b"]
    wait_for(lambda: not threads_at_work())


def in_the_log(log: Log, experiment: Experiment) -> list[RunRecord | None]:
    """The runs of the experiment; None for runs not yet in the log."""
    return [find_run(log.database, run_id) for run_id in experiment.run_ids()]


def plan_to_pause(base_url: str, timing: Timing) -> Plan:
    """Three rounds of "slow", which comes first, and "a": one at a time, or two shared ones at once."""
    plan = a_plan(an_endpoint(base_url), *lanes_of("slow", "a"), repeats=3, timing=timing, shuffled=list)
    rounds = tuple(cell for cell in plan.cells if cell.repeat)
    return shared(replace(plan, cells=rounds), 2 if timing is Timing.PARALLEL else 1)


@pytest.mark.parametrize("timing", [Timing.PARALLEL, Timing.INTERLEAVED])
def test_a_pause_finishes_active_runs_and_starts_none(experiment: Experiment, log: Log, timing: Timing) -> None:
    opened = threading.Event()
    stage = Stage({"slow": until(opened)})
    with serve(stage.play) as server:
        experiment.start(plan_to_pause(server.base_url, timing))
        wait_for(lambda: stage.models.count("slow"))
        experiment.pause()
        begun = len(experiment.run_ids())
        opened.set()
        wait_for(lambda: {run and run.status for run in in_the_log(log, experiment)} == {"ok"})
        time.sleep(0.1)  # enough time for another run to begin
        assert (experiment.paused, experiment.active, len(experiment.run_ids())) == (True, True, begun)
        experiment.resume()
        records = ended(experiment, log)
    assert not experiment.paused
    assert Counter(run.lane for run in records) == {"slow": 3, "a": 3}


def test_drawing_a_page_delays_runs_for_a_limited_time(experiment: Experiment, log: Log) -> None:
    with serve(Stage().play) as server:
        plan = a_plan(an_endpoint(server.base_url), *lanes_of("a"))
        with experiment.held_back(3_600), experiment.held_back(3_600):
            experiment.start(plan)
            assert (experiment.run_ids(), experiment.active) == ([], True)
        assert len(ended(experiment, log)) == len(plan.cells)
        with experiment.held_back(0):
            experiment.start(plan)
            assert len(ended(experiment, log)) == 2 * len(plan.cells)


@pytest.mark.parametrize("timing", [Timing.PARALLEL, Timing.INTERLEAVED])
def test_a_stop_ends_a_paused_experiment_and_leaves_nothing_running(
    experiment: Experiment, log: Log, timing: Timing
) -> None:
    began = threading.Event()
    stage = Stage({"slow": stuck(began)})
    with serve(stage.play) as server:
        experiment.start(plan_to_pause(server.base_url, timing))
        assert began.wait(5)
        experiment.pause()
        begun = len(experiment.run_ids())
        experiment.stop()
        records = ended(experiment, log)
        wait_for(lambda: not threads_at_work())
    assert (experiment.paused, len(records)) == (False, begun)
    assert {run.status for run in of_lane(records, "slow")} == {"cancelled"}


def test_a_stop_of_one_lane_leaves_the_others_paused(experiment: Experiment, log: Log) -> None:
    began = threading.Event()
    with serve(Stage({"slow": stuck(began)}).play) as server:
        experiment.start(plan_to_pause(server.base_url, Timing.INTERLEAVED))
        assert began.wait(5)
        experiment.pause()
        experiment.stop("slow")
        wait_for(lambda: not experiment.is_busy("slow"))
        assert (experiment.paused, experiment.pending("a")) == (True, 3)
        experiment.resume()
        assert Counter(run.lane for run in ended(experiment, log)) == {"slow": 1, "a": 3}


def test_a_pause_after_the_end_does_not_delay_later_runs(experiment: Experiment, log: Log) -> None:
    with serve(Stage().play) as server:
        plan = a_plan(an_endpoint(server.base_url), *lanes_of("a"))
        experiment.start(plan)
        ended(experiment, log)
        experiment.pause()
        experiment.start(plan)
        assert [run.status for run in ended(experiment, log)] == ["ok", "ok"]


def test_runs_added_to_a_paused_experiment_wait(experiment: Experiment, log: Log) -> None:
    opened = threading.Event()
    stage = Stage({"slow": until(opened)})
    with serve(stage.play) as server:
        experiment.start(a_plan(an_endpoint(server.base_url), *lanes_of("slow")))
        wait_for(lambda: stage.bodies)
        experiment.pause()
        experiment.start(a_plan(an_endpoint(server.base_url), *lanes_of("a")))
        opened.set()
        wait_for(lambda: not experiment.is_busy("slow"))
        assert (experiment.pending("a"), experiment.is_busy("a")) == (1, True)
        experiment.resume()
        ended(experiment, log)


def test_shutdown_ends_a_pause(experiments: Experiments) -> None:
    experiment = experiments.find(ID)
    with serve(Stage({"slow": stuck()}).play) as server:
        experiment.start(plan_to_pause(server.base_url, Timing.PARALLEL))
        experiment.pause()
        experiments.stop()
        wait_for(lambda: not threads_at_work())
        assert not experiment.active


_STARTS_AND_LEAVES = """
import sys, time
from components.contract.profile import BEEZY
from components.drafts.comparison import Timing
from components.endpoints.endpoint import Address, Endpoint
from components.experiments.experiments import Experiments
from components.experiments.run_order import Cell, Plan
from components.log.log import Log
from components.runs.order import Order
from components.runs.runner import Runner

log = Log(sys.argv[1])
experiment = Experiments(Runner(log), log).find("e" * 32)
endpoint = Endpoint("here", BEEZY, Address(sys.argv[2]))
experiment.start(Plan((Cell("a", 0, 1, Order(endpoint, b"{}", "m", True)),) * 3, Timing.ONE_AFTER_ANOTHER, 1))
while not experiment.run_ids():
    time.sleep(0.01)
"""


def test_active_runs_do_not_keep_the_process_alive(sqlite_url: str) -> None:
    with serve(lambda connection, request: server.until_closed(connection, request)) as server:
        command = [sys.executable, "-c", _STARTS_AND_LEAVES, sqlite_url, server.base_url]
        assert subprocess.run(command, check=False, timeout=15).returncode == 0
        assert len(server.requests) <= 1


def test_shared_cells_wait_while_one_waits_for_a_retry(experiment: Experiment, log: Log) -> None:
    """The endpoint refuses one cell once; the others wait until its retry succeeds."""
    refused, opened = threading.Event(), threading.Event()

    def busy_once(connection: socket.socket, request: bytes) -> None:
        if refused.is_set():
            connection.sendall(head() + chunk("late"))
            opened.wait(10)
            connection.sendall(chunk("", "stop") + DONE)
        else:
            refused.set()
            connection.sendall(document("", "429 Too Many Requests", "Retry-After: 1"))

    stage = Stage({"busy": busy_once})
    with serve(stage.play) as server:
        plan = a_plan(an_endpoint(server.base_url), *lanes_of("busy", "a", "b", "c"))
        experiment.start(shared(plan, 1))
        assert refused.wait(5)
        time.sleep(0.2)  # until the run has read it
        again = tuple(replace(cell, repeat=2) for cell in plan.cells[1:])
        experiment.start(shared(replace(plan, cells=again), 3))
        time.sleep(0.4)
        assert stage.models == ["busy"]
        wait_for(lambda: len(stage.bodies) == 5)
        assert stage.models[:2] == ["busy", "busy"]  # and it is still streaming
        opened.set()
        records = ended(experiment, log)
    assert [run.status for run in records] == ["ok"] * 7


def test_shared_cells_pause_automatically_when_the_endpoint_dies(experiment: Experiment, log: Log) -> None:
    endpoint = unreachable()
    plan = a_plan(an_endpoint("http://127.0.0.1:1/v1"), *lanes_of("a", "b"), repeats=20)
    plan = replace(
        plan, cells=tuple(replace(cell, order=replace(cell.order, endpoint=endpoint)) for cell in plan.cells)
    )
    experiment.start(shared(plan, 2))
    wait_for(lambda: experiment.paused)
    assert experiment.paused_why is not None
    assert experiment.paused_why.startswith("Paused. The last 10 failed. ")
    assert "nothing listens there" in experiment.paused_why
    assert experiment.waiting >= 28
    experiment.resume()
    assert experiment.paused_why is None
    experiment.stop()
    ended(experiment, log)


def test_shared_cells_wait_for_a_log_that_cannot_be_written(no_log: Log) -> None:
    experiments = Experiments(Runner(no_log, QUICK), no_log)
    experiment = experiments.find(ID)
    stage = Stage()
    with serve(stage.play) as server:
        experiment.start(shared(a_plan(an_endpoint(server.base_url), *lanes_of("a", "b")), 2))
        assert (experiment.paused, experiment.waiting, stage.bodies) == (True, 2, [])
        assert "Runs are not being logged" in (experiment.paused_why or "")
        experiment.stop()
        assert not experiment.active


def test_shared_cells_wait_while_the_quota_is_used_up(sqlite_url: str) -> None:
    log = Log(sqlite_url, replace(QUICK, kept_mb=1))
    own = OwnLog(log, "me")
    large = replace(a_run("x" * 1_000_000).record(), owner="me")
    log.write(lambda connection: connection.execute(insert(runs), [to_row(large)]))
    experiment = Experiments(Runner(log, QUICK), log).find(ID, "me")
    stage = Stage()
    with serve(stage.play) as server:
        experiment.start(shared(a_plan(an_endpoint(server.base_url), *lanes_of("a", "b")), 2))
        assert (experiment.paused, experiment.waiting, stage.bodies) == (True, 2, [])
        assert "Delete some of them" in (experiment.paused_why or "")
        assert delete_run(own, large.id)
        experiment.resume()
        wait_for(lambda: not experiment.active)
        assert len(stage.bodies) == 2
    log.close()


def test_start_stop_and_status_are_thread_safe(experiment: Experiment, log: Log) -> None:
    stage = Stage(pause=0.0)
    with serve(stage.play) as server, ExitStack() as threads:
        endpoint = an_endpoint(server.base_url)

        def look() -> None:
            for _ in range(50):
                experiment.pending("a"), experiment.is_busy("b"), experiment.run_ids()

        def at_work(*works: Callable[[], None]) -> None:
            for work in works:
                thread = threading.Thread(target=work)
                thread.start()
                threads.callback(thread.join)

        at_work(*(lambda: experiment.start(a_plan(endpoint, *lanes_of("a", "b"))) for _ in range(4)), look)
        at_work(lambda: experiment.stop("a"), look)
        threads.close()
        records = ended(experiment, log)
    assert len(of_lane(records, "b")) == 4
    assert len(of_lane(records, "a")) <= 4
    assert len({*experiment.run_ids()}) == len(records)
