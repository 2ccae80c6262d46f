from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
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


def test_a_locked_database_stops_nothing_and_is_written_later(log: Log, url: str, new_run: Callable[[], Run]) -> None:
    blocker = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    run = new_run()
    began = time.monotonic()
    log.begin(run)
    log.wait_until_committed(run)
    assert time.monotonic() - began < 6
    run.append((Delta(0, "kept"),), 5.0)
    wait_for(lambda: log.problem, 8)
    assert "locked" in log.problem
    blocker.execute("ROLLBACK")
    blocker.close()
    wait_for(lambda: find_run(log.database, run.id), 8)
    wait_for(lambda: find_run(log.database, run.id).text == "kept")
    assert log.problem is None


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


_CHILD = """
import sys, time
from components.runs.log import Log
from components.runs.run import Run
from components.streaming.answer import Delta
log = Log(sys.argv[1])
run = Run(endpoint="mine", dialect="beezy", model="m", request_body=b"{}", streaming=True)
log.begin(run)
log.wait_until_committed(run)
print(run.id, flush=True)
for number in range(1000):
    run.append((Delta(0, f"{number} "),), float(number))
    print(number, flush=True)
    time.sleep(0.01)
"""


def test_a_killed_process_leaves_its_run_which_becomes_lost_once(url: str, new_run: Callable[[], Run]) -> None:
    child = subprocess.Popen([sys.executable, "-c", _CHILD, url], stdout=subprocess.PIPE, text=True)
    with child:
        run_id = child.stdout.readline().strip()
        for line in child.stdout:
            if int(line) == 80:
                break
        child.send_signal(signal.SIGKILL)
    log = Log(url, Limits(lost_after_s=0.3, heartbeat_s=0.1))
    wait_for(lambda: find_run(log.database, run_id).status == "lost")
    found = find_run(log.database, run_id)
    # 250 ms between two writes, and up to as much again for a slow machine: 50 pieces of 10 ms.
    assert len(found.text.split()) >= 30
    assert found.text.split() == [str(number) for number in range(len(found.text.split()))]
    assert found.error_kind == "process_died"
    ended = found.finished_at
    time.sleep(0.5)
    assert find_run(log.database, run_id).finished_at == ended
    log.close()


def test_a_run_of_this_process_is_never_lost_however_old_its_heartbeat(url: str, new_run: Callable[[], Run]) -> None:
    log = Log(url, Limits(lost_after_s=0, heartbeat_s=0.05))
    run = new_run()
    log.begin(run)
    time.sleep(0.5)
    assert find_run(log.database, run.id).status == "running"
    log.close()
