"""One experiment in two processes, each with its own log, runner and experiments on the same database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from sqlalchemy import update

from components.drafts.comparison import Timing
from components.experiments.experiment import Experiment
from components.experiments.experiments import Experiments
from components.experiments.run_order import Plan
from components.experiments.store import runs_of
from components.log.database_clock import database_now
from components.log.log import Log
from components.log.tables import WHOLE_LOG, experiment_claims
from components.runs.runner import Runner
from tests.experiments.conftest import ID, QUICK, Stage, a_plan, an_endpoint, lanes_of
from tests.log.processes import process
from tests.streaming.endpoint import serve
from tests.waiting import wait_for


@pytest.fixture
def two(url: str) -> Iterator[tuple[Experiment, Experiment]]:
    """The experiment in the processes A and B."""
    with ExitStack() as stack:
        seen = []
        for _ in "AB":
            log = Log(url)
            stack.callback(log.close)
            runner = Runner(log, QUICK)
            stack.callback(runner.shutdown)
            experiments = Experiments(runner, log)
            stack.callback(experiments.stop)
            seen.append(experiments.find(ID))
        yield seen[0], seen[1]


def a_sweep(base_url: str, cells: int, at_once: int = 1) -> Plan:
    plan = a_plan(an_endpoint(base_url), *lanes_of("a"), repeats=cells)
    return replace(plan, timing=Timing.PARALLEL, concurrency=at_once, shared=True)


def test_another_process_sees_the_progress_and_repeats_no_run(two: tuple[Experiment, Experiment], url: str) -> None:
    here, there = two
    stage = Stage(pause=0.01)
    with serve(stage.play) as server:
        plan = a_sweep(server.base_url, 100)
        assert here.start(plan)
        here.pause()
        assert not there.claim()
        assert not there.start(plan)
        wait_for(lambda: there.paused and 0 < there.waiting <= 100)
        version = there.version
        assert there.busy_lanes() == {"a"}
        here.resume()
        wait_for(lambda: not here.active)
        wait_for(lambda: not there.active)
        assert there.version > version
        assert len(stage.bodies) == 100
        wait_for(lambda: there.start(a_sweep(server.base_url, 1)))
        assert not here.claim()
        wait_for(lambda: not there.is_made_here)
    log = Log(url)
    assert {run.status for run in runs_of(log.database, ID)} == {"ok"}
    log.close()


def test_a_new_experiment_starts_before_its_claim_is_stored(two: tuple[Experiment, Experiment]) -> None:
    here, there = two
    stage = Stage(pause=0.01)
    with serve(stage.play) as server:
        assert here.start(a_sweep(server.base_url, 10), is_new=True)
        here.pause()
        wait_for(lambda: there.is_made_elsewhere)
        assert not there.claim()
        here.resume()
        wait_for(lambda: not here.active)
        wait_for(there.claim)
        assert len(stage.bodies) == 10


def test_pause_resume_and_stop_reach_the_running_process(two: tuple[Experiment, Experiment]) -> None:
    here, there = two
    stage = Stage(pause=0.02)
    with serve(stage.play) as server:
        here.start(a_sweep(server.base_url, 10_000))
        wait_for(lambda: there.is_made_elsewhere)
        there.pause("Paused. Wait.")
        wait_for(lambda: here.paused)
        wait_for(lambda: there.paused_why == "Paused. Wait.")
        there.resume()
        wait_for(lambda: not here.paused)
        there.pause()
        there.stop()
        wait_for(lambda: not here.active)
        wait_for(lambda: not there.active)


_MAKES = """
from dataclasses import replace
from components.experiments.experiments import Experiments
from components.runs.runner import Runner
from tests.experiments.test_claims import ID, a_sweep
log = Log(url)
experiment = Experiments(Runner(log), log).find(ID)
say(experiment.start(a_sweep(sys.stdin.readline().strip(), 1_000)))
while sys.stdin.readline():
    say(experiment.is_made_here)
"""


def test_a_process_stops_its_runs_after_a_takeover(two: tuple[Experiment, Experiment], url: str) -> None:
    here = two[0]
    log = Log(url)
    with serve(Stage(pause=0.01).play) as server, process(_MAKES, url) as other:
        other.tell(server.base_url)
        assert other.line() == "True"
        wait_for(lambda: here.is_made_elsewhere)
        assert not here.claim()
        assert here.made_elsewhere == "Another Tempera process makes these runs."
        age = "update experiment_claims set heartbeat_at = '2020'"
        # The claim may be renewed in between.
        while not here.start(a_sweep(server.base_url, 3_000)):
            log.write(lambda connection: connection.exec_driver_sql(age))

        def has_stopped() -> bool:
            other.tell("")
            return other.line() == "False"

        wait_for(has_stopped)
        assert here.is_made_here
        here.stop()
    log.close()


def test_a_killed_process_is_shown_as_not_answering_until_its_claim_expires(
    two: tuple[Experiment, Experiment], url: str
) -> None:
    here = two[0]
    log = Log(url)
    with serve(Stage(pause=0.01).play) as server, process(_MAKES, url) as other:
        other.tell(server.base_url)
        assert other.line() == "True"
        wait_for(lambda: here.is_made_elsewhere)
    dialect = "sqlite" if url.startswith("sqlite") else "postgresql"
    aged = update(experiment_claims).values(heartbeat_at=database_now(dialect, 12.0))
    log.write(lambda connection: connection.execute(aged, execution_options=WHOLE_LOG))
    state = wait_for(lambda: here.made_elsewhere if "not answered" in (here.made_elsewhere or "") else None)
    assert re.search(r"not answered for 1[2-9] s\. If it has ended, its missing runs can be made here in \d s", state)
    log.close()
