"""Compaction returns the space of deleted runs to the disk while runs are written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from shutil import copy

import pytest
from sqlalchemy import insert

from components.log.compaction import compact, free_bytes, size_bytes
from components.log.database import Database
from components.log.deletion import delete_runs_of_view
from components.log.log import Log
from components.log.query import count_runs
from components.log.search import page_of
from components.log.tables import runs, to_row
from components.log.view import View
from tests.log.test_export import finished
from tests.log.test_schema import PIECES


def filled(log: Log, number: int) -> None:
    record = finished().record()
    rows = [
        to_row(replace(record, id=f"{each:032x}", text=f"{'whale ' * 2_000} tale{each}", model=f"m{each % 2}"))
        for each in range(number)
    ]
    log.write(lambda connection: connection.execute(insert(runs), rows))


def test_compaction_shrinks_the_file_and_keeps_the_remaining_runs(sqlite_url: str, tmp_path: Path) -> None:
    log = Log(sqlite_url)
    filled(log, 1_500)
    database = log.database
    full = size_bytes(database)
    assert free_bytes(database) < full / 100
    list(delete_runs_of_view(log, database, View(model="m0")))
    free = free_bytes(database)
    assert free > full / 3
    left = list(compact(log, database))
    assert left[-1] == 0
    assert left == sorted(left, reverse=True)
    assert size_bytes(database) <= full - free
    assert free_bytes(database) == 0
    assert count_runs(database) == 750
    for word, found in (("tale7", 1), ("tale8", 0), ("whale", 50)):
        assert len(page_of(database, View(words=word)).runs) == found
    log.close()
    assert (tmp_path / "log.sqlite3").stat().st_size <= full - free
    with closing(sqlite3.connect(tmp_path / "log.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_compaction_ends_although_runs_are_deleted_meanwhile(sqlite_url: str) -> None:
    log = Log(sqlite_url)
    filled(log, 60)

    class Busy:
        """A log in which other owners delete as much as compaction frees."""

        owner = log.owner

        def write(self, _work: object) -> None:
            list(delete_runs_of_view(log, log.database, View(model="m1")))

    list(delete_runs_of_view(log, log.database, View(model="m0")))
    assert free_bytes(log.database) > 0
    assert list(compact(Busy(), log.database)) == []
    log.close()


def test_postgresql_needs_no_compaction(postgresql_url: str) -> None:
    log = Log(postgresql_url)
    filled(log, 3)
    list(delete_runs_of_view(log, log.database, View(model="m0")))
    assert free_bytes(log.database) == 0
    assert list(compact(log, log.database)) == []
    log.close()


@pytest.mark.parametrize("piece", PIECES, ids=lambda path: path.stem)
def test_the_log_of_an_older_release_can_be_compacted(piece: Path, tmp_path: Path) -> None:
    copy(piece, tmp_path / "log.sqlite3")
    database = Database(f"sqlite:///{tmp_path / 'log.sqlite3'}")
    listed = len(page_of(database, View()).runs)
    with database.reader.begin() as connection:
        kind = connection.exec_driver_sql("PRAGMA auto_vacuum").scalar_one()
    database.close()
    assert (kind, listed > 0) == (2, True)
