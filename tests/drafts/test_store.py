from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, event, insert

from components.drafts.presets import PresetProblem
from components.drafts.store import Preset, delete_preset, find_draft, list_presets, save_draft, save_preset
from components.log.database import DatabaseUnavailable
from components.log.log import Log
from components.log.query import QueryFailed
from components.log.tables import drafts
from components.streaming.limits import Limits
from tests.waiting import wait_for

ONE, OTHER = uuid.uuid4().hex, uuid.uuid4().hex
NO_IDS = ["", "0", "x" * 32, "A" * 32, "_" * 32, "a" * 33, "' or 1=1 --", "\x00" * 32]


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Another process that locks the database against writes."""
    engine = create_engine(url)
    with engine.begin() as connection:
        sqlite = connection.dialect.name == "sqlite"
        connection.exec_driver_sql("begin immediate" if sqlite else "lock table drafts in exclusive mode")
        yield
    engine.dispose()


def found_soon(log: Log, draft_id: str, content: str) -> bool:
    return bool(wait_for(lambda: find_draft(log.database, draft_id) == content))


def test_a_draft_is_found_again_after_a_restart(url: str) -> None:
    log = Log(url)
    save_draft(log, ONE, '{"text": "Hi 🐙"}')
    log.close()
    again = Log(url)
    assert find_draft(again.database, ONE) == '{"text": "Hi 🐙"}'
    assert find_draft(again.database, OTHER) is None
    again.close()


def test_the_newest_content_of_a_draft_replaces_the_older_one(log: Log) -> None:
    save_draft(log, ONE, "first")
    save_draft(log, OTHER, "other")
    assert found_soon(log, ONE, "first")
    save_draft(log, ONE, "second")
    assert found_soon(log, ONE, "second")
    assert find_draft(log.database, OTHER) == "other"


def test_saving_does_not_wait_and_keeps_the_newest_of_several(log: Log, url: str) -> None:
    written: list[str] = []

    def look(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        if sql.startswith("INSERT INTO drafts"):
            written.append(sql)

    waiting = threading.Event()
    event.listen(log.database.writer, "after_cursor_execute", look)
    event.listen(log.database.writer, "engine_connect", lambda _connection: waiting.set())
    with locked(url):
        save_draft(log, OTHER, "other")
        assert waiting.wait(10)  # the log's thread already waits for the lock to write this one
        for number in range(100):
            save_draft(log, ONE, f"{number}")
    assert found_soon(log, ONE, "99")
    assert find_draft(log.database, OTHER) == "other"
    assert len(written) == 2
    assert log.problem is None


def test_a_draft_waits_for_an_unavailable_database_with_a_warning(url: str) -> None:
    log = Log(url, Limits(log_lock_wait_s=0.1, log_retry_s=0.1))
    with locked(url):
        save_draft(log, ONE, "first")
        assert "another process holds it locked" in wait_for(lambda: log.problem)
        save_draft(log, ONE, "newest")
    save_draft(log, OTHER, "other")
    assert found_soon(log, OTHER, "other")
    assert found_soon(log, ONE, "newest")
    wait_for(lambda: log.problem is None)
    log.close()


def test_saving_raises_nothing_when_there_is_no_database_or_the_log_is_closed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = Log(f"sqlite:///{tmp_path / 'file' / 'log.sqlite3'}")
    save_draft(log, ONE, "lost")
    assert log.problem.startswith("Runs are not being logged: ")
    log.close()
    save_draft(log, ONE, "lost")
    assert log.database is None


def test_work_with_an_internal_error_does_not_end_the_log(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    log.post("fault", lambda _connection: 1 / 0)
    assert "division by zero" in wait_for(lambda: log.problem)
    assert "a round of the log failed" in caplog.text
    save_draft(log, ONE, "kept")
    assert found_soon(log, ONE, "kept")


def test_an_invalid_id_keeps_and_finds_no_draft(log: Log) -> None:
    for no_id in NO_IDS:
        save_draft(log, no_id, "content")
    save_draft(log, ONE, "content")
    assert found_soon(log, ONE, "content")
    assert [no_id for no_id in NO_IDS if find_draft(log.database, no_id)] == []
    with log.database.reader.begin() as connection:
        assert connection.exec_driver_sql("select id from drafts").scalars().all() == [ONE]
    assert log.problem is None


def test_texts_that_databases_refuse_are_corrected(log: Log) -> None:
    save_draft(log, ONE, "a\0b \ud83d")
    assert found_soon(log, ONE, "a\ufffdb \ufffd")
    preset = save_preset(log, "na\0me", "a\0b \ud83d")
    assert (preset.name, preset.content) == ("na\ufffdme", "a\ufffdb \ufffd")
    assert list_presets(log.database) == [preset]


def test_presets_are_listed_by_name(log: Log) -> None:
    saved = [save_preset(log, name, f"content of {name}") for name in ("b", "a", "Über", "C", "ä")]
    assert [preset.name for preset in list_presets(log.database)] == ["a", "b", "C", "ä", "Über"]
    assert {*list_presets(log.database)} == {*saved}
    assert all(preset.created_at.endswith("Z") for preset in saved)


def test_a_preset_of_the_same_name_is_replaced(log: Log) -> None:
    first = save_preset(log, "warm", "first")
    other = save_preset(log, "Warm", "of another name")
    second = save_preset(log, "  warm \n", "second")
    assert second == Preset(first.id, "warm", "second", second.created_at)
    assert second.created_at > first.created_at
    assert {*list_presets(log.database)} == {other, second}


def test_a_preset_needs_a_visible_name(log: Log) -> None:
    for name in ("", "  \t\n", "x" * 81):
        with pytest.raises(PresetProblem, match=r"a name of 1 to 80 characters\."):
            save_preset(log, name, "content")
    assert list_presets(log.database) == []


def test_the_longest_preset_is_kept_and_a_longer_one_refused(log: Log) -> None:
    longest = save_preset(log, f" {'🐙' * 80} ", "🐙" * 1_000_000)
    assert list_presets(log.database) == [longest]
    with pytest.raises(PresetProblem, match=r"at most 1,000,000 characters\. Shorten"):
        save_preset(log, "longer", "x" * 1_000_001)
    assert list_presets(log.database) == [longest]


def test_a_preset_is_deleted_by_its_id_alone(log: Log) -> None:
    one, other = save_preset(log, "one", "1"), save_preset(log, "other", "2")
    for no_id in [*NO_IDS, uuid.uuid4().hex]:
        delete_preset(log, no_id)
    assert list_presets(log.database) == [one, other]
    delete_preset(log, one.id)
    assert list_presets(log.database) == [other]


def test_two_logs_that_save_the_same_name_at_once_leave_one_preset(url: str) -> None:
    logs = [Log(url), Log(url)]
    saved: list[Preset] = []
    threads = [
        threading.Thread(target=lambda log=log, number=number: saved.append(save_preset(log, "same", f"{number}")))
        for number in range(10)
        for log in logs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(saved) == 20
    assert len({preset.id for preset in saved}) == 1
    assert len(list_presets(logs[0].database)) == 1
    for log in logs:
        log.close()


def test_presets_fail_with_the_reason_when_the_log_is_off(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = Log(f"sqlite:///{tmp_path / 'file' / 'log.sqlite3'}")
    with pytest.raises(DatabaseUnavailable, match="Runs are not being logged"):
        save_preset(log, "name", "content")
    with pytest.raises(DatabaseUnavailable, match="Runs are not being logged"):
        delete_preset(log, ONE)
    log.close()


def test_a_failed_read_gives_the_reason(log: Log) -> None:
    for table in ("presets", "drafts"):
        log.write(lambda connection, table=table: connection.exec_driver_sql(f"drop table {table}"))
    with pytest.raises(QueryFailed, match="The log cannot be read"):
        list_presets(log.database)
    with pytest.raises(QueryFailed, match="The log cannot be read"):
        find_draft(log.database, ONE)


def test_a_draft_refused_for_its_content_delays_no_other(log: Log) -> None:
    def refused(connection: Connection) -> None:
        connection.execute(insert(drafts).values(id=OTHER, content=None, updated_at="now"))

    log.post("refused", refused)
    save_draft(log, ONE, "kept")
    assert found_soon(log, ONE, "kept")
    assert find_draft(log.database, OTHER) is None
