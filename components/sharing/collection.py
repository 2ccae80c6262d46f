"""Makes a collection of links, and opens the links of one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pydantic import ValidationError

from components import __version__
from components.log.database import Database
from components.log.storable import storable_text
from components.sharing import sentences
from components.sharing.capsule import (
    MAX_ENTRIES,
    MAX_NOTE_CHARS,
    MAX_TITLE_CHARS,
    Capsule,
    Entry,
    Kind,
    to_bytes,
)
from components.sharing.capsules import open_capsule
from components.sharing.problem import LinkProblem


def collection_of(title: str, linked: Sequence[tuple[str, str]], end: str = "") -> Capsule:
    """A collection of links in order, each by its id and with the note before it; ``end`` is the last note.

    Raises LinkProblem for no link, and for too many.
    """
    if len(linked) > MAX_ENTRIES:
        raise LinkProblem(sentences.TOO_MANY_ENTRIES.format(limit=MAX_ENTRIES))
    entries = [Entry(note=_note(note), link=link) for link, note in linked]
    try:
        return Capsule(
            kind=Kind.COLLECTION,
            title=" ".join(storable_text(title).split())[:MAX_TITLE_CHARS],
            app_version=__version__,
            entries=(*entries, *([Entry(note=_note(end))] if end.strip() else [])),
        )
    except ValidationError:
        raise LinkProblem(sentences.NOTHING_TO_COLLECT) from None


def check_size(database: Database, collection: Capsule) -> None:
    """Raise LinkProblem when the links together hold more than one may: whoever opens the collection opens all of them.

    Raises QueryFailed, too.
    """
    to_bytes(with_links_opened(database, collection))


def with_links_opened(database: Database, capsule: Capsule) -> Capsule:
    """The capsule; if it is a collection, with the capsules of its links. Raises QueryFailed.

    An entry has none when its link is revoked or expired, and when what it holds cannot be read. Copies of a file stay.
    """
    if capsule.kind is not Kind.COLLECTION:
        return capsule
    return capsule.model_copy(update={"entries": tuple(_opened(database, entry) for entry in capsule.entries)})


def _opened(database: Database, entry: Entry) -> Entry:
    if entry.capsule or not entry.link:
        return entry
    capsule = None
    with suppress(LinkProblem):
        capsule = open_capsule(database, entry.link)
    usable = capsule if capsule and capsule.kind is not Kind.COLLECTION else None
    return entry.model_copy(update={"capsule": usable})


def _note(text: str) -> str:
    return storable_text(text)[:MAX_NOTE_CHARS]
