"""Migrates a database: forward only, in one transaction, one process at a time.

A new fact of runs needs no migration: its column is added here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect

from components.log.tables import run_column, runs

MIGRATIONS = Path(__file__).parent / "migrations"

# Alembic keeps the current migration in a module global, so only one thread may migrate.
_one_at_a_time = threading.Lock()
_ONE_PROCESS_AT_A_TIME = "SELECT pg_advisory_xact_lock(5640137)"
"""The key of the advisory lock, an arbitrary number. On SQLite the transaction itself is the lock."""


def migrate(writer: Engine, reader: Engine, before: Callable[[str], None], migrations: Path = MIGRATIONS) -> None:
    """Migrate to the newest revision and add new facts; calls ``before`` with its name for an earlier revision.

    Raises CommandError when the database has an unknown revision.
    """
    scripts = _scripts(migrations)
    newest = str(scripts.get_current_head())
    with _one_at_a_time:
        with reader.begin() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            is_complete = current == newest and not _new_facts(connection)
        if is_complete:
            return
        if current and current != newest:
            scripts.get_revision(current)
            before(newest)
        with writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                # A migration may compute for longer between two statements than any other write may stand still.
                connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
                connection.exec_driver_sql(_ONE_PROCESS_AT_A_TIME)
            config = _config(migrations)
            config.attributes["connection"] = connection
            command.upgrade(config, newest)
            _add_new_facts(connection)


def _new_facts(connection: Connection) -> list[str]:
    existing = {column["name"] for column in inspect(connection).get_columns(runs.name)}
    return [column.name for column in runs.columns if column.name not in existing]


def _add_new_facts(connection: Connection) -> None:
    """Add the columns of facts without a migration, and their indexes; earlier runs have null."""
    added = _new_facts(connection)
    operations = Operations(MigrationContext.configure(connection))
    for name in added:
        operations.add_column(runs.name, run_column(name))
    for index in runs.indexes:
        if not {column.name for column in index.columns}.isdisjoint(added):
            index.create(connection)


@cache
def _scripts(migrations: Path) -> ScriptDirectory:
    """The migrations, loaded once: loading takes longer than opening a database."""
    return ScriptDirectory.from_config(_config(migrations))


def _config(migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
