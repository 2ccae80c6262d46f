"""Returns the space of deleted runs to the disk, in steps; runs are written between the steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from components.log.database import Database
from components.log.owned import OwnedLog
from components.log.query import read_rows

_PAGES_AT_ONCE = 2_000
"""Eight megabytes: a fraction of a second during which running runs wait to be written."""


def size_bytes(database: Database) -> int:
    """The log's size on disk, including the reusable space of deleted runs.

    Raises QueryFailed.
    """
    if database.is_sqlite:
        return _bytes(database, "select page_count * page_size as bytes from pragma_page_count(), pragma_page_size()")
    return _bytes(database, "select pg_database_size(current_database()) as bytes")


def free_bytes(database: Database) -> int:
    """The bytes of the log's file that deleted runs left and new runs will reuse.

    0 for PostgreSQL, which reclaims space itself, and for a file that cannot shrink. Raises QueryFailed.
    """
    if not database.is_sqlite:
        return 0
    return _bytes(
        database,
        "select freelist_count * page_size as bytes from pragma_freelist_count(), pragma_page_size(), "
        "pragma_auto_vacuum() where auto_vacuum = 2",
    )


def compact(log: OwnedLog, database: Database) -> Iterator[int]:
    """Shrink the file by the space of deleted runs; yields the bytes left to free after each step.

    Moves no run to another row. Raises QueryFailed, DatabaseUnavailable.
    """
    while free := free_bytes(database):
        log.write(_give_back)
        still_free = free_bytes(database)
        if still_free >= free:
            return  # other processes delete as fast
        yield still_free


def _bytes(database: Database, query: str) -> int:
    return sum(row["bytes"] for row in read_rows(database, text(query)))


def _give_back(connection: Connection) -> None:
    # Only executescript() runs this pragma beyond its first page; it commits by itself.
    raw: Any = connection.connection.dbapi_connection
    raw.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})").close()
