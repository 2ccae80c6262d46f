"""Opens the log's database: SQLite in the user's data folder, or whatever TEMPERA_DATABASE_URL names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

_LOCK_WAIT_S = 5


class DatabaseUnavailable(Exception):
    """The database cannot be used. The message is a sentence that says why and what to do."""


def database_url(environment: Mapping[str, str]) -> str:
    """TEMPERA_DATABASE_URL, or a SQLite file in the user's data folder."""
    given = environment.get("TEMPERA_DATABASE_URL")
    return given or f"sqlite:///{platformdirs.user_data_path('tempera') / 'runs.sqlite3'}"


class Database:
    """Two engines on one database: one connection that writes, and connections that only read."""

    def __init__(self, url: str) -> None:
        """Open and migrate the database. Raises DatabaseUnavailable."""
        try:
            address = make_url(url)
        except ArgumentError:
            # The message must not hold the URL: there may be a password in it.
            raise DatabaseUnavailable(
                "TEMPERA_DATABASE_URL cannot be read. Give it as sqlite:///path/to/runs.sqlite3 "
                "or postgresql+psycopg://user@host/name."
            ) from None
        self.place = address.render_as_string(hide_password=True)
        self._sqlite = address.get_backend_name() == "sqlite"
        try:
            if self._sqlite and address.database:
                Path(address.database).parent.mkdir(parents=True, exist_ok=True)
            self.writer = self._engine(url, "BEGIN IMMEDIATE")
            self.reader = self._engine(url, "BEGIN")
            self._migrate()
        except (SQLAlchemyError, OSError, ImportError, CommandError) as error:
            raise DatabaseUnavailable(f"{self.place} cannot be used: {reason(error)}") from None

    def close(self) -> None:
        """Close all connections."""
        self.writer.dispose()
        self.reader.dispose()

    def _engine(self, url: str, begin: str) -> Engine:
        if not self._sqlite:
            return create_engine(url, pool_pre_ping=True)
        engine = create_engine(url, connect_args={"timeout": _LOCK_WAIT_S, "check_same_thread": False})

        @event.listens_for(engine, "connect")
        def _prepare(connection: Any, _record: Any) -> None:
            # The driver must not begin transactions by itself: reading before writing would defeat the lock's wait.
            connection.isolation_level = None
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "journal_size_limit=67108864"):
                connection.execute(f"PRAGMA {pragma}").close()

        @event.listens_for(engine, "begin")
        def _begin(connection: Any) -> None:
            connection.exec_driver_sql(begin)

        return engine

    def _migrate(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        with self.writer.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def reason(error: Exception) -> str:
    """What a database error means, as a sentence that says what to do."""
    said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    lower = said.lower()
    for sign, sentence in (
        ("disk is full", "the disk is full. Free some space."),
        ("no space left", "the disk is full. Free some space."),
        ("locked", "another process holds it locked. Close that process, or wait."),
        ("readonly", "it may only be read. Check its permissions, or set TEMPERA_DATABASE_URL."),
        ("permission denied", "it may not be written. Check its permissions, or set TEMPERA_DATABASE_URL."),
        ("unable to open", "it cannot be opened. Check the path and its permissions, or set TEMPERA_DATABASE_URL."),
        ("not a database", "the file is no database. Move it away, or set TEMPERA_DATABASE_URL to another place."),
        ("malformed", "the file is damaged. Move it away; a new one is made."),
        ("can't locate revision", "it was made by a newer version of Tempera. Update Tempera."),
    ):
        if sign in lower:
            return sentence
    return f"{said.rstrip('.')}."
