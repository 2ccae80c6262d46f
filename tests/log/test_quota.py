"""Storage is counted per owner to the byte and limited, and the limit loses no data."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, LargeBinary, Text, event, insert, select

from components.contract.profile import OPENAI
from components.drafts.store import find_draft, list_presets, save_draft, save_preset
from components.endpoints.endpoint import Address, Endpoint
from components.experiments.store import Better, Vote, save_experiment, save_vote
from components.log.annotations import Annotation, annotate
from components.log.database import Database
from components.log.deletion import delete_run, restore_run
from components.log.importing import import_runs
from components.log.log import Log
from components.log.owned import OwnLog
from components.log.query import count_runs
from components.log.quota import QuotaReached, StorageUse
from components.log.record import utc_now
from components.log.tables import kept_bytes, metadata, runs, to_row
from components.runs.gate import Refused
from components.runs.run import Run
from components.runs.runner import Runner
from components.sharing.capsule import Kind
from components.sharing.capsules import own_capsules, publish, revoke
from components.sharing.freezing import Choices, capsule_of
from components.streaming.answer import TimedEvent
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from tests.log.exports import export_runs
from tests.log.many_rows import forget
from tests.log.test_export import finished
from tests.orders import order
from tests.waiting import wait_for

DRAFT, EXPERIMENT = "d" * 32, "e" * 32
FIXED = {"runs": 1_000, "events": 50, "run_annotations": 100, "votes": 200}
OF_RUN = {"events": "run_id", "run_annotations": "run_id", "votes": "first_run"}


def is_counted(column: Any) -> bool:
    """Whether the column may contain any number of bytes."""
    return column.name != "owner" and isinstance(column.type, Text | LargeBinary)


def added_up(log: Log) -> dict[str, int]:
    """The bytes of each owner, added up over all rows."""
    found: dict[str, int] = {}
    with log.database.reader.begin() as connection:
        owners = dict(connection.execute(select(runs.c.id, runs.c.owner)).all())
        for table in metadata.sorted_tables:
            if table.name in ("kept_bytes", "reservations"):
                continue
            for row in connection.execute(select(table)).mappings():
                owner = row.get("owner") or owners[row[OF_RUN[table.name]]]
                values = [row[column.name] or b"" for column in table.c if is_counted(column)]
                size = sum(len(each.encode() if isinstance(each, str) else each) for each in values)
                found[owner] = found.get(owner, 0) + FIXED.get(table.name, 200) + size
    return found


def counted(log: Log) -> dict[str, int]:
    with log.database.reader.begin() as connection:
        rows = connection.execute(select(kept_bytes.c.owner, kept_bytes.c.bytes).where(kept_bytes.c.bytes != 0))
        return dict(rows.all())


def a_run(log: Log, owner: str, text: str = "octopus \N{OCTOPUS}") -> str:
    record = replace(finished().record(), owner=owner, text=text, status="ok")
    log.write(lambda connection: connection.execute(insert(runs), [to_row(record)]))
    return record.id


def fill(log: Log, owner: str) -> list[str]:
    own = OwnLog(log, owner)
    ids = [a_run(log, owner) for _ in range(3)]
    annotate(own, ids[0], Annotation(3, ("sea",), "n\N{LATIN SMALL LETTER O WITH DIAERESIS}te"))
    save_vote(own, Vote(ids[0], ids[1], "a", "b", Better.FIRST, blind=False))
    save_vote(own, Vote(ids[1], ids[2], "a", "b", Better.FIRST, blind=False))
    save_draft(own, DRAFT, f"draft of {owner}")
    save_experiment(own, EXPERIMENT, "longer " * 20)
    save_preset(own, "Mine", "preset")
    publish(own, capsule_of([finished().record()], kind=Kind.RUN, title="t", choices=Choices()))
    wait_for(lambda: find_draft(own.database, DRAFT))
    return ids


def with_events(log: Log, owner: str) -> str:
    run = Run(order(body=b"{}", owner=owner))
    log.begin(run)
    for number in range(600):
        run.take(TimedEvent("message", json.dumps({"n": number}), float(number)))
    run.finish(Outcome(Status.OK))
    log.end(run)
    return run.id


def test_every_insert_update_and_delete_is_counted_to_the_byte(log: Log) -> None:
    for owner in ("me", "them"):
        ids = [*fill(log, owner), with_events(log, owner)]
    assert counted(log) == added_up(log)
    own = OwnLog(log, "them")
    save_preset(own, "Mine", "another preset under the same name")
    annotate(own, ids[0], Annotation(notes="longer than before"))
    assert counted(log) == added_up(log)
    for run_id in ids:
        deleted = delete_run(own, run_id)
        assert counted(log) == added_up(log)
        restore_run(own, deleted)
        assert counted(log) == added_up(log)
    revoke(own, own_capsules(own.database)[0].id)
    assert forget(log, utc_now(-60)) > 0
    assert counted(log) == added_up(log)


def test_an_owner_who_deletes_everything_stores_nothing(log: Log) -> None:
    with_events(log, "me")
    fill(log, "me")
    assert counted(log)["me"] > 3_000

    def delete_all(connection: Connection) -> None:
        for table in (runs, *(each for each in metadata.sorted_tables if each not in (runs, kept_bytes))):
            connection.execute(table.delete())

    log.write(delete_all)
    assert counted(log) == {}


def test_rows_of_an_earlier_release_are_counted_on_opening(tmp_path: Path) -> None:
    gallery = Path(__file__).parent / "gallery"
    path = tmp_path / "log.sqlite3"
    path.write_bytes((gallery / "0.2.0.sqlite3").read_bytes())
    log = Log(f"sqlite:///{path}")
    assert counted(log) == added_up(log) != {}
    log.close()


@pytest.fixture
def small(url: str) -> Iterator[Log]:
    """A log with a quota of one megabyte per owner and two per network."""
    opened = Log(url, Limits(kept_mb=1, kept_mb_of_network=2))
    yield opened
    opened.close()


def test_at_the_quota_writes_are_refused_and_earlier_data_stays(small: Log) -> None:
    own, text = OwnLog(small, "me"), "x" * 600_000
    run_id = a_run(small, "me", text)
    save_preset(own, "Mine", "small")
    save_draft(own, DRAFT, "before")
    wait_for(lambda: find_draft(own.database, DRAFT))
    lines = list(export_runs(own.database))
    noise = replace(finished().record(), text=secrets.token_hex(800_000))
    shared = capsule_of([noise], kind=Kind.RUN, title="t", choices=Choices())
    for refused in (
        lambda: save_preset(own, "Mine", text),
        lambda: import_runs(own, lines),
        lambda: publish(own, shared),
    ):
        with pytest.raises(QuotaReached, match="of 1 MB: runs, drafts, presets and shared links"):
            refused()
    save_draft(own, DRAFT, text)
    small.write(lambda _connection: None)  # wait until posted work is done
    assert [preset.content for preset in list_presets(own.database)] == ["small"]
    assert find_draft(own.database, DRAFT) == "before"
    assert (count_runs(own.database), own_capsules(own.database)) == (1, [])
    assert counted(small) == added_up(small)
    # Deletions are never refused, and other owners are not affected.
    save_preset(OwnLog(small, "them"), "Mine", text)
    assert delete_run(own, run_id)
    save_preset(own, "Mine", text)


def test_no_run_begins_when_the_quota_is_used_up(small: Log) -> None:
    runner = Runner(small)
    endpoint = Endpoint("mine", OPENAI, Address("http://127.0.0.1:9/v1"))
    a_run(small, "me", "x" * 1_000_000)
    with pytest.raises(Refused, match="Delete some of them"):
        runner.start(order(endpoint, b"{}", owner="me"))
    run = runner.start(order(endpoint, b"{}", owner="them"))
    assert run.written.result(10) is None
    runner.shutdown()


def test_a_network_limits_what_its_owners_stored_since_yesterday(small: Log) -> None:
    text = "x" * 700_000
    for name in ("a", "b"):
        save_preset(OwnLog(small, name, "here"), "Mine", text)
    third = OwnLog(small, "c", "here")
    with pytest.raises(QuotaReached, match="The visitors of your network have stored 2 MB since yesterday"):
        save_preset(third, "Mine", text)
    assert small.storage_use("c", "here").warning() is None
    save_preset(OwnLog(small, "c", "there"), "Mine", text)
    small.write(lambda connection: connection.execute(kept_bytes.update().values(seen_at=utc_now(100_000))))
    save_preset(OwnLog(small, "d", "here"), "Mine", text)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (StorageUse(0, 10_000_000), None),
        (StorageUse(8_900_000, 10_000_000), None),
        (StorageUse(9_000_000, 10_000_000), "You store 9.0 of 10 MB"),
        (StorageUse(10_000_000, 10_000_000), "Stored data stays, but no further run or draft is stored."),
        (
            StorageUse(1, 10_000_000, 46_000_000, 50_000_000),
            "The visitors of your network have nearly used up their shared storage.",
        ),
        (
            StorageUse(1, 10_000_000, 50_000_000, 50_000_000),
            "Stored data stays, but no further run or draft is stored.",
        ),
    ],
)
def test_the_quota_warns_before_it_refuses(kept: StorageUse, expected: str | None) -> None:
    assert (expected in kept.warning()) if expected else kept.warning() is None


def test_the_usage_of_a_hundred_thousand_runs_is_one_row(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.sqlite3'}"
    Database(url).close()
    with closing(sqlite3.connect(tmp_path / "log.sqlite3")) as connection:
        plan = connection.execute("explain query plan select bytes from kept_bytes where owner = 'me'").fetchall()
        network = "select sum(bytes) from kept_bytes where network = 'n' and seen_at > 't'"
        of_network = connection.execute(f"explain query plan {network}").fetchall()
    assert "SEARCH kept_bytes USING INDEX" in plan[0][3]
    assert "SEARCH kept_bytes USING INDEX kept_bytes_of_a_network" in of_network[0][3]


@pytest.mark.parametrize(("kept_mb", "reads"), [(10_000, 1), (400, 3)])
def test_an_owners_usage_is_cached_far_from_the_limit(sqlite_url: str, kept_mb: int, reads: int) -> None:
    log = Log(sqlite_url, Limits(kept_mb=kept_mb))
    statements: list[str] = []
    event.listen(log.database.reader, "after_cursor_execute", lambda *parts: statements.append(parts[2].split()[0]))
    assert [log.refusal("me") for _ in range(3)] == [None, None, None]
    assert statements.count("SELECT") == reads
    log.close()
