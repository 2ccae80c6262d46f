"""An empty PostgreSQL database for each test, on the server that TEMPERA_TEST_DATABASE_URL names."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

from sqlalchemy import make_url

# Read when the tests are collected: no test sees variables whose name begins with TEMPERA_.
SERVER = os.environ.get("TEMPERA_TEST_DATABASE_URL", "")
_NAME = f"tempera_test_{os.getpid()}"


def missing() -> str | None:
    """Why there can be no PostgreSQL database, or None."""
    if not SERVER:
        return "no PostgreSQL: run tests/with-postgresql, or set TEMPERA_TEST_DATABASE_URL"
    if not importlib.util.find_spec("psycopg"):
        return "no driver for PostgreSQL: pip install 'psycopg[binary]'"
    return None


def empty_database() -> str:
    """The URL of a database without anything in it; the same one each time, without what the last test left."""
    if not ask("select 1 from pg_database where datname = %s", _NAME):
        ask(f"create database {_NAME}")
    ask("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", _NAME)
    url = make_url(SERVER).set(database=_NAME).render_as_string(hide_password=False)
    ask("drop schema public cascade", url=url)
    ask("create schema public", url=url)
    return url


def drop_database() -> None:
    """Leave the server as it was."""
    ask(f"drop database if exists {_NAME} with (force)")


def ask(statement: str, *values: Any, url: str = SERVER) -> list[Any]:
    """The rows of a statement that stands in no transaction."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        result = connection.execute(statement, values)
        return result.fetchall() if result.description else []
