from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event

from components.runs.log import Log, keep_days
from components.runs.query import count_runs, find_run
from components.runs.run import Run, utc_now
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from tests.runs.many_rows import fill, moment
from tests.waiting import wait_for


def test_old_runs_are_deleted_in_small_steps_while_others_are_written(
    log: Log, url: str, tmp_path: Path, new_run: Callable[[], Run]
) -> None:
    fill(log.database, 20_000)
    old_but_running = new_run()
    old_but_running.created_at = moment(5)
    log.begin(old_but_running)
    log.wait_until_committed(old_but_running)
    deleted: list[int] = []
    sizes: list[int] = []

    def look(_connection: object, cursor: object, sql: str, *_: object) -> None:
        if sql.startswith("DELETE"):
            deleted.append(cursor.rowcount)
            sizes.extend(path.stat().st_size for path in tmp_path.glob("*-wal"))

    event.listen(log.database.writer, "after_cursor_execute", look)
    assert log.forget(moment(15_000)) == 15_000
    assert max(deleted) == 1_000
    assert count_runs(log.database) == 5_001
    assert find_run(log.database, old_but_running.id)
    assert all(size < 64 << 20 for size in sizes)
    assert len(sizes) == (16 if url.startswith("sqlite") else 0)


def test_runs_go_on_while_old_ones_are_deleted(log: Log, new_run: Callable[[], Run]) -> None:
    fill(log.database, 5_000, "x")
    run = new_run()
    log.begin(run)
    log.forget(moment(10_000))
    run.finish(Outcome(Status.OK))
    log.end(run)
    assert find_run(log.database, run.id).status == "ok"
    assert count_runs(log.database) == 1


def test_nothing_is_deleted_unless_that_is_asked_for(log: Log) -> None:
    fill(log.database, 10)
    time.sleep(0.5)
    assert count_runs(log.database) == 10


def test_old_runs_go_by_themselves_when_days_are_set(
    url: str, monkeypatch: pytest.MonkeyPatch, new_run: Callable[[], Run]
) -> None:
    monkeypatch.setenv("TEMPERA_KEEP_DAYS", "1.5")
    log = Log(url, Limits(log_flush_ms=20))
    young, old = new_run(), new_run()
    young.created_at, old.created_at = utc_now(86_400), utc_now(2 * 86_400)
    monkeypatch.setattr(log, "_retain_at", 0.0)
    for run in (young, old):
        run.finish(Outcome(Status.OK))
        log.begin(run)
        log.end(run)
    fill(log.database, 3_000, "x")
    monkeypatch.setattr(log, "_retain_at", 0.0)
    wait_for(lambda: count_runs(log.database) == 1)
    assert find_run(log.database, young.id)
    log.close()


@pytest.mark.parametrize("given", ["soon", "0", "-1", "nan", "inf", "1e9"])
def test_days_that_are_none_are_named_and_delete_nothing(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("TEMPERA_KEEP_DAYS", given)
    log = Log(sqlite_url)
    assert log.warning == f"TEMPERA_KEEP_DAYS must be a number of days, not '{given}'. No run is deleted."
    assert log.problem is None
    log.close()


def test_no_days_mean_for_ever() -> None:
    assert keep_days({}) is None
    assert keep_days({"TEMPERA_KEEP_DAYS": ""}) is None
    assert keep_days({"TEMPERA_KEEP_DAYS": "30"}) == 30
