from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, Table, event, select

from components.log.database import Database
from components.log.log import Log
from components.log.query import count_runs, events_of, find_run
from components.log.record import utc_now
from components.log.tables import drafts, events, experiments, presets, runs, to_row
from components.runs.run import Run
from components.streaming.answer import TimedEvent
from components.streaming.outcome import Outcome, Status
from tests.log.conftest import make_run
from tests.log.many_rows import fill, forget, moment
from tests.waiting import wait_for


def put(url: str, rows: dict[Table, list[dict[str, object]]], many_runs: int = 0) -> None:
    """Write rows before a log opens, since it deletes old rows when it opens and each hour."""
    database = Database(url)
    fill(database, many_runs, "x")
    with database.writer.begin() as connection:
        for table, its_rows in rows.items():
            connection.execute(table.insert(), its_rows)
    database.close()


@contextmanager
def deletions(table: Table) -> Iterator[list[int]]:
    """The number of rows deleted from the table by each statement that deletes any."""
    deleted: list[int] = []

    def look(_connection: object, cursor: object, sql: str, *_: object) -> None:
        if sql.startswith(f"DELETE FROM {table.name}") and cursor.rowcount:
            deleted.append(cursor.rowcount)

    event.listen(Engine, "after_cursor_execute", look)
    yield deleted
    event.remove(Engine, "after_cursor_execute", look)


def test_old_runs_are_deleted_in_small_steps_while_others_are_written(
    log: Log, url: str, tmp_path: Path, new_run: Callable[[], Run]
) -> None:
    fill(log.database, 3_500)
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
    assert forget(log, moment(2_500)) == 2_500
    assert max(deleted) == 1_000
    assert count_runs(log.database) == 1_001
    assert find_run(log.database, old_but_running.id)
    assert all(size < 64 << 20 for size in sizes)
    assert len(sizes) == (4 if url.startswith("sqlite") else 0)


def test_runs_continue_while_old_ones_are_deleted(log: Log, new_run: Callable[[], Run]) -> None:
    fill(log.database, 2_000, "x")
    run = new_run()
    log.begin(run)
    forget(log, moment(10_000))
    run.finish(Outcome(Status.OK))
    log.end(run)
    assert find_run(log.database, run.id).status == "ok"
    assert count_runs(log.database) == 1


def test_the_events_of_a_run_are_deleted_with_it(log: Log, new_run: Callable[[], Run]) -> None:
    old, young = new_run(), new_run()
    old.created_at = moment(5)
    for run in (old, young):
        run.take(TimedEvent("message", "data", 1.0))
        run.finish(Outcome(Status.OK))
        log.begin(run)
        log.end(run)
    assert events_of(log.database, old.id) == old.events() != []
    assert forget(log, moment(10)) == 1
    assert events_of(log.database, old.id) == []
    assert events_of(log.database, young.id) == young.events()
    with log.database.reader.begin() as connection:
        assert connection.execute(select(events.c.run_id)).scalars().all() == [young.id]


@pytest.mark.parametrize("days", [None, 10_000.0])
def test_abandoned_drafts_are_deleted_after_thirty_days_and_presets_never(url: str, days: float | None) -> None:
    day_s = 86_400
    rows = [{"id": uuid.uuid4().hex, "content": "{}", "updated_at": utc_now(31 * day_s)} for _ in range(1_500)]
    rows.append({"id": "young", "content": "{}", "updated_at": utc_now(29 * day_s)})
    preset = {"id": "old", "name": "n", "content": "{}", "created_at": utc_now(4_000 * day_s)}
    put(url, {drafts: rows, presets: [preset]}, many_runs=1)
    with deletions(drafts) as deleted:
        log = Log(url, keep_days=days)
        wait_for(lambda: ids(log, drafts) == ["young"])
    assert deleted == [1_000, 500]
    assert ids(log, presets) == ["old"]
    assert count_runs(log.database) == 1
    log.close()


def test_nothing_is_deleted_by_default(url: str) -> None:
    put(url, {}, many_runs=10)
    log = Log(url)
    log.write(lambda _connection: None)  # wait for a round
    assert count_runs(log.database) == 10
    log.close()


def test_old_runs_are_deleted_automatically_when_days_are_set(url: str) -> None:
    young, old = make_run(), make_run()
    young.created_at, old.created_at = utc_now(86_400), utc_now(2 * 86_400)
    for run in (young, old):
        run.finish(Outcome(Status.OK))
    put(url, {runs: [to_row(run.record()) for run in (young, old)]}, many_runs=1_100)
    log = Log(url, keep_days=1.5)
    wait_for(lambda: count_runs(log.database) == 1)
    assert find_run(log.database, young.id)
    log.close()


def some_experiments(many: int, days: float) -> list[dict[str, str]]:
    return [
        {"id": uuid.uuid4().hex, "kind": "comparison", "content": "{}", "created_at": utc_now(days * 86_400)}
        for _ in range(many)
    ]


def ids(log: Log, table: Table) -> list[str]:
    with log.database.reader.begin() as connection:
        return list(connection.execute(select(table.c.id)).scalars())


def test_old_experiments_are_deleted_in_small_steps_with_their_runs(url: str) -> None:
    young = some_experiments(1, 9.9)
    put(url, {experiments: some_experiments(1_500, 10.1) + young})
    with deletions(experiments) as deleted:
        log = Log(url, keep_days=10)
        wait_for(lambda: ids(log, experiments) == [young[0]["id"]])
    assert deleted == [1_000, 500]
    log.close()


def test_experiments_are_kept_forever_when_no_days_are_set(url: str) -> None:
    gone = {"id": "old draft", "content": "{}", "updated_at": utc_now(31 * 86_400)}
    put(url, {experiments: some_experiments(3, 4_000), drafts: [gone]})
    log = Log(url)
    wait_for(lambda: ids(log, drafts) == [])  # which shows that old rows were searched for
    assert len(ids(log, experiments)) == 3
    log.close()
