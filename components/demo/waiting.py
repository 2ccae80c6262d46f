"""The queue of a demo over all processes: one row with a heartbeat per waiting run."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select, update

from components.demo import sentences
from components.demo.budget import ALIVE_S, lock_demo
from components.demo.settings import DemoSettings
from components.demo.slots import no_room
from components.log.database import DatabaseUnavailable
from components.log.database_clock import database_now
from components.log.log import Log
from components.log.tables import waiting_runs
from components.runs.gate import Refused

_row = waiting_runs.c


def join(log: Log, settings: DemoSettings, run_id: str, visitor: str, network: str) -> None:
    """Add a run to the queue. Raises Refused when the queue is full or cannot be counted."""

    def work(connection: Connection) -> None:
        lock_demo(connection)
        dialect = connection.dialect.name
        connection.execute(delete(waiting_runs).where(_row.alive_at < database_now(dialect, ALIVE_S)))
        waiting = [(row.visitor, row.network) for row in connection.execute(select(_row.visitor, _row.network))]
        if sentence := no_room(settings, [*waiting, (visitor, network)], visitor, network):
            raise Refused(sentence)
        now = database_now(dialect)
        values = {"id": run_id, "visitor": visitor, "network": network}
        connection.execute(insert(waiting_runs).values(**values, joined_at=now, alive_at=now))

    try:
        log.write(work)
    except DatabaseUnavailable:
        raise Refused(sentences.COUNTERS_UNREACHABLE) from None


def leave(log: Log, run_id: str) -> None:
    """Remove a run from the queue. Returns at once."""
    gone = delete(waiting_runs).where(_row.id == run_id)
    log.post(f"waiting run {run_id}", lambda connection: connection.execute(gone))


def keep_alive(log: Log, run_ids: Sequence[str]) -> None:
    """Write a heartbeat for the waiting runs of this process. Returns at once."""

    def work(connection: Connection) -> None:
        now = database_now(connection.dialect.name)
        connection.execute(update(waiting_runs).where(_row.id.in_(run_ids)).values(alive_at=now))

    if run_ids:
        log.post("waiting runs", work)
