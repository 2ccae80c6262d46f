"""Migrations: forward only, all or nothing, and every older log opens."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import uuid
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select, text

from components import __version__
from components.drafts.draft import read_draft
from components.drafts.store import find_draft, list_presets
from components.experiments.rules import rules_to_value
from components.experiments.store import Better, find_experiment, placed_runs, votes_on
from components.experiments.stored_sweep import read_sweep, stored_rules
from components.log.annotations import annotation_of
from components.log.database import Database, DatabaseUnavailable
from components.log.importing import read_line
from components.log.log import Log
from components.log.query import count_runs, events_of, find_run
from components.log.record import RunRecord, utc_now
from components.log.schema import MIGRATIONS
from components.log.search import page_of
from components.log.tables import metadata, runs, to_row, votes
from components.log.view import View
from components.runs.run import Run
from components.sharing.capsules import open_capsule, own_capsules
from components.streaming.answer import TimedEvent
from components.streaming.outcome import Outcome, Status
from tests.log import postgresql
from tests.log.conftest import A_PLACEMENT, make_run
from tests.log.make_gallery import COMPARED, NOTED, SWEPT
from tests.log.many_rows import forget
from tests.log.processes import process

GALLERY = Path(__file__).parent / "gallery"
PIECES = sorted(GALLERY.glob("*.sqlite3"))
EARLY_PIECES = [path for path in PIECES if path.stem.startswith("0.")]
LATER_PIECES = [path for path in PIECES if path not in EARLY_PIECES]
"""These have annotations, votes, experiments and capsules, too."""
RULES = {
    "checks": [{"contains": "Paris"}, {"length": {"unit": "words", "at_most": 3}}],
    "limits": [{"ttft_ms": {"at_most": 500.0, "of": "p95"}}],
    "tolerances": {"ttft_ms": "10 %"},
}

NEXT_MIGRATION = """
import sqlalchemy as sa
from alembic import op
revision = "9000"
down_revision = "{newest}"
def upgrade():
    op.add_column("runs", sa.Column("mood", sa.Text))
    op.execute("update runs set mood = 'fine'")
"""


@pytest.fixture
def next_release(tmp_path: Path) -> Path:
    """The migrations of a later release of Tempera, which has one more."""
    migrations = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, migrations)
    newest = max(path.name[:4] for path in (migrations / "versions").glob("[0-9]*.py"))
    (migrations / "versions" / "9000_next.py").write_text(NEXT_MIGRATION.format(newest=newest))
    return migrations


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'empty.sqlite3'}"


@pytest.fixture
def empty_postgresql_url(_postgresql_server: None) -> str:
    return postgresql.empty_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """A database of each kind without anything in it."""
    return request.getfixturevalue(f"empty_{request.param}_url")


def filled(url: str) -> str:
    """Fill a log with this release; return the id of a run."""
    log = Log(url)
    run = make_run()
    log.begin(run)
    log.close()
    return run.id


def _without_the_search(connection: Connection) -> MigrationContext:
    """SQLAlchemy does not reflect the full-text index; tests of the search cover it."""
    options = {"include_object": lambda _object, name, *_others: not str(name).startswith("runs_search")}
    return MigrationContext.configure(connection, opts=options)


def test_the_migrations_make_exactly_the_tables_that_are_used(empty_url: str) -> None:
    database = Database(empty_url)
    with database.reader.begin() as connection:
        assert compare_metadata(_without_the_search(connection), metadata) == []
    database.close()


def test_opening_twice_migrates_once(empty_url: str) -> None:
    for _ in range(2):
        Database(empty_url).close()


def test_an_open_release_keeps_writing_while_the_next_one_migrates(log: Log, url: str, next_release: Path) -> None:
    run = make_run()
    log.begin(run)
    log.wait_until_committed(run)
    Database(url, migrations=next_release).close()
    for ended in (run, make_run()):
        log.begin(ended)
        ended.finish(Outcome(Status.OK, text="as before"))
        log.end(ended)
        assert log.problem is None
        assert find_run(log.database, ended.id).text == "as before"


def test_four_processes_migrate_at_once(empty_url: str) -> None:
    script = "say('ready'); sys.stdin.readline(); Database(url).close(); say('open')"
    with ExitStack() as stack:
        children = [stack.enter_context(process(script, empty_url)) for _ in range(4)]
        assert [child.line() for child in children] == ["ready"] * 4
        for child in children:
            child.tell("go")
        assert [child.line() for child in children] == ["open"] * 4
    database = Database(empty_url)
    with database.reader.begin() as connection:
        assert connection.exec_driver_sql("select count(*) from alembic_version").scalar() == 1
    database.close()


_DIE_AT_A_STATEMENT = """
import signal
from sqlalchemy import Engine, event
last, number = int(sys.stdin.readline()), 0
def count(*_):
    global number
    number += 1
    if number == last:
        os.kill(os.getpid(), signal.SIGKILL)
event.listen(Engine, "before_cursor_execute", count)
event.listen(Engine, "commit", count)
Database(url)
say(number)
"""


@pytest.mark.parametrize("kills", [4, pytest.param(60, marks=pytest.mark.long)])
def test_a_kill_during_a_migration_leaves_no_half_migrated_log(empty_url: str, kills: int) -> None:
    """Kills precede statements and commits spread over the whole migration, beginning with the first."""

    def migrate(last: int) -> str:
        with process(_DIE_AT_A_STATEMENT, target) as child:
            child.tell(str(last))
            return child.line()

    def look_and_empty() -> None:
        database = Database(target)
        assert database.notice is None
        assert count_runs(database) == 0
        with database.writer.begin() as connection:
            assert compare_metadata(_without_the_search(connection), metadata) == []
            metadata.drop_all(connection)
            connection.exec_driver_sql("drop table alembic_version")
        database.close()

    target = empty_url
    statements = int(migrate(0))
    look_and_empty()
    for number in range(kills):
        target = empty_url.replace("empty.sqlite3", f"{number}.sqlite3")
        assert migrate(1 + number * (statements - 1) // (kills - 1)) == ""
        look_and_empty()


def test_an_empty_log_is_migrated_without_a_copy(empty_sqlite_url: str, tmp_path: Path, next_release: Path) -> None:
    Database(empty_sqlite_url, migrations=next_release).close()
    assert not list(tmp_path.glob("*.before-*"))


def test_a_copy_is_made_before_an_older_log_is_migrated(sqlite_url: str, tmp_path: Path, next_release: Path) -> None:
    run_id = filled(sqlite_url)
    (tmp_path / "log.sqlite3.before-9000.part").write_text("left by a process that was killed")
    for _ in range(2):
        database = Database(sqlite_url, migrations=next_release)
        with database.reader.begin() as connection:
            assert connection.exec_driver_sql("select id, mood from runs").all() == [(run_id, "fine")]
        database.close()
    assert [path.name for path in tmp_path.glob("*.before-*")] == ["log.sqlite3.before-9000"]
    with closing(sqlite3.connect(tmp_path / "log.sqlite3.before-9000")) as copy:
        assert copy.execute("select id from runs").fetchall() == [(run_id,)]
        assert "mood" not in [column[1] for column in copy.execute("pragma table_info(runs)")]


def test_a_newer_log_is_refused_and_not_changed(url: str, next_release: Path) -> None:
    filled(url)
    Database(url, migrations=next_release).close()
    with pytest.raises(DatabaseUnavailable, match=r"newer version of Tempera\. Update"):
        Database(url)
    database = Database(url, migrations=next_release)
    assert count_runs(database) == 1
    database.close()


def test_a_migration_that_fails_changes_nothing(url: str, next_release: Path) -> None:
    run_id = filled(url)
    script = next_release / "versions" / "9000_next.py"
    good = script.read_text()
    script.write_text(good + "    op.execute('update nothing set a = 1')\n")
    with pytest.raises(DatabaseUnavailable, match="nothing"):
        Database(url, migrations=next_release)
    script.write_text(good)
    database = Database(url, migrations=next_release)
    with database.reader.begin() as connection:
        assert connection.exec_driver_sql("select id, mood from runs").all() == [(run_id, "fine")]
    database.close()


def test_a_new_fact_needs_no_migration(url: str) -> None:
    with closing(Database(url)) as older, older.writer.begin() as connection:
        for fact in ("ttft_ms", "perplexity"):
            connection.exec_driver_sql(f"drop index runs_by_{fact}")
            connection.exec_driver_sql(f"alter table runs drop column {fact}")
    for _ in range(2):
        with closing(Database(url)) as newer, newer.reader.begin() as connection:
            assert compare_metadata(_without_the_search(connection), metadata) == []


def test_migrations_go_forward_only() -> None:
    for script in (MIGRATIONS / "versions").glob("*.py"):
        assert "def downgrade" not in script.read_text()


@pytest.mark.parametrize("path", PIECES, ids=lambda path: path.stem)
def test_a_log_of_each_release_opens(path: Path, tmp_path: Path) -> None:
    shutil.copy(path, tmp_path / "log.sqlite3")
    database = Database(f"sqlite:///{tmp_path / 'log.sqlite3'}")
    assert database.notice is None
    exported = [read_line(1, one)[0] for one in path.with_suffix(".jsonl").read_text("utf-8").splitlines(keepends=True)]
    listed = page_of(database, View(), limit=100).runs
    assert len(listed) == count_runs(database) == len(exported) + 1
    assert {*listed["status"]} >= {"running", "ok", "cancelled", "lost"}
    assert {*listed["status"]} <= {status.value for status in Status}
    for record in exported:
        assert find_run(database, record.id) == record
        assert len(events_of(database, record.id)) == record.event_count
    kept = 0 if path.stem == "0.1.0" else 1
    assert [preset.name for preset in list_presets(database)] == ["Mine"] * kept
    assert (find_draft(database, "d" * 32) is not None) == bool(kept)
    database.close()


@pytest.mark.parametrize("path", LATER_PIECES, ids=lambda path: path.stem)
def test_annotations_votes_experiments_and_capsules_of_each_release_open(path: Path, tmp_path: Path) -> None:
    shutil.copy(path, tmp_path / "log.sqlite3")
    database = Database(f"sqlite:///{tmp_path / 'log.sqlite3'}")
    [good] = page_of(database, View(rating=4, tag="two words")).runs["id"]
    assert annotation_of(database, good) == NOTED
    [vote] = votes_on(database, [good, *page_of(database, View(status="cancelled")).runs["id"]])
    assert (vote.first_setting, vote.better, vote.blind) == ("temperature 0", Better.FIRST, True)
    sweep = read_sweep(find_experiment(database, SWEPT))
    assert (sweep.rows, sweep.inputs) == (
        [{"temperature": "0"}, {"temperature": "0.5"}],
        [{"country": "France", "capital": "Paris"}],
    )
    assert rules_to_value(sweep.rules) == RULES
    assert [run.id for run in placed_runs(database, SWEPT)] == [good]
    comparison = find_experiment(database, COMPARED)
    assert [lane.name for lane in read_draft(comparison.content).comparison.lanes] == ["cold", ""]
    assert rules_to_value(stored_rules(json.loads(comparison.content))) == RULES
    shared = next(each for each in own_capsules(database) if each.kind == "run")
    [run] = open_capsule(database, shared.id).runs
    assert (run.text, len(run.events)) == ("Hello \N{OCTOPUS} <b>\u2028you</b> \u05d0", 2)
    assert (run.rating, run.tags, run.notes) == (NOTED.rating, NOTED.tags, NOTED.notes)
    database.close()


def test_a_log_of_the_first_release_can_store_events_presets_and_drafts(tmp_path: Path) -> None:
    shutil.copy(GALLERY / "0.1.0.sqlite3", tmp_path / "log.sqlite3")
    log = Log(f"sqlite:///{tmp_path / 'log.sqlite3'}")
    run = make_run()
    run.take(TimedEvent("message", "data", 1.0))
    run.finish(Outcome(Status.OK))
    log.begin(run)
    log.end(run)
    assert events_of(log.database, run.id) == run.events()
    with log.database.reader.begin() as connection:
        assert compare_metadata(_without_the_search(connection), metadata) == []
        for table in ("presets", "drafts"):
            assert connection.exec_driver_sql(f"select count(*) from {table}").scalar() == 0
    log.close()


@pytest.mark.parametrize("path", PIECES, ids=lambda path: path.stem)
def test_each_release_can_write_to_a_migrated_log(url: str, path: Path) -> None:
    """An older process writes the columns of its release; the others stay unknown."""
    with closing(sqlite3.connect(path)) as piece:
        known = [column[1] for column in piece.execute("pragma table_info(runs)")]
    run = make_run(A_PLACEMENT)
    record = run.record()
    row = {name: value for name, value in to_row(record).items() if name in known}
    insert = f"insert into runs ({', '.join(row)}) values (:{', :'.join(row)})"
    on_conflict = f"on conflict (id) do update set {', '.join(f'{name} = excluded.{name}' for name in row)}"
    database = Database(url)
    with database.writer.begin() as connection:
        connection.execute(text(f"{insert} {on_conflict}"), row)
    assert find_run(database, run.id) == RunRecord(**row)
    # The older process keeps values added by a newer one.
    with database.writer.begin() as connection:
        connection.execute(runs.update().values(determinism="identical"))
        connection.execute(text(f"{insert} {on_conflict}"), {**row, "text": "more"})
    found = find_run(database, run.id)
    assert (found.text, found.determinism) == ("more", None if "determinism" in known else "identical")
    database.close()


def test_the_first_releases_lack_the_newer_columns() -> None:
    """Logs of these releases lack columns that later ones have, as the test above assumes."""
    newer = {
        "0.1.0": {"event_count", "draft", "queued_ms", "experiment_id", "determinism"},
        "0.2.0": {"queued_ms", "cached_tokens", "experiment_id", "lane", "position", "repeat", "timing"}
        | {"concurrency", "checks", "determinism"},
    }
    for release, columns in newer.items():
        with closing(sqlite3.connect(GALLERY / f"{release}.sqlite3")) as piece:
            known = {column[1] for column in piece.execute("pragma table_info(runs)")}
        assert columns <= {column.name for column in runs.columns} - known


@pytest.mark.parametrize("piece", EARLY_PIECES, ids=lambda piece: piece.stem)
def test_runs_of_older_releases_keep_their_numbers_and_have_no_rate_basis(piece: Path, tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite3"
    shutil.copyfile(piece, path)
    numbers = "select id, ttft_ms, tokens_per_second from runs where status <> 'running' order by id"
    with closing(sqlite3.connect(path)) as before:
        kept = before.execute(numbers).fetchall()
    assert any(rate for _, _, rate in kept)
    Log(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as after:
        # Runs active at that time are lost now.
        assert set(after.execute(numbers)) >= set(kept)
        assert after.execute("select distinct ttfo_ms, gap_count, rate_basis from runs").fetchall() == [(None,) * 3]


def test_deleting_either_run_deletes_its_vote_only(url: str) -> None:
    log = Log(url)
    old, young, youngest = make_run(), make_run(), make_run()
    old.created_at = "2020-01-01T00:00:00.000000Z"
    for run in (old, young, youngest):
        run.finish(Outcome(Status.OK))
        log.begin(run)
        log.end(run)
    kept = a_vote(young, youngest)
    rows = [a_vote(old, young), a_vote(young, old), kept]
    log.write(lambda connection: connection.execute(votes.insert(), rows))
    assert forget(log, "2020-01-02T00:00:00.000000Z") == 1
    with log.database.reader.begin() as connection:
        assert [dict(row) for row in connection.execute(select(votes)).mappings()] == [kept]
    assert count_runs(log.database) == 2
    log.close()


def test_a_vote_needs_existing_runs(url: str) -> None:
    log = Log(url)
    run = make_run()
    log.begin(run)
    log.wait_until_committed(run)
    for row in (a_vote(run, make_run()), a_vote(make_run(), run)):
        with pytest.raises(DatabaseUnavailable):
            log.write(lambda connection, row=row: connection.execute(votes.insert(), [row]))
    log.close()


def a_vote(first: Run, second: Run) -> dict[str, object]:
    return {
        "id": uuid.uuid4().hex,
        "created_at": utc_now(),
        "first_run": first.id,
        "second_run": second.id,
        "first_setting": "temperature 0.2",
        "second_setting": "temperature 0.9",
        "better": "first",
        "blind": True,
    }


def test_the_gallery_contains_this_release() -> None:
    assert (GALLERY / f"{__version__}.sqlite3").exists()


def test_a_gallery_piece_can_be_made_for_this_release_only(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.log.make_gallery", "99.0.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "99.0.0" in done.stderr
