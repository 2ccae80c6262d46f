"""Writes runs into the database, from one thread. A database that fails never stops a run: it is written later.

Each round writes the present state of every run that has changed. So whatever could not be written is still there in
the next round, and nothing has to be remembered apart from the runs themselves.
"""

from __future__ import annotations

import threading
import time
from dataclasses import asdict

from sqlalchemy import Update, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from components.runs.database import Database, DatabaseUnavailable, reason
from components.runs.run import Run, utc_now
from components.runs.tables import runs
from components.streaming.faults import ErrorKind
from components.streaming.limits import Limits
from components.streaming.outcome import Status

_FIRST_WRITE_S = 5.0
_RETRY_S = 2.0


class _Entry:
    """What the log knows of one run: which version of it stands in the database, and since when."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.written_version = -1
        self.written_at = 0.0
        self.committed = threading.Event()


class Log:
    """Keeps runs in the database that ``url`` names. ``problem`` is a sentence while it cannot."""

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        self.problem: str | None = None
        self.database: Database | None = None
        self._url = url
        self._limits = limits or Limits()
        self._entries: dict[str, _Entry] = {}
        self._condition = threading.Condition()
        self._urgent = False
        self._closing = False
        self._last_reap = 0.0
        self._open()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def begin(self, run: Run) -> None:
        """Take a run in; its row is written at once, in the log's own thread."""
        with self._condition:
            self._entries[run.id] = _Entry(run)
            self._wake()

    def wait_until_committed(self, run: Run) -> None:
        """Return when the run's row is committed, or when the database turns out not to take it."""
        entry = self._entries[run.id]
        deadline = time.monotonic() + _FIRST_WRITE_S
        while not entry.committed.wait(0.05) and not self.problem and time.monotonic() < deadline:
            pass

    def end(self, run: Run) -> None:
        """Write a finished run soon."""
        with self._condition:
            self._wake()

    def live(self, run_id: str) -> Run | None:
        """The run of that id while the log still has something of it to write, which it has until it is finished."""
        entry = self._entries.get(run_id)
        return entry.run if entry else None

    def close(self) -> None:
        """Write what is left, then close the database."""
        with self._condition:
            self._closing = True
            self._wake()
        self._thread.join()
        if self.database:
            self.database.close()

    def _wake(self) -> None:
        self._urgent = True
        self._condition.notify_all()

    def _run(self) -> None:
        pause = self._limits.log_flush_ms / 1000
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._urgent or self._closing, _RETRY_S if self.problem else pause)
                self._urgent = False
                closing = self._closing
            self._write()
            if closing:
                return

    def _open(self) -> None:
        try:
            self.database = Database(self._url)
            self.problem = None
        except DatabaseUnavailable as unavailable:
            self.problem = f"Runs are not being logged: {unavailable}"

    def _write(self) -> None:
        """One round: everything that changed, in one transaction."""
        if self.database is None:
            self._open()
        if self.database is None:
            return
        now = time.monotonic()
        with self._condition:
            due = [entry for entry in self._entries.values() if self._is_due(entry, now)]
        reaping = now - self._last_reap > self._limits.heartbeat_s
        if not due and not reaping:
            return
        # The version is read before the record: a change in between is written again in the next round.
        batch = [(entry, entry.run.version, entry.run.finished, entry.run.record()) for entry in due]
        insert = sqlite.insert if self.database.writer.dialect.name == "sqlite" else postgresql.insert
        try:
            with self.database.writer.begin() as connection:
                for _, _, _, record in batch:
                    values = asdict(record)
                    statement = insert(runs).values(values)
                    changed = {name: statement.excluded[name] for name in values if name != "id"}
                    connection.execute(
                        statement.on_conflict_do_update(
                            index_elements=["id"], set_=changed, where=runs.c.status == Status.RUNNING.value
                        )
                    )
                if reaping:
                    connection.execute(self._reap())
        except SQLAlchemyError as error:
            self.problem = f"Runs are not being logged: {self.database.place}: {reason(error)}"
            return
        self.problem = None
        self._last_reap = now if reaping else self._last_reap
        with self._condition:
            for entry, version, finished, _ in batch:
                entry.written_version, entry.written_at = version, now
                entry.committed.set()
                if finished:
                    del self._entries[entry.run.id]

    def _is_due(self, entry: _Entry, now: float) -> bool:
        return entry.run.version > entry.written_version or now - entry.written_at > self._limits.heartbeat_s

    def _reap(self) -> Update:
        """Mark the runs of processes that died. Runs of this process are left out, however long it was asleep."""
        return (
            update(runs)
            .where(runs.c.status == Status.RUNNING.value)
            .where(runs.c.heartbeat_at < utc_now(self._limits.lost_after_s))
            .where(runs.c.id.not_in(list(self._entries)))
            .values(
                status=Status.LOST.value,
                error_kind=ErrorKind.PROCESS_DIED.value,
                error_message="Tempera ended while this run was going on. What had arrived is kept. Run again.",
                finished_at=utc_now(),
            )
        )
