"""Brings a database's tables up to date: forward only, each time in one transaction, one process at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

MIGRATIONS = Path(__file__).parent / "migrations"

# Alembic keeps the migration that is going on in a module, so only one thread may migrate.
_one_at_a_time = threading.Lock()
_ONE_PROCESS_AT_A_TIME = "SELECT pg_advisory_xact_lock(5640137)"
"""On SQLite the transaction itself is the lock. The number stands for nothing else."""


def migrate(writer: Engine, reader: Engine, before: Callable[[str], None]) -> None:
    """Migrate to the newest revision; ``before`` is called with its name when there is something to lose.

    Raises CommandError when the database is of a revision that is not known here.
    """
    scripts = _scripts(MIGRATIONS)
    newest = str(scripts.get_current_head())
    with _one_at_a_time:
        with reader.begin() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        if current == newest:
            return
        if current:
            scripts.get_revision(current)
            before(newest)
        with writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(_ONE_PROCESS_AT_A_TIME)
            config = _config(MIGRATIONS)
            config.attributes["connection"] = connection
            command.upgrade(config, newest)


@cache
def _scripts(migrations: Path) -> ScriptDirectory:
    """The migrations, loaded once: that takes longer than to open a database."""
    return ScriptDirectory.from_config(_config(migrations))


def _config(migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
