"""A failing database: runs continue, are complete afterwards, and the log reports the problem."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from components.log.database import DatabaseUnavailable
from components.log.log import Log
from components.log.query import count_runs, events_of, find_run
from components.log.record import RunRecord
from components.log.search import page_of
from components.log.view import View
from components.runs.run import Run
from components.streaming.answer import Delta, TimedEvent
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from tests.log import postgresql
from tests.orders import text_event
from tests.waiting import wait_for

QUICK = Limits(log_lock_wait_s=0.2, log_retry_s=0.1)


@pytest.fixture
def log(url: str) -> Iterator[Log]:
    """A log with a short timeout for a locked database."""
    opened = Log(url, QUICK)
    yield opened
    opened.close()


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Another process that locks the database against writes."""
    if url.startswith("sqlite"):
        blocker = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        blocker.execute("BEGIN EXCLUSIVE")
        yield
        blocker.execute("ROLLBACK")
        blocker.close()
        return
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("lock table runs in exclusive mode")
        yield
    engine.dispose()


def stream(run: Run, until: Callable[[], object]) -> str:
    """Add text to the run until the condition holds, and return the text."""
    text = ""

    def more() -> object:
        nonlocal text
        text += "more "
        run.take(text_event("more ", 5.0))
        return until()

    wait_for(more)
    return text


def ended(log: Log, run: Run) -> RunRecord:
    run.finish(Outcome(Status.OK))
    log.end(run)
    wait_for(lambda: log.live(run.id) is None)
    return find_run(log.database, run.id)


def test_a_long_lock_stops_no_run_and_loses_no_text(log: Log, url: str, new_run: Callable[[], Run]) -> None:
    before, meanwhile = new_run(), new_run()
    log.begin(before)
    log.wait_until_committed(before)
    with locked(url):
        log.begin(meanwhile)
        log.wait_until_committed(meanwhile)
        text = stream(before, lambda: "another process holds it locked" in (log.problem or ""))
        assert count_runs(log.database) == 1
    wait_for(lambda: log.problem is None)
    assert ended(log, before).text == text
    assert ended(log, meanwhile).status == "ok"


def test_events_are_complete_after_a_database_failure_during_a_run(url: str, new_run: Callable[[], Run]) -> None:
    log = Log(url, replace(QUICK, log_events_s=0.1))
    run = new_run()
    log.begin(run)
    log.wait_until_committed(run)

    def stream_events(until: Callable[[], object]) -> None:
        def more() -> object:
            for _ in range(10):
                run.take(TimedEvent("message", f"{run.kept_events}", 5.0, (Delta(0, "more "),)))
            return until()

        wait_for(more)

    stream_events(lambda: events_of(log.database, run.id))
    with locked(url):
        before = len(events_of(log.database, run.id))
        stream_events(lambda: log.problem)
        assert len(events_of(log.database, run.id)) == before
    stream_events(lambda: log.problem is None)
    stream_events(lambda: len(events_of(log.database, run.id)) > before)
    assert ended(log, run).event_count == run.kept_events > before
    kept = events_of(log.database, run.id)
    assert [event.data for event in kept] == [f"{number}" for number in range(len(kept))]
    assert kept == run.events()
    log.close()


def test_a_full_disk_stops_no_run_and_loses_no_text(small_disk: Path, new_run: Callable[[], Run]) -> None:
    log = Log(f"sqlite:///{small_disk / 'log.sqlite3'}", QUICK)
    run = new_run()
    log.begin(run)
    log.wait_until_committed(run)
    ballast = small_disk / "ballast"
    assert subprocess.run(["dd", "if=/dev/zero", f"of={ballast}"], capture_output=True, check=False).returncode
    run.take(text_event("x" * 50_000, 1.0))
    text = stream(run, lambda: "the disk is full. Free some space" in (log.problem or ""))
    assert find_run(log.database, run.id).status == "running"
    ballast.unlink()
    wait_for(lambda: log.problem is None)
    assert ended(log, run).text == "x" * 50_000 + text
    log.close()
    with sqlite3.connect(small_disk / "log.sqlite3") as connection:
        assert connection.execute("pragma quick_check").fetchone() == ("ok",)
    connection.close()


def test_a_run_is_complete_after_a_restart_of_postgresql(own_server: Server, new_run: Callable[[], Run]) -> None:
    log = Log(own_server.url, QUICK)
    run = new_run()
    log.begin(run)
    log.wait_until_committed(run)
    text = stream(run, lambda: find_run(log.database, run.id).text)
    own_server.stop()
    text += stream(run, lambda: "database server" in (log.problem or ""))
    other = new_run()
    log.begin(other)
    log.wait_until_committed(other)
    assert log.live(other.id) is other
    own_server.start()
    text += stream(run, lambda: log.problem is None)
    text += stream(run, lambda: log.live(run.id) and find_run(log.database, other.id))
    assert ended(log, run).text == text
    assert ended(log, other).status == "ok"
    log.close()


class Server:
    """A PostgreSQL server started by tests/with-postgresql, with control over it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._data = Path(postgresql.ask("show data_directory", url=url)[0][0])
        self._binaries = Path(postgresql.ask("select setting from pg_config where name = 'BINDIR'", url=url)[0][0])

    def stop(self) -> None:
        self._control("stop")

    def start(self) -> None:
        self._control("start", "-l", self._data.parent / "server.log")

    def _control(self, *arguments: str | Path) -> None:
        owner = self._data.stat()
        command = [self._binaries / "pg_ctl", "-D", self._data, "-w", *arguments]
        as_owner = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **as_owner)


@pytest.fixture
def own_server(_postgresql_server: None) -> Iterator[Server]:
    """A separate server, which ends when the input of its command ends."""
    command = [Path(__file__).parents[1] / "with-postgresql", "sh", "-c", 'echo "$TEMPERA_TEST_DATABASE_URL"; cat']
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        yield Server(started.stdout.readline().strip())


@pytest.mark.parametrize("most", [1_000_000, 3_000_000])
def test_unwritten_runs_take_limited_memory(url: str, new_run: Callable[[], Run], most: int) -> None:
    log = Log(url, replace(QUICK, unwritten_log_bytes=most))
    running = new_run()
    log.begin(running)
    log.wait_until_committed(running)
    running.take(text_event("x" * 200_000, 1.0))
    runs = [new_run() for _ in range(100)]
    with locked(url):
        for run in runs:
            run.take(text_event("y" * 100_000, 1.0))
            run.finish(Outcome(Status.OK))
            log.begin(run)
        wait_for(lambda: "were dropped" in (log.problem or ""))
        kept = [run for run in runs if log.live(run.id)]
        assert kept == runs[-len(kept) :]
        assert (most - 300_000) / 110_000 - 1 <= len(kept) <= most / 100_000
        assert f"{len(runs) - len(kept)} runs were dropped" in log.problem
        assert log.live(running.id)
    wait_for(lambda: not any(log.live(run.id) for run in kept))
    assert log.problem is None
    assert f"{len(runs) - len(kept)} runs were dropped" in log.warning
    assert count_runs(log.database) == len(kept) + 1
    assert ended(log, running).text == "x" * 200_000
    log.close()


def test_memory_is_limited_while_there_is_no_database_at_all(tmp_path: Path, new_run: Callable[[], Run]) -> None:
    (tmp_path / "file").touch()
    log = Log(f"sqlite:///{tmp_path / 'file' / 'log.sqlite3'}", Limits(unwritten_log_bytes=100_000))
    runs = [new_run() for _ in range(2)]
    for run in runs:
        run.take(text_event("y" * 80_000, 1.0))
        run.finish(Outcome(Status.OK))
        log.begin(run)
    wait_for(lambda: "1 run was dropped" in log.problem)
    assert [log.live(run.id) for run in runs] == [None, runs[1]]
    log.close()


def test_a_run_refused_by_the_database_does_not_block_other_runs(
    url: str, new_run: Callable[[], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(url, replace(QUICK, log_refused_retry_s=0.3))
    bad, *good = [new_run() for _ in range(5)]
    refuse(bad, monkeypatch)
    for run in (good[0], bad, *good[1:]):
        log.begin(run)
        log.wait_until_committed(run)
    assert log.problem is None
    for run in good:
        assert ended(log, run).status == "ok"
    assert log.warning.startswith("The database refuses 1 run: ")
    assert log.live(bad.id) is bad
    bad.finish(Outcome(Status.OK))
    log.end(bad)
    assert log.live(bad.id) is bad
    monkeypatch.undo()
    wait_for(lambda: log.live(bad.id) is None)
    assert find_run(log.database, bad.id).status == "ok"
    assert log.warning is None
    log.close()


class Unwritable(str):
    """A text that no database accepts for a while."""

    mended = False

    def __getitem__(self, part: object) -> Unwritable:
        return self

    def isascii(self) -> bool:
        return False

    def encode(self, *given: str) -> bytes:
        if self.mended:
            return super().encode(*given)
        raise ValueError("these cannot be packed")


def test_events_that_cannot_be_written_do_not_block_other_runs(url: str, new_run: Callable[[], Run]) -> None:
    log = Log(url, replace(QUICK, log_refused_retry_s=0.3))
    bad, good, text = new_run(), new_run(), Unwritable("bad")
    for run, data in ((bad, text), (good, "good")):
        run.take(TimedEvent("message", data, 1.0))
        run.finish(Outcome(Status.OK))
    for run in (bad, good):
        log.begin(run)
        log.end(run)
    assert find_run(log.database, good.id).status == "ok"
    assert events_of(log.database, good.id) == good.events()
    assert log.warning == "The database refuses 1 run: these cannot be packed."
    assert events_of(log.database, bad.id) == []
    text.mended = True
    wait_for(lambda: log.live(bad.id) is None)
    assert events_of(log.database, bad.id) == bad.events()
    log.close()


def refuse(bad: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give that run a text that no database accepts."""

    def record() -> RunRecord:
        return replace(Run.record(bad), model=None)

    monkeypatch.setattr(bad, "record", record)


def test_an_internal_error_does_not_end_the_log(
    log: Log, new_run: Callable[[], Run], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = new_run()
    log.begin(run)
    monkeypatch.setattr(run, "record", lambda: 1 / 0)
    run.take(text_event("Hello"))
    assert "division by zero" in wait_for(lambda: log.problem)
    assert "a round of the log failed" in caplog.text
    monkeypatch.undo()
    wait_for(lambda: log.problem is None)
    assert ended(log, run).status == "ok"


def test_work_on_an_unavailable_log_fails_with_the_reason(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    log = Log(f"sqlite:///{tmp_path / 'file' / 'log.sqlite3'}", QUICK)
    for _ in range(3):  # each one is another attempt to open the database
        with pytest.raises(DatabaseUnavailable, match="Runs are not being logged"):
            log.write(lambda _connection: None)
    assert [record.message for record in caplog.records] == [log.problem]
    log.close()
    with pytest.raises(DatabaseUnavailable, match="closed"):
        log.write(lambda _connection: None)


def test_reading_continues_while_writing_fails(log: Log, url: str, new_run: Callable[[], Run]) -> None:
    run = new_run()
    log.begin(run)
    log.wait_until_committed(run)
    with locked(url):
        log.begin(new_run())
        wait_for(lambda: log.problem)
        assert page_of(log.database, View(), limit=10).runs["id"].tolist() == [run.id]
