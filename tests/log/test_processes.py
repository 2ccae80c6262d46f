"""Several processes on one log, and processes that die or sleep."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from sqlalchemy import Engine

from components.log.database import Database
from components.log.log import Log
from components.log.owned import OwnLog
from components.log.query import count_runs, events_of, find_run
from components.log.stopping import request_stop
from components.runs.run import Run
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from tests.log.processes import process
from tests.waiting import wait_for

QUICK = Limits(lost_after_s=0.4, heartbeat_s=0.1)


@pytest.mark.clock
@pytest.mark.timeout(2_060)
@pytest.mark.parametrize("kills", [8, pytest.param(1_000, marks=pytest.mark.long)])
def test_kills_lose_no_run_and_at_most_half_a_second_of_text(url: str, kills: int) -> None:
    where = ["--url", url] if url.startswith("postgresql") else []
    loop = [sys.executable, "-m", "tests.log.kill_loop", "--kills", str(kills), *where]
    done = subprocess.run(loop, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["kills"] == kills
    assert json.loads(done.stdout)["runs"] > kills


@pytest.mark.parametrize("runs", [20, pytest.param(250, marks=pytest.mark.long)])
def test_four_processes_write_many_runs_without_an_error(url: str, runs: int) -> None:
    script = """
log = Log(url)
say("ready")
problems = set()
for _ in range(int(sys.stdin.readline())):
    run = new_run()
    log.begin(run)
    log.wait_until_committed(run)
    run.finish(Outcome(Status.OK))
    log.end(run)
    problems.add(log.problem)
log.close()
say(problems)
"""
    with ExitStack() as stack:
        children = [stack.enter_context(process(script, url)) for _ in range(4)]
        assert [child.line() for child in children] == ["ready"] * 4
        for child in children:
            child.tell(str(runs))
        assert [child.line() for child in children] == ["{None}"] * 4
    database = Database(url)
    assert count_runs(database) == 4 * runs
    with database.reader.begin() as connection:
        assert connection.exec_driver_sql("select distinct status from runs").scalars().all() == ["ok"]
    database.close()


_STREAMING = """
log = Log(url, Limits(lost_after_s=1, heartbeat_s=0.3, log_events_s=0.2))
run = new_run()
log.begin(run)
log.wait_until_committed(run)
say(run.id)
def stream():
    for number in range(100_000):
        run.take(TimedEvent("message", f"{number}", float(number), (Delta(0, f"{number} "),)))
        time.sleep(0.01)
threading.Thread(target=stream, daemon=True).start()
sys.stdin.readline()
run.finish(Outcome(Status.OK))
log.end(run)
say("ended")
"""


def watch_transitions(engine: Engine) -> Callable[[], list[tuple[str, str]]]:
    """Record each change of a status by a database trigger; return the changes so far."""
    with engine.begin() as connection:
        connection.exec_driver_sql("create table transitions (old text, new text)")
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(
                "create trigger t after update on runs when old.status <> new.status begin"
                " insert into transitions values (old.status, new.status); end"
            )
        else:
            connection.exec_driver_sql(
                "create function note() returns trigger language plpgsql as"
                " 'begin insert into transitions values (old.status, new.status); return null; end'"
            )
            connection.exec_driver_sql(
                "create trigger t after update on runs for each row"
                " when (old.status <> new.status) execute function note()"
            )

    def transitions() -> list[tuple[str, str]]:
        with engine.begin() as connection:
            return [tuple(row) for row in connection.exec_driver_sql("select old, new from transitions")]

    return transitions


def test_the_run_of_a_killed_process_becomes_lost_exactly_once(url: str) -> None:
    database = Database(url)
    transitions = watch_transitions(database.writer)
    with process(_STREAMING, url) as child:
        run_id = child.line()
        wait_for(lambda: len(events_of(database, run_id)) >= 20)
        assert find_run(database, run_id).status == "running"
    others = [Log(url, Limits(lost_after_s=0.4, heartbeat_s=0)) for _ in range(3)]
    wait_for(lambda: find_run(database, run_id).status == "lost")
    found = find_run(database, run_id)
    assert found.error_kind == "process_died"
    words = found.text.split()
    assert words == [str(number) for number in range(len(words))]
    for log in others * 2:
        log.write(lambda _connection: None)  # a round, which looks for lost runs again
    assert find_run(database, run_id) == found
    numbers = [event.data for event in events_of(database, run_id)]
    assert numbers == words[: len(numbers)]
    assert transitions() == [("running", "lost")]
    for log in others:
        log.close()
    database.close()


def test_exactly_one_of_several_simultaneous_ends_is_stored(url: str, new_run: Callable[[], Run]) -> None:
    owner, other = Log(url, Limits(lost_after_s=0, heartbeat_s=0.01)), Log(url, Limits(lost_after_s=0, heartbeat_s=0))
    reader = Database(url)
    transitions = watch_transitions(reader.writer)
    runs = [new_run() for _ in range(30)]
    for run in runs:
        owner.begin(run)
        other.begin(run)  # like a second process of the run: its writes must not undo the end
        ends = [Outcome(Status.OK), Outcome(Status.CANCELLED), Outcome(Status.ERROR)]
        threads = [threading.Thread(target=run.finish, args=(end,)) for end in ends]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended = run.record()
        owner.end(run)
        other.end(run)
        assert run.record().finished_at == ended.finished_at
        # A log that found the database locked reopens it and writes later.
        wait_for(lambda run=run, ended=ended: (kept := find_run(reader, run.id)) and kept.status == ended.status)
    assert {old for old, _ in transitions()} <= {"running", "lost"}
    assert len([new for _, new in transitions() if new not in ("running", "lost")]) <= len(runs)
    reader.close()
    owner.close()
    other.close()


def test_a_lost_run_recovers_when_its_process_returns(url: str) -> None:
    other = Log(url, QUICK)
    with process(_STREAMING, url) as child:
        run_id = child.line()
        with other.database.writer.begin():
            child.send_signal(signal.SIGSTOP)
        wait_for(lambda: find_run(other.database, run_id).status == "lost")
        words = len(find_run(other.database, run_id).text.split())
        child.send_signal(signal.SIGCONT)
        wait_for(lambda: len(find_run(other.database, run_id).text.split()) > words)
        child.tell("end")
        assert child.line() == "ended"
    found = find_run(other.database, run_id)
    assert (found.status, found.error_kind, found.event_count) == ("ok", None, len(events_of(other.database, run_id)))
    other.close()


_AHEAD = """
import datetime
import components.log.record as record
from components.log.query import find_run
class Ahead(datetime.datetime):
    @classmethod
    def now(cls, zone=None):
        return super().now(zone) + datetime.timedelta(seconds=60)
record.datetime = Ahead
log = Log(url, Limits(lost_after_s=1, heartbeat_s=0.1))
say("ready")
sys.stdin.readline()
log.write(lambda _connection: None)
run = new_run()
log.begin(run)
# A database that another process has locked is tried again later.
while find_run(log.database, run.id) is None:
    time.sleep(0.02)
say(run.id)
sys.stdin.readline()
"""


def test_a_process_with_a_fast_clock_marks_no_healthy_run_as_lost(url: str) -> None:
    database = Database(url)
    with process(_STREAMING, url) as healthy, process(_AHEAD, url) as ahead:
        run_id = healthy.line()
        assert ahead.line() == "ready"
        transitions = watch_transitions(database.writer)
        ahead.tell("go")
        ahead_id = ahead.line()
        # Its own run counts as lost no later than others, for any clock.
        with database.writer.begin():  # a process frozen during a write would keep a SQLite file locked
            ahead.send_signal(signal.SIGSTOP)
        wait_for(lambda: find_run(database, ahead_id).status == "lost")
        assert transitions() == [("running", "lost")]
        assert find_run(database, run_id).status == "running"
    database.close()


def test_a_process_frozen_during_a_write_releases_its_lock_soon(postgresql_url: str) -> None:
    script = """
log = Log(url, Limits(lost_after_s=1, heartbeat_s=0.1, log_lock_wait_s=1))
run = new_run()
log.begin(run)
log.wait_until_committed(run)
def freeze(connection):
    connection.exec_driver_sql("update runs set status = status")
    say(run.id)
    sys.stdin.readline()
try:
    log.write(freeze)
except DatabaseUnavailable as error:
    say("ended the connection" in str(error))
sys.stdin.readline()
run.finish(Outcome(Status.OK))
log.end(run)
say("ended")
"""
    other = Log(postgresql_url, QUICK)
    with process(script, postgresql_url) as child:
        run_id = child.line()
        wait_for(lambda: find_run(other.database, run_id).status == "lost")
        child.tell("wake")
        assert child.line() == "True"
        wait_for(lambda: find_run(other.database, run_id).status == "running")
        child.tell("end")
        assert child.line() == "ended"
    wait_for(lambda: find_run(other.database, run_id).status == "ok")
    other.close()


def test_a_process_stops_its_run_on_request_of_another_process(url: str) -> None:
    script = """
log = Log(url, Limits(stop_requests_s=0.05))
run = new_run()
log.begin(run)
log.wait_until_committed(run)
say(run.id)
while not run.stopping:
    time.sleep(0.01)
run.finish(Outcome(Status.CANCELLED))
log.end(run)
say("stopped")
"""
    other = Log(url)
    with process(script, url) as child:
        run_id = child.line()
        request_stop(OwnLog(other, "another owner"), run_id)
        request_stop(other, "0" * 32)
        request_stop(other, run_id)
        request_stop(other, run_id)
        assert child.line() == "stopped"
    assert find_run(other.database, run_id).status == "cancelled"
    other.close()


@pytest.mark.clock
def test_a_kill_loses_no_event_that_is_older_than_five_seconds(url: str) -> None:
    """Five seconds are the waiting time of events plus half a second to begin and commit a round.

    Here events wait half a second, so several waits end before the kill.
    """
    round_s = 5 - Limits().log_events_s
    assert round_s == 0.5
    script = """
log = Log(url, Limits(log_events_s=0.5))
run = new_run()
log.begin(run)
say(run.id)
for number in range(100_000):
    run.take(TimedEvent("message", f"{number} {time.time()}", float(number)))
    time.sleep(0.05)
"""
    with process(script, url) as child:
        run_id = child.line()
        time.sleep(1.7)
        child.send_signal(signal.SIGKILL)
        killed_at = time.time()
    database = Database(url)
    numbers, moments = zip(*(event.data.split() for event in events_of(database, run_id)), strict=True)
    assert list(map(int, numbers)) == list(range(len(numbers)))
    assert killed_at - float(moments[-1]) < 0.5 + round_s
    database.close()


@pytest.mark.clock
def test_a_computer_that_sleeps_loses_no_run(url: str) -> None:
    """Sleep stops all processes at once; after it, every process sees old heartbeats."""
    with ExitStack() as stack:
        children = [stack.enter_context(process(_STREAMING, url)) for _ in range(2)]
        ids = [child.line() for child in children]
        for child in children:
            child.send_signal(signal.SIGSTOP)
        time.sleep(1.3)
        for child in children:
            child.send_signal(signal.SIGCONT)
        time.sleep(0.8)
        for child in children:
            child.tell("end")
        assert [child.line() for child in children] == ["ended"] * 2
    database = Database(url)
    assert [find_run(database, run_id).status for run_id in ids] == ["ok"] * 2
    database.close()


def test_a_log_that_opens_after_a_kill_marks_the_lost_run_at_once(url: str) -> None:
    with process(_STREAMING, url) as child:
        run_id = child.line()
    log = Log(url, Limits(lost_after_s=0, heartbeat_s=60))
    wait_for(lambda: find_run(log.database, run_id).status == "lost")
    log.close()
