"""Fills a log with many finished runs, far faster than running them, and deletes old ones."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from components.log.database import Database
from components.log.log import Log
from components.log.retention import delete_runs_before
from components.log.tables import runs, to_row
from components.streaming.outcome import Outcome, Status
from tests.log.conftest import make_run

_AT_ONCE = 10_000
FIRST = datetime(2020, 1, 1, tzinfo=UTC)


def moment(number: int) -> str:
    """The start of the run with this number: one per second."""
    return (FIRST + timedelta(seconds=number)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def fill(database: Database, rows: int, text: str = "word " * 60) -> None:
    run = make_run()
    run.finish(Outcome(Status.OK, finish_reason="stop", http_status=200))
    pattern = {**to_row(run.record()), "text": text}
    for begin in range(0, rows, _AT_ONCE):
        batch = [
            {**pattern, "id": uuid.uuid4().hex, "created_at": moment(number)}
            for number in range(begin, min(begin + _AT_ONCE, rows))
        ]
        with database.writer.begin() as connection:
            connection.execute(runs.insert(), batch)


def forget(log: Log, before: str) -> int:
    """Delete the finished runs that began before that time, step by step; return their number."""
    deleted = 0
    while step := log.write(lambda connection: delete_runs_before(connection, before)):
        deleted += step
    return deleted
