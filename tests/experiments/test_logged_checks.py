"""Answers in the log are checked without asking again, and the runs keep the results."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from components.checks.kinds import read_check
from components.checks.results import stored_results
from components.experiments.experiments import Experiments
from components.experiments.file_reading import read_experiment_file
from components.experiments.judges import Judges
from components.experiments.logged_checks import Checking, check_logged
from components.experiments.prepared import prepared
from components.experiments.repeatable import run
from components.experiments.store import answered_run_ids
from components.log.log import Log
from components.log.owned import OwnLog
from components.runs.runner import Runner
from components.streaming.outcome import Status
from tests.experiments.conftest import Stage, a_run, an_endpoint, in_turn, kept, written
from tests.experiments.test_repeatable import SWEEP
from tests.streaming.endpoint import serve
from tests.waiting import wait_for

CONTAINS = read_check("contains", "{{capital}}")


@pytest.fixture
def log(sqlite_url: str) -> Iterator[Log]:
    opened = Log(sqlite_url)
    yield opened
    opened.close()


def test_logged_answers_are_checked_against_the_columns_of_their_data_set(
    log: Log, runner: Runner, experiments: Experiments
) -> None:
    own, stage = OwnLog(log, log.owner), Stage(pause=0.0)
    with serve(stage.play) as endpoint:
        endpoints = {"here": an_endpoint(endpoint.base_url)}
        file = read_experiment_file(SWEEP)
        made = run(prepared(file, endpoints, lambda _endpoint: [], own), experiments, own)
        ids = answered_run_ids(own.database, made.experiment_id)
        # Checked already at the end of each run: France and Italy, Paris and Rome, twice each.
        assert sorted(kept(log, run_id).passed for run_id in ids) == [False] * 4 + [True] * 4
        before = len(stage.bodies)
        assert check_logged(own, ids, [read_check("not_contains", "{{capital}}"), read_check("length", 5.0)]) == 8
        assert len(stage.bodies) == before
    records = [kept(log, run_id) for run_id in ids]
    assert sorted(record.passed for record in records) == [False] * 4 + [True] * 4
    assert {stored_results(record.check_results)[0].check for record in records} == {
        "does not contain “Paris”",
        "does not contain “Rome”",
    }


def test_variables_of_the_form_are_expected_values_and_runs_without_an_answer_are_skipped(log: Log) -> None:
    own = OwnLog(log, log.owner)
    form = json.dumps({"variables": {"capital": "Paris"}})
    good, other = a_run("It is Paris."), a_run("half", Status.INTERRUPTED)
    for each in (good, other):
        object.__setattr__(each.order, "draft", form)
        written(log, each)
    assert check_logged(own, [good.id, other.id, "0" * 32], [CONTAINS]) == 1
    assert kept(log, good.id).passed is True
    assert kept(log, other.id).check_results is None
    # Without checks, a run keeps no results.
    check_logged(own, [good.id], [])
    assert (kept(log, good.id).passed, kept(log, good.id).check_results) == (None, None)


def test_runs_of_another_owner_are_not_checked(log: Log) -> None:
    run_id = written(log, a_run("It is Paris."))
    assert check_logged(OwnLog(log, "another"), [run_id], [read_check("contains", "Paris")]) == 0
    assert kept(log, run_id).passed is None


def test_judges_run_in_a_thread_and_are_asked_once(log: Log, runner: Runner) -> None:
    own = OwnLog(log, log.owner)
    ids = [written(log, a_run(text)) for text in ("one", "two", "three")]
    judge = [read_check("judge", {"prompt": "Is {{answer}} good?", "endpoint": "judges", "model": "judge"})]
    stage = Stage({"judge": in_turn("PASS", "FAIL", "what?")}, pause=0.0)
    with serve(stage.play) as endpoint:
        endpoints = {"judges": an_endpoint(endpoint.base_url, "judges")}
        for _again in range(2):
            checking = Checking(own, ids, judge, Judges(runner, own, endpoints, lambda _endpoint: []))
            wait_for(lambda checking=checking: not checking.active)
            assert (checking.done, checking.count, checking.problem) == (3, 3, None)
    # The third verdict was unreadable. It is in the log, so the judge is not asked again.
    assert [kept(log, run_id).passed for run_id in ids] == [True, False, None]
    assert len(stage.bodies) == 3
    # Other checks on the same answers reuse the verdicts.
    check_logged(own, ids, [*judge, read_check("length", 3.0)])
    assert [kept(log, run_id).passed for run_id in ids] == [True, False, False]
