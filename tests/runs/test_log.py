from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from components.runs.log import Log
from components.runs.query import count_runs, find_run, newest_runs
from components.runs.run import Run
from components.streaming.answer import Delta
from components.streaming.faults import ErrorKind
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from tests.waiting import wait_for


def test_the_row_is_there_before_anything_is_sent(log: Log, new_run: Callable[[], Run]) -> None:
    run = new_run()
    log.begin(run)
    log.wait_until_committed(run)
    found = find_run(log.database, run.id)
    assert found
    assert (found.status, found.text, found.request_body) == ("running", "", '{"model": "m"}')


def test_text_is_written_while_it_streams(log: Log, new_run: Callable[[], Run]) -> None:
    run = new_run()
    log.begin(run)
    log.wait_until_committed(run)
    run.append((Delta(0, "Hello"),), 5.0)
    wait_for(lambda: find_run(log.database, run.id).text == "Hello", 1.0)
    run.append((Delta(0, " you"),), 6.0)
    wait_for(lambda: find_run(log.database, run.id).text == "Hello you", 1.0)


def test_a_finished_run_is_written_whole_and_let_go(log: Log, new_run: Callable[[], Run]) -> None:
    run = new_run()
    log.begin(run)
    run.append((Delta(0, "Hi 🐙"),), 5.0)
    run.finish(Outcome(Status.INTERRUPTED, ErrorKind.STALL, "It stopped.", http_status=200, warnings=("odd",)))
    log.end(run)
    wait_for(lambda: log.live(run.id) is None)
    found = find_run(log.database, run.id)
    assert (found.status, found.error_kind, found.error_message) == ("interrupted", "stall", "It stopped.")
    assert (found.text, found.http_status, found.warnings) == ("Hi 🐙", 200, '["odd"]')


def test_closing_writes_what_is_left(url: str, new_run: Callable[[], Run]) -> None:
    log = Log(url)
    run = new_run()
    log.begin(run)
    run.append((Delta(0, "last words"),), 5.0)
    log.close()
    again = Log(url)
    assert find_run(again.database, run.id).text == "last words"
    again.close()


def test_a_database_that_comes_back_gets_the_runs_it_missed(tmp_path: Path, new_run: Callable[[], Run]) -> None:
    obstacle = tmp_path / "folder"
    obstacle.write_text("a file stands where the folder should be")
    log = Log(f"sqlite:///{obstacle / 'runs.sqlite3'}")
    assert log.problem.startswith("Runs are not being logged: ")
    run = new_run()
    log.begin(run)
    run.finish(Outcome(Status.OK, texts=("Hi",)))
    log.end(run)
    assert log.live(run.id) is run
    obstacle.unlink()
    wait_for(lambda: log.live(run.id) is None)
    assert find_run(log.database, run.id).status == "ok"
    assert log.problem is None
    log.close()


def test_many_runs_at_once_are_written_in_turn(
    log: Log, new_run: Callable[[], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.runs.log._MOST_AT_ONCE", 3)
    runs = [new_run() for _ in range(10)]
    for run in runs:
        log.begin(run)
    for piece in range(50):
        for run in runs:
            run.append((Delta(0, "x"),), float(piece))
        time.sleep(0.01)
    wait_for(lambda: all(find_run(log.database, run.id) and find_run(log.database, run.id).text for run in runs), 2)


def test_a_run_that_has_ended_is_in_the_log_when_end_returns(log: Log, new_run: Callable[[], Run]) -> None:
    run = new_run()
    log.begin(run)
    run.finish(Outcome(Status.OK))
    log.end(run)
    assert find_run(log.database, run.id).status == "ok"
    assert log.live(run.id) is None


def test_the_newest_run_comes_first(log: Log, new_run: Callable[[], Run]) -> None:
    runs = [new_run() for _ in range(3)]
    for run in runs:
        log.begin(run)
        log.wait_until_committed(run)
    assert newest_runs(log.database, 10)["id"].tolist() == [run.id for run in reversed(runs)]
    assert newest_runs(log.database, 1)["id"].tolist() == [runs[-1].id]
    assert count_runs(log.database) == 3


@pytest.mark.parametrize("run_id", ["", "0", "None", ":id", "%", "_" * 32, "' or 1=1 --", "x" * 10_000, "\x00"])
def test_an_id_that_is_none_finds_no_run(log: Log, new_run: Callable[[], Run], run_id: str) -> None:
    run = new_run()
    log.begin(run)
    log.wait_until_committed(run)
    assert find_run(log.database, run_id) is None


def test_a_run_of_this_process_is_never_lost_however_old_its_heartbeat(url: str, new_run: Callable[[], Run]) -> None:
    log = Log(url, Limits(lost_after_s=0, heartbeat_s=0.05))
    run = new_run()
    log.begin(run)
    time.sleep(0.5)
    assert find_run(log.database, run.id).status == "running"
    log.close()
