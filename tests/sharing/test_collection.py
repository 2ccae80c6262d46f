"""Collections: several links with notes, without the content of revoked links."""

from __future__ import annotations

import pytest

from components.log.log import Log
from components.sharing.capsule import MAX_ENTRIES, MAX_JSON_BYTES, Capsule, read_capsule, to_bytes
from components.sharing.capsule_file import data_blocks, read_capsule_file
from components.sharing.capsules import open_capsule, publish, restore, revoke
from components.sharing.collection import check_size, collection_of, with_links_opened
from components.sharing.problem import LinkProblem
from components.sharing.signing import SignatureState
from tests.sharing.records import a_capsule, a_record


def opened(log: Log, capsule_id: str) -> list[Capsule | None]:
    """The capsules of a stored collection's links."""
    found = open_capsule(log.database, capsule_id)
    return [entry.capsule for entry in with_links_opened(log.database, found).entries if entry.link]


def test_a_collection_contains_only_links_and_notes(log: Log) -> None:
    link = publish(log, a_capsule()).id
    made = collection_of("Two\n words", [(link, "**First**"), (link, "")], "The end \0")
    assert read_capsule(to_bytes(made)) == made
    assert made.title == "Two words"
    assert [(entry.note, entry.link) for entry in made.entries] == [
        ("**First**", link),
        ("", link),
        ("The end \ufffd", None),
    ]
    assert b"Hello there" not in to_bytes(made)


def test_a_revoked_link_is_missing_until_it_is_restored(log: Log) -> None:
    first, second = publish(log, a_capsule(title="First")), publish(log, a_capsule(title="Second"))
    collection = publish(log, collection_of("", [(first.id, ""), (second.id, "")])).id
    assert opened(log, collection) == [a_capsule(title="First"), a_capsule(title="Second")]
    gone = revoke(log, first.id)
    assert opened(log, collection) == [None, a_capsule(title="Second")]
    restore(log, gone)
    assert None not in opened(log, collection)


def test_a_collection_in_a_collection_is_not_opened(log: Log) -> None:
    inner = publish(log, collection_of("", [(publish(log, a_capsule()).id, "")])).id
    assert opened(log, publish(log, collection_of("", [(inner, "")])).id) == [None]


def test_a_file_has_copies_that_outlive_a_revoked_link(log: Log) -> None:
    link, other = publish(log, a_capsule()).id, publish(log, a_capsule()).id
    revoke(log, other)
    full = with_links_opened(log.database, collection_of("Mine", [(link, "Note"), (other, "")]))
    file = data_blocks(full, log).encode()
    revoke(log, link)
    read = read_capsule_file(file, log.database)
    assert read.capsule == full
    assert read.capsule.parts == (a_capsule(),)
    assert read.signature.state is SignatureState.OWN
    assert with_links_opened(log.database, read.capsule) == full


def test_an_impossible_value_in_a_collection_is_refused(log: Log) -> None:
    link = publish(log, a_capsule()).id
    file = data_blocks(with_links_opened(log.database, collection_of("", [(link, "")])), log)
    with pytest.raises(LinkProblem, match="no run has such a value as dialect"):
        read_capsule_file(file.replace('"beezy"', '"klingon"').encode(), log.database)


def test_links_too_large_together_are_refused(log: Log) -> None:
    link = publish(log, a_capsule(a_record(text="x" * (MAX_JSON_BYTES * 2 // 5)))).id
    check_size(log.database, collection_of("", [(link, "")] * 2))
    with pytest.raises(LinkProblem, match="more than can be shared at once"):
        check_size(log.database, collection_of("", [(link, "")] * 3))


def test_no_links_and_too_many_links_are_refused() -> None:
    with pytest.raises(LinkProblem, match="needs a link"):
        collection_of("Mine", [])
    with pytest.raises(LinkProblem, match="at most 20 links"):
        collection_of("Mine", [("A" * 22, "")] * (MAX_ENTRIES + 1))
