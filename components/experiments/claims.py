"""Which process makes the runs of an experiment: one row with a heartbeat, and requests of other processes on it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, delete, func, select, update

from components.log.database_clock import database_now
from components.log.owned import OwnLog
from components.log.query import QueryFailed, is_id, read_rows
from components.log.tables import experiment_claims, owned, upsert

ALIVE_S = 20.0
"""A process without a heartbeat for this long has lost its experiments."""

_READ_AGAIN_S = 0.4
_table = experiment_claims


@dataclass(frozen=True)
class Progress:
    """The progress of an experiment, as reported by the process that makes its runs.

    ``pending`` has the number of queued runs by lane, and ``busy`` the lanes with runs under way or queued; sweeps,
    whose lanes are many, leave both out. ``silent_s`` is the time since its last heartbeat, for readers.
    """

    version: int = 0
    waiting: int = 0
    paused: bool = False
    paused_why: str | None = None
    pending: Mapping[str, int] = field(default_factory=dict)
    busy: tuple[str, ...] = ()
    silent_s: float = 0.0


class Claim:
    """The claim of one experiment, seen from this process. Thread-safe.

    One process has it at a time; another one takes it over once the heartbeat is old.
    """

    def __init__(self, experiment_id: str, log: OwnLog, process: str) -> None:
        self._key = (_table.c.experiment_id == experiment_id) & owned(_table, log.owner)
        self._row = {"experiment_id": experiment_id, "owner": log.owner, "process": process}
        self._is_id = is_id(experiment_id)
        self._log = log.log
        self._process = process
        self._lock = threading.Lock()
        self._read_at = -_READ_AGAIN_S
        self._progress_elsewhere: Progress | None = None

    def take(self, progress: Progress, *, anew: bool) -> bool:
        """Take or renew the claim; returns whether this process has it now. Raises DatabaseUnavailable.

        ``anew`` removes the requests of other processes.
        """
        return not self._is_id or self._log.write(self._taking(progress, anew))

    def take_new(self, progress: Progress) -> None:
        """Take the claim of an experiment that no other process knows yet: returns before it is written."""
        if self._is_id:
            self._log.post(f"claim {self._row['experiment_id']}", self._taking(progress, anew=True))

    def _taking(self, progress: Progress, anew: bool) -> Callable[[Connection], bool]:
        row = {**self._row, "content": json.dumps(asdict(progress)), "request": None}

        def work(connection: Connection) -> bool:
            dialect = connection.dialect.name
            is_old = _table.c.heartbeat_at < database_now(dialect, ALIVE_S)
            is_own = _table.c.process == self._process
            statement = upsert(dialect, _table, only_if=is_own | is_old, leave=() if anew else ("request",))
            statement = statement.values(heartbeat_at=database_now(dialect))
            done = connection.execute(statement, row, execution_options={"preserve_rowcount": True})
            renewed: bool = done.rowcount == 1
            return renewed

        return work

    def give_up(self) -> None:
        """Let another process take it. Raises DatabaseUnavailable."""
        own = delete(_table).where(self._key, _table.c.process == self._process)
        self._log.write(lambda connection: connection.execute(own))

    def elsewhere(self) -> Progress | None:
        """The progress in another process that makes the experiment, as of a moment ago; None when none does."""
        with self._lock:
            if time.monotonic() - self._read_at > _READ_AGAIN_S and self._is_id:
                self._progress_elsewhere = self._read()
                self._read_at = time.monotonic()
            return self._progress_elsewhere

    def ask(self, method: str, *args: Any) -> None:
        """Request a call of a method of the claiming process's ``Experiment``. Raises DatabaseUnavailable."""
        requests = func.coalesce(_table.c.request, "").concat(json.dumps([method, *args]) + "\n")
        statement = update(_table).where(self._key).values(request=requests)
        self._log.write(lambda connection: connection.execute(statement))

    def take_requests(self) -> list[list[Any]]:
        """The requests of other processes since the last call, oldest first.

        Raises QueryFailed, DatabaseUnavailable.
        """
        own = self._key & (_table.c.process == self._process) & _table.c.request.is_not(None)
        database = self._log.database
        if database is None or not read_rows(database, select(_table.c.request).where(own)):
            return []

        def work(connection: Any) -> str:
            text: str = connection.execute(select(_table.c.request).where(own)).scalar() or ""
            after = func.substr(_table.c.request, len(text) + 1)
            remaining = case((func.length(_table.c.request) > len(text), after))
            connection.execute(update(_table).where(own).values(request=remaining))
            return text

        return [json.loads(line) for line in self._log.write(work).splitlines()]

    def _read(self) -> Progress | None:
        database = self._log.database
        if database is None:
            return None
        dialect = "sqlite" if database.is_sqlite else "postgresql"
        alive = _table.c.heartbeat_at > database_now(dialect, ALIVE_S)
        columns = _table.c.content, _table.c.heartbeat_at, database_now(dialect).label("now")
        statement = select(*columns).where(self._key, alive, _table.c.process != self._process)
        try:
            rows = read_rows(database, statement)
        except QueryFailed:
            return self._progress_elsewhere
        if not rows:
            return None
        heartbeat, now = (datetime.fromisoformat(rows[0][name]) for name in ("heartbeat_at", "now"))
        return replace(Progress(**json.loads(rows[0]["content"])), silent_s=(now - heartbeat).total_seconds())
