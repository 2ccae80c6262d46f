"""A separate PostgreSQL database for each test process, on the server of TEMPERA_TEST_DATABASE_URL."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

from sqlalchemy import make_url

from components.log.database import Database
from components.log.tables import metadata

# Read at collection: tests do not see variables that begin with TEMPERA_.
SERVER = os.environ.get("TEMPERA_TEST_DATABASE_URL", "")
_NAME = f"tempera_test_{os.getpid()}"


def missing() -> str | None:
    """The reason why there is no PostgreSQL database, or None."""
    if not SERVER:
        return "no PostgreSQL: run tests/with-postgresql, or set TEMPERA_TEST_DATABASE_URL"
    if not importlib.util.find_spec("psycopg"):
        return "no driver for PostgreSQL: pip install 'psycopg[binary]'"
    return None


def empty_database() -> str:
    """The URL of an empty database; always the same one, emptied after the last test."""
    if not ask("select 1 from pg_database where datname = %s", _NAME):
        ask(f"create database {_NAME}")
    ask("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", _NAME)
    url = _url()
    ask("drop schema public cascade", url=url)
    ask("create schema public", url=url)
    return url


_COLUMNS = """
    select count(*) from pg_attribute join pg_class on attrelid = pg_class.oid
    where relnamespace = 'public'::regnamespace and not attisdropped
"""
_TABLES = [table.name for table in reversed(metadata.sorted_tables)]
_LARGE_BYTES = 1 << 20
_columns_of_newest = -1


def migrated_database() -> str:
    """The URL of an empty migrated database; always the same one.

    It is migrated again only if the last test left other tables or columns. Large tables are truncated, because
    deleted rows would still be scanned.
    """
    global _columns_of_newest
    url = _url()
    if _columns_of_newest >= 0:
        import psycopg

        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            if connection.execute(_COLUMNS).fetchone() == (_columns_of_newest,):
                sizes = ", ".join(f"pg_relation_size('{name}')" for name in _TABLES)
                found = connection.execute(f"select greatest({sizes})").fetchone()
                if found[0] > _LARGE_BYTES:
                    connection.execute(f"truncate {', '.join(_TABLES)}")
                else:
                    connection.execute("; ".join(f"delete from {name}" for name in _TABLES))
                return url
    Database(empty_database()).close()
    _columns_of_newest = ask(_COLUMNS, url=url)[0][0]
    return url


def drop_database() -> None:
    """Drop the database."""
    ask(f"drop database if exists {_NAME} with (force)")


def _url() -> str:
    return make_url(SERVER).set(database=_NAME).render_as_string(hide_password=False)


def ask(statement: str, *values: Any, url: str = SERVER) -> list[Any]:
    """The rows of a statement outside a transaction."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        result = connection.execute(statement, values)
        return result.fetchall() if result.description else []
