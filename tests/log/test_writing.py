"""Rows of many runs are written in few statements."""

from __future__ import annotations

import time

from sqlalchemy import event

from components.log.database import Database
from components.log.query import find_run
from components.log.unwritten import Unwritten
from components.log.writing import write_runs
from components.streaming.answer import TimedEvent
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from tests.log.conftest import make_run


def test_the_number_of_statements_does_not_grow_with_the_runs(url: str) -> None:
    limits = Limits()
    database = Database(url, limits.log_lock_wait_s)
    unwritten = Unwritten(limits)
    runs = [make_run() for _ in range(20)]
    for number, run in enumerate(runs):
        unwritten.add(run)
        run.take(TimedEvent("message", f"Text {number} \0 \ud800 ü", 1.0))
        run.finish(Outcome(Status.OK, text=f"Text {number} \0 \ud800 ü"))
    statements: list[str] = []
    event.listen(database.writer, "after_cursor_execute", lambda *parts: statements.append(parts[2].split()[0]))
    assert write_runs(database.writer, unwritten.due(time.monotonic(), len(runs))) == {}
    assert [each for each in statements if each not in ("BEGIN", "SET")] == ["INSERT", "DELETE", "INSERT"]
    found = [find_run(database, run.id) for run in runs]
    assert [each and each.text for each in found] == [f"Text {number} \ufffd \ufffd ü" for number in range(20)]
    database.close()
