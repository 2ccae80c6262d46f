from __future__ import annotations

import os
import sqlite3
from dataclasses import fields
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from components.runs.database import Database, DatabaseUnavailable, database_url
from components.runs.run import RunRecord
from components.runs.tables import metadata, runs


def test_the_columns_are_the_fields_of_a_record() -> None:
    assert {column.name for column in runs.columns} == {field.name for field in fields(RunRecord)}


def test_the_migrations_make_exactly_the_tables_that_are_used(url: str) -> None:
    database = Database(url)
    with database.reader.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()


def test_opening_twice_migrates_once(url: str) -> None:
    for _ in range(2):
        Database(url).close()


def test_every_connection_waits_for_locks_and_writes_ahead(url: str) -> None:
    database = Database(url)
    for engine in (database.writer, database.reader):
        with engine.begin() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000
    database.close()


def test_the_default_stands_in_the_users_data_folder() -> None:
    assert database_url({}).startswith("sqlite:///")
    assert "tempera" in database_url({})
    assert database_url({"TEMPERA_DATABASE_URL": "sqlite:///x"}) == "sqlite:///x"


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("These are notes, and no database at all. " * 100)
    with pytest.raises(DatabaseUnavailable, match=r"no database\. Move it away"):
        Database(f"sqlite:///{tmp_path / 'notes.txt'}")


def test_a_path_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnavailable, match=r"cannot be used: .+\."):
        Database(f"sqlite:///{tmp_path / 'file' / 'runs.sqlite3'}")


def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "newer.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("create table alembic_version (version_num varchar(32) not null)")
        connection.execute("insert into alembic_version values ('9999')")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(DatabaseUnavailable, match=r"newer version of Tempera\. Update"):
        Database(f"sqlite:///{path}")
    assert path.read_bytes()[100:] == before[100:]


@pytest.mark.parametrize("url", ["nonsense", "mysql+nothing://me:hunter2@host/x"])
def test_an_unusable_url_is_named_without_its_password(url: str) -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        Database(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/self").exists(), reason="needs a path root cannot write")
def test_a_folder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be used"):
        Database("sqlite:////proc/self/tempera/runs.sqlite3")
