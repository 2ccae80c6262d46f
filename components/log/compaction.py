"""Gives the space of deleted runs back to the disk, in steps between which runs are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from components.log import sentences
from components.log.database import Database, reason
from components.log.owned import OwnedLog
from components.log.query import QueryFailed

_PAGES_AT_ONCE = 2_000
"""Eight megabytes: a fraction of a second, while the runs that are under way wait to be written."""


def size_bytes(database: Database) -> int:
    """What the log takes on the disk; space that deleted runs left is part of it, and is used again.

    Raises QueryFailed.
    """
    if database.is_sqlite:
        return _number(database, "select page_count * page_size from pragma_page_count(), pragma_page_size()")
    return _number(database, "select pg_database_size(current_database())")


def free_bytes(database: Database) -> int:
    """How much of the log's file is the space of deleted runs, which new ones will take.

    0 for a PostgreSQL, which looks after that itself, and for a file that cannot be made smaller. Raises QueryFailed.
    """
    if not database.is_sqlite:
        return 0
    return _number(
        database,
        "select freelist_count * page_size from pragma_freelist_count(), pragma_page_size(), pragma_auto_vacuum() "
        "where auto_vacuum = 2",
    )


def compact(log: OwnedLog, database: Database) -> Iterator[int]:
    """Make the file smaller by the space of deleted runs; how many bytes are still to be given back, after each step.

    No run is moved to another row. Raises QueryFailed, DatabaseUnavailable.
    """
    while left := free_bytes(database):
        log.write(_give_back)
        after = free_bytes(database)
        if after >= left:
            return  # others delete as fast
        yield after


def _number(database: Database, query: str) -> int:
    try:
        with database.reader.begin() as connection:
            return int(connection.exec_driver_sql(query).scalar() or 0)
    except SQLAlchemyError as error:
        raise QueryFailed(sentences.UNREADABLE.format(place=database.place, error=reason(error))) from None


def _give_back(connection: Connection) -> None:
    # A script is the one way in which the driver lets this go on after its first page; it commits by itself.
    raw: Any = connection.connection.dbapi_connection
    raw.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})").close()
