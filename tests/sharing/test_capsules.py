"""Capsules in the database: found by their id only, until they are revoked or expire."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, insert, select, update

from components.log import retention
from components.log.annotations import Annotation, annotate
from components.log.database import DatabaseUnavailable
from components.log.deletion import delete_run
from components.log.log import Log
from components.log.owned import OwnLog
from components.log.query import QueryFailed, events_of, find_run
from components.log.record import utc_now
from components.log.retention import delete_old
from components.log.tables import capsules, metadata, reproductions, runs, to_row
from components.sharing import capsules as module
from components.sharing.capsules import open_capsule, own_capsules, publish, revoke
from components.sharing.freezing import Choices
from components.sharing.problem import LinkProblem
from components.sharing.reproductions import save_verdict, stored_verdicts
from tests.sharing.records import RUN_ID, a_capsule, a_record

DAY_S = 86_400.0
NO_ID = "A" * 22

NO_IDS = [
    *("", ":id", "0", "None", "null", "%00", "\0" * 22, "%", "_" * 22, "%" * 22, "*", "?", "x" * 10_000, "x" * 22),
    *("' or 1=1 --           ", "'; drop table capsules", "A" * 21 + "\n", " " + "A" * 21, "A" * 22 + "\n", "é" * 22),
    *("٣" * 22, "A" * 21 + "_", "A" * 21 + "-", "\ud800" * 22, "A" * 21 + "=", RUN_ID),
]


def later(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    monkeypatch.setattr(module, "utc_now", lambda ago_s=0.0: utc_now(ago_s - days * DAY_S))


def rows(log: Log) -> int:
    return log.write(lambda connection: connection.execute(select(func.count()).select_from(capsules)).scalar_one())


def test_anyone_with_the_id_can_read_a_capsule(log: Log) -> None:
    capsule = a_capsule()
    published = publish(OwnLog(log, "me"), capsule)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", published.id)
    for owner in ("me", "them", ""):
        assert open_capsule(log.database.owned_by(owner), published.id) == capsule


def test_ids_are_random_over_all_characters(log: Log) -> None:
    ids = [publish(log, a_capsule(choices=Choices(events=False))).id for _ in range(60)]
    assert len(set(ids)) == 60
    assert len(set("".join(ids)) & set(string.ascii_letters + string.digits + "-_")) > 55


def test_an_invalid_id_finds_nothing_without_a_query(log: Log) -> None:
    publish(log, a_capsule())
    statements: list[str] = []
    event.listen(log.database.reader, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    assert [each for each in NO_IDS if open_capsule(log.database, each) is not None] == []
    assert statements == []
    assert [each for each in NO_IDS if revoke(log, each)] == []
    assert rows(log) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.text(max_size=30) | st.text("AQgw_-", min_size=22, max_size=22))
def test_only_its_id_finds_a_capsule(log: Log, text: str) -> None:
    assert open_capsule(log.database, text) is None


def test_an_id_is_matched_exactly(log: Log) -> None:
    published = publish(log, a_capsule())
    assert open_capsule(log.database, published.id.swapcase()) is None
    assert open_capsule(log.database, published.id[:-1]) is None


def test_unknown_expired_and_revoked_links_look_the_same(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    expired, revoked = publish(log, a_capsule()), publish(log, a_capsule())
    assert revoke(log, revoked.id)
    later(monkeypatch, 30.1)
    statements: list[object] = []
    event.listen(log.database.reader, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    found = [open_capsule(log.database, each) for each in (NO_ID, expired.id, revoked.id)]
    assert found == [None, None, None]
    queries = [query for query in statements if "capsules" in query]
    assert len(queries) == 3
    assert len(set(queries)) == 1


def test_a_link_expires_after_thirty_days_or_the_chosen_time(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    published, short = publish(log, a_capsule()), publish(log, a_capsule(), 0.5)
    assert open_capsule(log.database, short.id)
    later(monkeypatch, 0.51)
    assert open_capsule(log.database, short.id) is None
    assert [each.id for each in own_capsules(log.database)] == [published.id]
    later(monkeypatch, 29.9)
    assert open_capsule(log.database, published.id)
    later(monkeypatch, 30.1)
    assert open_capsule(log.database, published.id) is None
    assert own_capsules(log.database) == []


def test_invalid_days_are_refused(log: Log) -> None:
    for days in (0.0, -1.0, float("nan"), float("inf"), 1e9):
        with pytest.raises(LinkProblem, match=r"^A link cannot be kept for .* days\. Choose up to 3650\.$"):
            publish(log, a_capsule(), days)


def test_owners_list_and_revoke_only_their_own_capsules(log: Log) -> None:
    mine, theirs = OwnLog(log, "me"), OwnLog(log, "them")
    first = publish(mine, a_capsule(title="First"))
    second = publish(mine, a_capsule(title="Sec\0ond"))
    other = publish(theirs, a_capsule(title="Other"))
    assert own_capsules(mine.database) == [second, first]
    assert own_capsules(mine.database, 1) == [second]
    assert own_capsules(theirs.database) == [other]
    assert own_capsules(log.database) == []
    assert (second.kind, second.title, first.title) == ("run", "Sec\ufffdond", "First")
    assert not revoke(theirs, first.id)
    assert open_capsule(theirs.database, first.id)
    assert revoke(mine, first.id)
    assert not revoke(mine, first.id)
    assert open_capsule(mine.database, first.id) is None
    assert own_capsules(mine.database) == [second]
    assert rows(log) == 2


def test_the_size_is_that_of_the_stored_content(log: Log) -> None:
    published = publish(log, a_capsule())
    content = log.write(lambda connection: connection.execute(select(capsules.c.content)).scalar_one())
    assert len(content) == published.size == own_capsules(log.database)[0].size


def test_capsules_are_limited_per_owner(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = OwnLog(log, "me")
    kept = [publish(mine, a_capsule(), 1.0 + number, limit=2) for number in range(2)]
    with pytest.raises(LinkProblem, match=r"^2 links are shared already, which is the limit\. Revoke one first\.$"):
        publish(mine, a_capsule(), limit=2)
    publish(OwnLog(log, "them"), a_capsule(), limit=2)
    assert revoke(mine, kept[1].id)
    publish(mine, a_capsule(), limit=2)
    # Expired capsules do not count and are deleted.
    later(monkeypatch, 1.1)
    publish(mine, a_capsule(), limit=2)
    assert rows(log) == 3


def test_a_capsule_is_unchanged_when_its_run_is_changed_or_deleted(log: Log) -> None:
    record = a_record(owner=log.owner)
    log.write(lambda connection: connection.execute(insert(runs), [to_row(record)]))
    annotate(log, RUN_ID, Annotation(notes="first"))
    capsule = a_capsule(
        find_run(log.database, RUN_ID),
        annotations={RUN_ID: Annotation(notes="first")},
        choices=Choices(notes=True),
        events={RUN_ID: events_of(log.database, RUN_ID)},
    )
    published = publish(log, capsule)
    annotate(log, RUN_ID, Annotation(notes="second"))
    changed = update(runs).where(runs.c.id == RUN_ID).values(text="other")
    log.write(lambda connection: connection.execute(changed))
    assert open_capsule(log.database, published.id) == capsule
    assert delete_run(log, RUN_ID)
    assert open_capsule(log.database, published.id) == capsule


def test_expired_capsules_of_all_owners_are_deleted_in_steps(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = publish(OwnLog(log, "them"), a_capsule(), 90.0)
    row = {"kind": "run", "title": "", "content": b"x", "created_at": utc_now(), "expires_at": utc_now(-DAY_S)}
    many = [{**row, "id": f"{number:022}", "owner": f"{number % 7}"} for number in range(1_500)]
    log.write(lambda connection: connection.execute(insert(capsules), many))
    count = rows(log)
    assert log.write(lambda connection: delete_old(connection, None))
    assert rows(log) == count
    monkeypatch.setattr(retention, "utc_now", lambda ago_s=0.0: utc_now(ago_s - 2.0 * DAY_S))
    assert [log.write(lambda connection: delete_old(connection, None)) for _ in range(2)] == [False, True]
    assert rows(log) == count - 1_500
    assert open_capsule(log.database, kept.id)


def test_damaged_content_gives_a_sentence(log: Log) -> None:
    published = publish(log, a_capsule())
    for content in (b"", b"x", b"x\x9c" * 99):
        damage = update(capsules).values(content=content)
        log.write(lambda connection, damage=damage: connection.execute(damage))
        with pytest.raises(LinkProblem, match=r"^This shared content is damaged\."):
            open_capsule(log.database, published.id)
    assert own_capsules(log.database)[0].id == published.id
    assert revoke(log, published.id)


def test_a_failing_database_is_reported(log: Log) -> None:
    log.write(lambda connection: metadata.drop_all(connection, [reproductions, capsules]))
    for read in (lambda: open_capsule(log.database, NO_ID), lambda: own_capsules(log.database)):
        with pytest.raises(QueryFailed, match="cannot be read"):
            read()
    for write in (lambda: publish(log, a_capsule()), lambda: revoke(log, NO_ID)):
        with pytest.raises(DatabaseUnavailable, match="cannot be written"):
            write()


def test_verdicts_are_stored_on_request_and_while_the_link_works(log: Log) -> None:
    me, visitor = OwnLog(log, "me"), OwnLog(log, "them")
    kept, other = (publish(me, a_capsule(), keeps_reproductions=wanted).id for wanted in (True, False))
    save_verdict(visitor, kept, "identical")
    save_verdict(visitor, other, "identical")
    verdicts = stored_verdicts(log.database, kept)
    assert verdicts
    assert verdicts.counts == {"identical": 1}
    assert stored_verdicts(log.database, other) is None
    revoke(me, kept)
    save_verdict(visitor, kept, "changed")
    assert stored_verdicts(log.database, kept) is None
