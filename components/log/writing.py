"""Writes the rows of runs and their events, in as few statements as possible."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from sqlalchemy import Connection, Dialect, Engine, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError

from components.log import sentences
from components.log.database import reason
from components.log.database_clock import database_now
from components.log.events import packed
from components.log.record import FACTS, FIXED
from components.log.tables import UNDER_WAY, WHOLE_LOG, runs, stop_requests, to_row
from components.log.unwritten import Snapshot
from components.streaming.faults import ErrorKind
from components.streaming.outcome import Status


def write_runs(writer: Engine, due: list[Snapshot]) -> dict[Snapshot, str]:
    """Write all runs in one transaction; returns the runs refused for their content, with reasons."""
    try:
        with writer.begin() as connection:
            _write(connection, due)
    except Exception as error:
        if not is_about_content(error):
            raise
    else:
        return {}
    refused = {}
    with writer.begin() as connection:
        for snapshot in due:
            try:
                with connection.begin_nested():
                    _write(connection, [snapshot])
            except Exception as error:
                if not is_about_content(error):
                    raise
                refused[snapshot] = reason(error)
    return refused


def _write(connection: Connection, due: list[Snapshot]) -> None:
    """Write the rows and due events of some runs, except for runs whose row has already ended.

    A run marked as lost was not: this process still has it.

    One statement for many rows costs each a fraction of a separate statement.
    """
    # A fixed order of owners prevents deadlocks between processes whose triggers count for the same owners.
    due = sorted(due, key=lambda snapshot: snapshot.record.owner)
    rows = [tuple(map(to_row(each.record).get, _COLUMNS)) for each in due]
    mark = _mark(connection.dialect)
    statement = _upsert_runs(connection.dialect.name, mark)
    written = connection.exec_driver_sql(statement, rows, execution_options={"preserve_rowcount": True}).rowcount
    if written < len(due):
        # The row count tells which run it was only for a single row.
        if len(due) > 1:
            for snapshot in due:
                _write(connection, [snapshot])
        return
    with_events = [snapshot for snapshot in due if snapshot.events]
    if not with_events:
        return
    # Rows from this number on are from an earlier attempt, or from before the log was reopened.
    numbers = [(snapshot.record.id, snapshot.first_event) for snapshot in with_events]
    connection.exec_driver_sql(f"DELETE FROM events WHERE run_id = {mark} AND first >= {mark}", numbers)  # noqa: S608
    packs = [
        (snapshot.record.id, first, content)
        for snapshot in with_events
        for first, content in packed(snapshot.events, snapshot.first_event)
    ]
    values = f"VALUES ({mark}, {mark}, {mark})"
    connection.exec_driver_sql(f"INSERT INTO events (run_id, first, content) {values}", packs)


def _mark(dialect: Dialect) -> str:
    """The placeholder of a value in a statement."""
    return "?" if dialect.paramstyle == "qmark" else "%s"


_COLUMNS = [name for name in FACTS if name != "heartbeat_at"]
# An update of the fixed facts would write their indexes again.
_CHANGED = ", ".join(f"{name} = excluded.{name}" for name in FACTS if name not in FIXED)


@cache
def _upsert_runs(dialect_name: str, mark: str) -> str:
    """The statement as text: SQLAlchemy's handling of each of the sixty values would take longer than the database."""
    values = ", ".join([mark] * len(_COLUMNS))
    return (
        f"INSERT INTO runs ({', '.join(_COLUMNS)}, heartbeat_at) VALUES ({values}, {database_now(dialect_name)}) "  # noqa: S608 - names of columns
        f"ON CONFLICT (id) DO UPDATE SET {_CHANGED} WHERE runs.status IN ('{Status.RUNNING}', '{Status.LOST}')"
    )


def is_about_content(error: Exception) -> bool:
    """Whether a write failed because of its content, not because of the state of the database."""
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError | IntegrityError | InterfaceError) and not error.connection_invalidated
    return not isinstance(error, OSError | MemoryError)


def mark_lost(connection: Connection, after_s: float, except_ids: Collection[str]) -> None:
    """Mark runs as lost that had no heartbeat for this long, except those with these ids."""
    dialect = connection.dialect.name
    connection.execute(
        update(runs)
        .where(UNDER_WAY)
        .where(runs.c.heartbeat_at < database_now(dialect, after_s))
        .where(runs.c.id.not_in(except_ids))
        .values(
            status=Status.LOST.value,
            error_kind=ErrorKind.PROCESS_DIED.value,
            error_message=sentences.PROCESS_ENDED,
            finished_at=database_now(dialect),
        ),
        execution_options=WHOLE_LOG,
    )


def requested_stops(connection: Connection, run_ids: Collection[str]) -> set[str]:
    """The runs among these with a request to stop."""
    requested = select(stop_requests.c.run_id).where(stop_requests.c.run_id.in_(run_ids))
    return set(connection.execute(requested, execution_options=WHOLE_LOG).scalars())
