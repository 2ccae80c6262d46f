"""Opens the log's database: a SQLite file or PostgreSQL."""

from __future__ import annotations

import sqlite3
import time
from contextlib import ExitStack
from copy import copy
from pathlib import Path
from typing import Any

from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from components.log import sentences
from components.log.record import LOCAL
from components.log.schema import MIGRATIONS, migrate
from components.log.sqlite_file import LOCK_WAIT_S, SqliteFile
from components.settings import data_folder
from components.user_error import UserError

READ_LIMIT_S = 1.0
"""The time limit of a reading transaction."""

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "journal_size_limit=16777216",
    "mmap_size=0",
)
_READER_PRAGMAS = ("wal_autocheckpoint=0", "query_only=ON")

# Seconds, except the last: a vanished server is noticed before a visitor gives up.
_SERVER = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "tcp_user_timeout": 10_000}


class DatabaseUnavailable(UserError):
    """The database cannot be used. The message says why and what to do."""


def is_forgotten_at_restart(url: str, volume: Path | None) -> bool:
    """Whether a SQLite log is lost at a restart: no volume is mounted at ``volume``."""
    return volume is not None and url.startswith("sqlite") and not volume.is_mount()


class Database:
    """Two engines on one database: one writing connection, and time-limited connections that only read.

    ``place`` is the URL without its password. ``notice`` is a sentence when a damaged file was set aside. Queries find
    the rows of ``owner``.
    """

    def __init__(self, url: str, lock_wait_s: float = LOCK_WAIT_S, migrations: Path = MIGRATIONS) -> None:
        """Open the database and migrate it by the scripts in this folder. Raises DatabaseUnavailable."""
        self._lock_wait_s = lock_wait_s
        self.notice: str | None = None
        self.owner = LOCAL
        address = _address(url)
        self.place = address.render_as_string(hide_password=True)
        self._file = SqliteFile(Path(address.database or "")) if address.get_backend_name() == "sqlite" else None
        with ExitStack() as undo:
            undo.callback(self.close)
            try:
                self.writer = self._engine(address, reads_only=False)
                self.reader = self._engine(address, reads_only=True)
                if self._file:
                    self._open_file(self._file, migrations)
                else:
                    migrate(self.writer, self.reader, lambda _revision: None, migrations)
            except (SQLAlchemyError, sqlite3.Error, OSError, ImportError, CommandError) as error:
                raise DatabaseUnavailable(sentences.UNUSABLE.format(place=self.place, error=reason(error))) from None
            undo.pop_all()

    def owned_by(self, owner: str) -> Database:
        """The same database; queries find the rows of that owner."""
        database = copy(self)
        database.owner = owner
        return database

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a SQLite file; otherwise it is PostgreSQL."""
        return self._file is not None

    @property
    def engine_version(self) -> str:
        """The database's name and version."""
        if self._file:
            return f"SQLite {sqlite3.sqlite_version}"
        return f"PostgreSQL {'.'.join(map(str, self.reader.dialect.server_version_info or ()))}"

    def files(self) -> list[Path]:
        """The log's files on this machine, and their folder when it is Tempera's own."""
        if self._file is None:
            return []
        folder = self._file.path.parent
        return [*self._file.all(), *([folder] if folder == data_folder() else [])]

    @property
    def gone(self) -> bool:
        """Whether the file was removed or replaced, so that writes are lost."""
        return self._file is not None and self._file.gone

    def warning(self) -> str | None:
        """A sentence when this version of SQLite may damage a file that another process has open."""
        if not self._file or not self._file.risks_damage():
            return None
        return sentences.SQLITE_OF_TWO_PROCESSES.format(version=sqlite3.sqlite_version)

    def close(self) -> None:
        """Close all connections, the writer's last because it cleans up."""
        for name in ("reader", "writer"):
            if engine := getattr(self, name, None):
                engine.dispose()
        if self._file:
            self._file.close()

    def _open_file(self, file: SqliteFile, migrations: Path) -> None:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        with file.opening():
            if damaged := file.set_damaged_aside():
                self.notice = sentences.LOG_MOVED_ASIDE.format(file=damaged)
            if file.is_new:
                file.make_compactable()

            def before(revision: str) -> None:
                file.copy(f"before-{revision}")
                file.make_compactable()

            migrate(self.writer, self.reader, before, migrations)
            file.remember()

    def _engine(self, address: URL, *, reads_only: bool) -> Engine:
        if not self._file:
            engine = create_engine(address, pool_pre_ping=True, connect_args=_SERVER)
            event.listen(engine, "begin", _begin_postgresql_read if reads_only else self._begin_postgresql_write)
            return engine
        engine = create_engine(address, connect_args={"timeout": self._lock_wait_s, "check_same_thread": False})

        @event.listens_for(engine, "connect")
        def _prepare(connection: Any, _record: Any) -> None:
            # The driver must not begin transactions: a read before the write would defeat the wait for the lock.
            connection.isolation_level = None
            for pragma in _PRAGMAS + (_READER_PRAGMAS if reads_only else ()):
                connection.execute(f"PRAGMA {pragma}").close()

        event.listen(engine, "begin", _begin_sqlite_read if reads_only else _begin_sqlite_write)
        return engine

    def _begin_postgresql_write(self, connection: Connection) -> None:
        # A process that is frozen within a write would keep its locks; the server ends its transaction after this time.
        for limit in ("lock_timeout", "idle_in_transaction_session_timeout"):
            connection.exec_driver_sql(f"SET LOCAL {limit} = {self._lock_wait_s * 1000:.0f}")


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        # The message must not hold the URL, which may contain a password.
        raise DatabaseUnavailable(sentences.DATABASE_URL_UNREADABLE) from None
    if address.drivername in ("postgres", "postgresql"):
        return address.set(drivername="postgresql+psycopg")
    if address.drivername == "sqlite" and (address.database or ":memory:") == ":memory:":
        raise DatabaseUnavailable(sentences.DATABASE_URL_WITHOUT_FILE)
    return address


def _begin_sqlite_write(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_sqlite_read(connection: Connection) -> None:
    ends = time.monotonic() + READ_LIMIT_S
    raw: Any = connection.connection.dbapi_connection
    raw.set_progress_handler(lambda: time.monotonic() > ends, 10_000)
    connection.exec_driver_sql("BEGIN")


def _begin_postgresql_read(connection: Connection) -> None:
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {READ_LIMIT_S * 1000:.0f}")


def reason(error: BaseException) -> str:
    """A sentence for a database error, with what to do."""
    if isinstance(error, ImportError) and error.name == "psycopg":
        return sentences.NO_DRIVER
    message = next(iter(str(getattr(error, "orig", None) or error).strip().splitlines()), "") or type(error).__name__
    lower = message.lower()
    for sign, sentence in sentences.OF_DATABASES:
        if sign in lower:
            return sentence.format(read_limit_s=READ_LIMIT_S)
    return f"{message.rstrip('.')}."
