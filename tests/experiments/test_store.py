"""Experiments and votes in the log, and the runs that belong to them."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert

from components.experiments.store import (
    Better,
    Judgement,
    StoredExperiment,
    Vote,
    adopt,
    ended_run_ids,
    find_experiment,
    judgements,
    light_runs,
    light_runs_under_way,
    newest_experiments,
    runs_of,
    save_experiment,
    save_vote,
    votes_on,
)
from components.log.database import DatabaseUnavailable
from components.log.log import Log
from components.log.query import Measured, QueryFailed, answers_to, recent_measures
from components.log.record import utc_now
from components.log.tables import runs, to_row
from components.runs.order import Placement
from components.runs.run import Run
from components.streaming.outcome import Outcome, Status
from tests.experiments.conftest import ID, OTHER_ID, a_run, an_endpoint, kept, written
from tests.log.many_rows import forget
from tests.orders import order
from tests.waiting import wait_for

NO_IDS = ["", "0", "x" * 32, "A" * 32, "a" * 33, "' or 1=1 --", "\x00" * 32]
PLACE = Placement(ID, "1", 0, 1, "parallel", 2, None)


def saved(log: Log, experiment_id: str, content: str, kind: str = "comparison") -> StoredExperiment:
    save_experiment(log, experiment_id, content, kind)

    def look() -> StoredExperiment | None:
        found = find_experiment(log.database, experiment_id)
        return found if found and (found.content, found.kind) == (content, kind) else None

    return wait_for(look)


def a_live_run(log: Log, placement: Placement | None = None) -> Run:
    run = Run(order(an_endpoint("http://127.0.0.1:1/v1"), placement=placement))
    log.begin(run)
    log.wait_until_committed(run)
    return run


def placed(log: Log, run_id: str) -> tuple[object, ...]:
    record = kept(log, run_id)
    return tuple(getattr(record, part) for part in vars(PLACE))


def test_an_experiment_is_found_again_after_a_restart(url: str) -> None:
    log = Log(url)
    before = utc_now()
    save_experiment(log, ID, '{"text": "Hi 🐙"}')
    log.close()
    again = Log(url)
    found = find_experiment(again.database, ID)
    assert (found.id, found.kind, found.content) == (ID, "comparison", '{"text": "Hi 🐙"}')
    assert before <= found.created_at <= utc_now()
    assert find_experiment(again.database, OTHER_ID) is None
    again.close()


def test_a_repeated_experiment_is_stored_again_with_the_new_time(log: Log) -> None:
    first = saved(log, ID, "first")
    saved(log, OTHER_ID, "other")
    second = saved(log, ID, "second")
    assert second.created_at > first.created_at
    assert [one.id for one in newest_experiments(log.database, 9)] == [ID, OTHER_ID]


def test_the_newest_experiments_of_a_kind_come_first(log: Log) -> None:
    ids = [f"{number}" * 32 for number in range(4)]
    for experiment_id in ids:
        saved(log, experiment_id, "content")
    saved(log, ID, "content", kind="sweep")
    assert [one.id for one in newest_experiments(log.database, 3)] == ids[:0:-1]
    assert [one.id for one in newest_experiments(log.database, 9, "sweep")] == [ID]


def test_texts_that_databases_refuse_are_corrected(log: Log) -> None:
    save_experiment(log, ID, "a\0b \ud83d")
    assert wait_for(lambda: find_experiment(log.database, ID)).content == "a\ufffdb \ufffd"
    runs = written(log, a_run()), written(log, a_run())
    save_vote(log, Vote(*runs, "model a\0", 'stop "\ud83d"', Better.FIRST, True))
    assert votes_on(log.database, [*runs]) == [Vote(*runs, "model a\ufffd", 'stop "\ufffd"', Better.FIRST, True)]
    assert log.problem is None


def test_an_invalid_id_keeps_and_finds_nothing(log: Log) -> None:
    for no_id in NO_IDS:
        save_experiment(log, no_id, "content")
    saved(log, ID, "content")
    assert [no_id for no_id in NO_IDS if find_experiment(log.database, no_id) or runs_of(log.database, no_id)] == []
    assert [one.id for one in newest_experiments(log.database, 9)] == [ID]
    assert log.problem is None


def test_the_runs_of_an_experiment_are_in_order_of_their_start(log: Log) -> None:
    runs = [a_run(str(number)) for number in range(4)]
    for number, run in enumerate(runs):
        run.created_at = f"2020-01-0{9 - number}T00:00:00.000000Z"
        run.adopt(Placement(OTHER_ID if number == 2 else ID, "1", 0, number, "parallel", 2))
        written(log, run)
    written(log, a_run("alone"))
    assert [record.text for record in runs_of(log.database, ID)] == ["3", "1", "0"]
    assert [record.text for record in runs_of(log.database, OTHER_ID)] == ["2"]


def test_the_runs_of_a_sweep_are_read_without_their_requests(log: Log) -> None:
    ended = a_run("the sea", reasoning="long")
    ended.adopt(PLACE)
    run_id = written(log, ended)
    live = a_live_run(log, PLACE)
    assert ended_run_ids(log.database, PLACE.experiment_id) == {run_id}
    (light,) = light_runs(log.database, [run_id])
    assert (light.text, light.request_body, light.reasoning, light.draft) == ("the sea", "", "", None)
    assert replace(light, request_body=ended.record().request_body, reasoning="long") == kept(log, run_id)
    assert [run.id for run in light_runs_under_way(log.database, PLACE.experiment_id)] == [live.id]
    assert light_runs_under_way(log.database, "no id") == []
    live.finish(Outcome(Status.CANCELLED))
    log.end(live)


def test_answers_are_found_by_their_request_body(log: Log) -> None:
    first, second = written(log, a_run("one")), written(log, a_run("two"))
    written(log, a_run("broken", Status.ERROR))
    assert answers_to(log.database, "here", 10) == {'{"model": "m"}': [second, first]}
    assert answers_to(log.database, "here", 2) == {'{"model": "m"}': [second]}
    assert answers_to(log.database, "there", 10) == {}


def test_recent_measures_need_complete_runs(log: Log) -> None:
    written(log, a_run("unknown"))
    run = a_run()
    measures = {"prompt_tokens": 7, "completion_tokens": 5, "ttft_ms": 20.0, "tokens_per_second": 50.0}
    row = {**to_row(run.record()), **measures}
    log.write(lambda connection: connection.execute(insert(runs), row))
    assert recent_measures(log.database, "here", "m", 5) == [Measured(run.record().request_body, 7, 5, 20.0, 50.0)]
    assert recent_measures(log.database, "here", "other", 5) == []


def test_an_ended_run_is_adopted(log: Log) -> None:
    run_id, other = written(log, a_run("answer")), written(log, a_run())
    adopt(log, run_id, PLACE)
    wait_for(lambda: runs_of(log.database, ID))
    assert placed(log, run_id) == tuple(vars(PLACE).values())
    assert kept(log, run_id).text == "answer"
    assert kept(log, other).experiment_id is None


def test_an_active_run_is_adopted_permanently(log: Log) -> None:
    run = a_live_run(log)
    adopt(log, run.id, PLACE)
    assert run.record().experiment_id == ID
    wait_for(lambda: runs_of(log.database, ID))
    run.finish(Outcome(Status.OK))
    log.end(run)
    assert kept(log, run.id).status == "ok"
    assert placed(log, run.id) == tuple(vars(PLACE).values())


@pytest.mark.parametrize("live", [True, False])
def test_a_run_of_another_experiment_is_not_adopted(log: Log, live: bool) -> None:
    theirs = Placement(OTHER_ID, "3", 2, 5, "interleaved", 1, "c" * 32)
    run = a_live_run(log, theirs)
    if not live:
        run.finish(Outcome(Status.OK))
        log.end(run)
    adopt(log, run.id, PLACE)
    saved(log, ID, "written after it")
    assert placed(log, run.id) == tuple(vars(theirs).values())
    assert run.order.placement == theirs
    run.finish(Outcome(Status.OK))
    log.end(run)
    assert runs_of(log.database, ID) == []


def test_votes_are_kept_in_order(log: Log) -> None:
    a, b, c = (written(log, a_run()) for _ in range(3))
    votes = [
        Vote(b, a, "temperature 1", "temperature 0", Better.TIE, False),
        Vote(a, c, "model x", "model y", Better.SECOND, True),
        Vote(b, c, "temperature 0", "temperature 1", Better.BOTH_BAD, False),
    ]
    for vote in votes:
        save_vote(log, vote)
    assert votes_on(log.database, [a, b]) == [votes[0]]
    assert votes_on(log.database, [a, b, c]) == votes
    assert votes_on(log.database, [a]) == votes_on(log.database, []) == []
    assert judgements(log.database) == [
        Judgement(vote.first_setting, vote.second_setting, vote.better) for vote in votes
    ]


def test_a_second_vote_on_the_same_pair_replaces_the_first(log: Log) -> None:
    a, b, c = (written(log, a_run()) for _ in range(3))
    other = Vote(a, c, "one", "other", Better.FIRST, True)
    second = Vote(b, a, "temperature 1", "temperature 0", Better.TIE, False)
    for vote in (Vote(a, b, "temperature 0", "temperature 1", Better.FIRST, True), other, second):
        save_vote(log, vote)
    assert votes_on(log.database, [a, b, c]) == [other, second]


def test_a_vote_on_a_missing_run_is_refused(log: Log) -> None:
    run_id = written(log, a_run())
    for pair in ((run_id, uuid.uuid4().hex), (uuid.uuid4().hex, run_id)):
        save_vote(log, Vote(*pair, "one", "other", Better.FIRST, True))
    assert judgements(log.database) == []


def test_a_vote_is_deleted_with_either_of_its_runs(log: Log) -> None:
    young, old, older = a_run(), a_run(), a_run()
    old.created_at = older.created_at = utc_now(86_400)
    for run in (young, old, older):
        written(log, run)
    for first, second in ((young, old), (older, young), (young, young)):
        save_vote(log, Vote(first.id, second.id, first.id, second.id, Better.TIE, False))
    assert forget(log, utc_now(3_600)) == 2
    assert judgements(log.database) == [Judgement(young.id, young.id, Better.TIE)]


def test_without_a_database_votes_fail_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = Log(f"sqlite:///{tmp_path / 'file' / 'log.sqlite3'}")
    save_experiment(log, ID, "lost")
    adopt(log, "a" * 32, PLACE)
    with pytest.raises(DatabaseUnavailable, match="Runs are not being logged"):
        save_vote(log, Vote("a" * 32, "b" * 32, "one", "other", Better.FIRST, True))
    log.close()


def test_a_failed_read_gives_the_reason(log: Log) -> None:
    for table in ("votes", "experiments"):
        log.write(lambda connection, table=table: connection.exec_driver_sql(f"drop table {table}"))
    for read in (
        lambda: find_experiment(log.database, ID),
        lambda: newest_experiments(log.database, 1),
        lambda: votes_on(log.database, [ID]),
        lambda: judgements(log.database),
    ):
        with pytest.raises(QueryFailed, match="The log cannot be read"):
            read()
