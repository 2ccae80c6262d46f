from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from sqlalchemy import text

from components.log.database import Database, DatabaseUnavailable, is_forgotten_at_restart
from components.log.log import Log
from components.log.query import QueryFailed, read_rows
from components.log.record import LOCAL, RunRecord
from components.log.tables import runs
from components.streaming.limits import Limits
from tests.log.processes import process
from tests.waiting import wait_for


def test_the_columns_are_the_fields_of_a_record() -> None:
    assert {column.name for column in runs.columns} == {field.name for field in fields(RunRecord)}


def test_every_sqlite_connection_has_a_lock_timeout_and_a_durable_wal(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    for engine in (database.writer, database.reader):
        with engine.begin() as one, engine.begin() if engine is database.reader else engine.connect() as two:
            for connection in (one, two):
                pragmas = {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 5000, "foreign_keys": 1}
                for name, value in {**pragmas, "journal_size_limit": 16 << 20}.items():
                    raw = connection.connection.dbapi_connection.execute(f"PRAGMA {name}")
                    assert raw.fetchone() == (value,), name
                    raw.close()
    database.close()


def test_a_reader_cannot_write(url: str) -> None:
    database = Database(url)
    with pytest.raises(QueryFailed, match="only be read"):
        read_rows(database, runs.delete().where(runs.c.owner == LOCAL))
    database.close()


_SLOW = {
    "sqlite": "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as c from n",
    "postgresql": "select count(*) as c from generate_series(1, 1000000000)",
}


def test_a_read_beyond_its_time_limit_ends_with_a_sentence(url: str) -> None:
    database = Database(url)
    with pytest.raises(QueryFailed, match="longer than 1 s"):
        read_rows(database, text(_SLOW[database.reader.dialect.name]))
    assert read_rows(database, text("select 1 as one")) == [{"one": 1}]
    database.close()


def test_the_version_of_the_database_is_known(url: str) -> None:
    database = Database(url)
    expected = f"SQLite {sqlite3.sqlite_version}" if url.startswith("sqlite") else "PostgreSQL "
    assert database.engine_version.startswith(expected)
    assert any(sign.isdigit() for sign in database.engine_version)
    database.close()


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 3)])
def test_two_processes_on_an_old_sqlite_are_both_warned(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...]
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    database = Database(sqlite_url)
    assert database.warning() is None
    script = (
        f"import sqlite3; sqlite3.sqlite_version_info = {version}; log = Log(url); say(log.warning); time.sleep(60)"
    )
    with process(script, sqlite_url) as child:
        old = version < (3, 51, 3)
        assert ("Another process" in child.line()) == old
        assert ("PostgreSQL" in (database.warning() or "")) == old
    assert database.warning() is None
    database.close()


def test_the_log_warns_of_a_second_process_while_it_runs(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    log = Log(sqlite_url, Limits(heartbeat_s=0.05, log_flush_ms=20))
    with process("log = Log(url); say('open'); time.sleep(60)", sqlite_url) as child:
        child.line()
        assert "Another process writes the same log" in wait_for(lambda: log.warning)
        assert log.problem is None
    wait_for(lambda: not log.warning)
    log.close()


def test_postgresql_has_no_such_warning(postgresql_url: str) -> None:
    first, second = Log(postgresql_url), Log(postgresql_url)
    assert (first.warning, second.warning) == (None, None)
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("url", "volume", "forgotten"),
    [
        ("sqlite:///runs.sqlite3", None, False),
        ("sqlite:///runs.sqlite3", "/not/mounted", True),
        ("sqlite:///runs.sqlite3", "none", True),
        ("sqlite:///runs.sqlite3", "/", False),  # always a mount point
        ("postgresql://database/runs", "/not/mounted", False),
    ],
)
def test_a_file_outside_a_mounted_volume_is_reported_as_lost_at_restart(
    url: str, volume: str | None, forgotten: bool
) -> None:
    assert is_forgotten_at_restart(url, Path(volume) if volume else None) is forgotten


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_the_short_forms_of_a_postgresql_url_are_understood(postgresql_url: str, scheme: str) -> None:
    Database(postgresql_url.replace("postgresql+psycopg", scheme)).close()


def test_a_path_below_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnavailable, match=r"cannot be used: .+\."):
        Database(f"sqlite:///{tmp_path / 'file' / 'runs.sqlite3'}")


def test_a_folder_instead_of_a_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be opened"):
        Database(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize("url", ["nonsense", "mysql+nothing://me:hunter2@host/x", "sqlite://", "sqlite:///:memory:"])
def test_an_unusable_url_is_named_without_its_password(url: str) -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        Database(url)
    assert "hunter2" not in str(caught.value)


def test_a_silent_server_is_named_without_its_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(DatabaseUnavailable, match="server does not answer") as caught:
        Database("postgresql+psycopg://me:hunter2@127.0.0.1:1/x")
    assert "hunter2" not in str(caught.value)


def test_a_missing_driver_is_named_with_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DatabaseUnavailable, match=r'driver is missing. Install it: pip install "psycopg\[binary\]"'):
        Database("postgresql+psycopg://me@127.0.0.1:1/x")


def test_a_network_folder_without_locks_is_named(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.raises(DatabaseUnavailable, match=r"its folder does not support locks\. Set TEMPERA_DATABASE_URL"):
        Database(sqlite_url)


def test_a_read_only_disk_is_named(small_disk: Path) -> None:
    Database(f"sqlite:///{small_disk / 'log.sqlite3'}").close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(DatabaseUnavailable, match=r"may only be read\. Check its permissions"):
        Database(f"sqlite:///{small_disk / 'log.sqlite3'}")
