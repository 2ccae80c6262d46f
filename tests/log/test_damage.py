"""Damaged, emptied and missing SQLite files are set aside, and a new log starts."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from components.log.database import Database
from components.log.log import Log
from components.log.query import count_runs, find_run
from components.log.sqlite_file import SqliteFile
from components.log.tables import runs, to_row
from components.runs.run import Run
from components.streaming.outcome import Outcome, Status
from tests.log.conftest import make_run
from tests.orders import text_event
from tests.waiting import wait_for


@pytest.fixture
def path(tmp_path: Path, sqlite_url: str) -> Path:
    """A closed log of some hundred runs."""
    database = Database(sqlite_url)
    with database.writer.begin() as connection:
        rows = []
        for number in range(300):
            run = make_run()
            run.take(text_event(f"{number} " * 300, 1.0))
            rows.append(to_row(run.record()))
        connection.execute(runs.insert(), rows)
    database.close()
    return tmp_path / "log.sqlite3"


def no_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"This is not SQLite at all, it is something else. " * 3)


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def random_pages(path: Path) -> None:
    with path.open("r+b") as file:
        for page in range(2, path.stat().st_size // 4096, 5):
            file.seek(page * 4096)
            file.write(random.Random(page).randbytes(4096))


def emptied(path: Path) -> None:
    os.truncate(path, 0)
    Path(f"{path}-wal").write_bytes(b"what was left")


def vanished(path: Path) -> None:
    path.unlink()
    Path(f"{path}-wal").write_bytes(b"what was left")


def a_text(path: Path) -> None:
    path.write_text("These are notes, and no database at all. " * 100)


@pytest.mark.parametrize("damage", [no_header, cut_off, random_pages, emptied, vanished, a_text])
def test_a_damaged_file_is_set_aside_and_a_new_log_begins(
    path: Path, damage: Callable[[Path], None], new_run: Callable[[], Run]
) -> None:
    damage(path)
    left = {part: Path(f"{path}{part}").read_bytes() for part in ("", "-wal") if Path(f"{path}{part}").exists()}
    log = Log(f"sqlite:///{path}")
    assert log.problem is None
    assert log.warning.startswith(f"The log was damaged. It was moved to {path}.corrupt-2")
    run = new_run()
    log.begin(run)
    log.wait_until_committed(run)
    assert count_runs(log.database) == 1
    log.close()
    aside = [found for found in path.parent.glob("*.corrupt-*") if not found.name.endswith(("-wal", "-shm"))]
    aside = aside or [Path(str(found).removesuffix("-wal")) for found in path.parent.glob("*.corrupt-*-wal")]
    assert len(aside) == 1
    assert str(aside[0]) in log.warning
    assert {part: Path(f"{aside[0]}{part}").read_bytes() for part in left} == left
    again = Log(f"sqlite:///{path}")
    assert again.warning is None
    again.close()


def test_an_empty_file_is_a_new_log(tmp_path: Path) -> None:
    (tmp_path / "log.sqlite3").touch()
    log = Log(f"sqlite:///{tmp_path / 'log.sqlite3'}")
    assert (log.problem, log.warning, count_runs(log.database)) == (None, None, 0)
    log.close()


def test_a_sound_file_that_takes_too_long_to_check_stays(path: Path) -> None:
    assert SqliteFile(path, check_s=0).set_damaged_aside() is None


@pytest.mark.parametrize("beside", [True, False])
def test_a_log_removed_during_a_run_starts_again_with_the_active_runs(
    path: Path, new_run: Callable[[], Run], beside: bool
) -> None:
    log = Log(f"sqlite:///{path}")
    run = new_run()
    log.begin(run)
    log.wait_until_committed(run)
    run.take(text_event("before, ", 1.0))
    path.unlink()
    if not beside:
        Path(f"{path}-wal").unlink()
        Path(f"{path}-shm").unlink()
    run.take(text_event("after", 2.0))
    run.finish(Outcome(Status.OK))
    log.end(run)
    wait_for(lambda: log.live(run.id) is None)
    assert "was removed or replaced" in log.warning
    assert log.problem is None
    log.close()
    database = Database(f"sqlite:///{path}")
    assert find_run(database, run.id).text == "before, after"
    assert count_runs(database) == 1
    database.close()


@pytest.mark.parametrize("damage", [no_header, cut_off])
def test_a_log_damaged_during_a_run_is_set_aside(
    path: Path, new_run: Callable[[], Run], damage: Callable[[Path], None]
) -> None:
    log = Log(f"sqlite:///{path}")
    damage(path)
    # A new connection has no cached good pages.
    log.database.writer.dispose()
    run = new_run()
    log.begin(run)
    run.take(text_event("kept", 1.0))
    run.finish(Outcome(Status.OK))
    log.end(run)
    wait_for(lambda: log.warning, 5)
    wait_for(lambda: log.live(run.id) is None)
    assert log.problem is None
    assert find_run(log.database, run.id).text == "kept"
    log.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma quick_check").fetchone() == ("ok",)
