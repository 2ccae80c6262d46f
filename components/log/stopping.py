"""Requests to stop a run of another process. The process that has the run reads them several times a second."""

from __future__ import annotations

from sqlalchemy import Connection, insert, literal, select

from components.log.database import Database
from components.log.database_clock import database_now
from components.log.owned import OwnedLog
from components.log.query import is_id, read_rows
from components.log.tables import UNDER_WAY, owned, runs, stop_requests


def request_stop(log: OwnedLog, run_id: str) -> None:
    """Request that the run's process stops it. Raises DatabaseUnavailable."""
    if not is_id(run_id):
        return

    def work(connection: Connection) -> None:
        now = database_now(connection.dialect.name)
        requested = select(stop_requests.c.run_id).where(
            stop_requests.c.run_id == run_id, owned(stop_requests, log.owner)
        )
        if connection.execute(requested).first():
            return
        running = select(literal(run_id), now).where(runs.c.id == run_id, owned(runs, log.owner), UNDER_WAY)
        connection.execute(insert(stop_requests).from_select(["run_id", "requested_at"], running))

    log.write(work)


def is_stop_requested(database: Database, run_id: str) -> bool:
    """Whether a stop of the run was requested. Raises QueryFailed."""
    own = (stop_requests.c.run_id == run_id) & owned(stop_requests, database.owner)
    return bool(read_rows(database, select(stop_requests.c.run_id).where(own)))
