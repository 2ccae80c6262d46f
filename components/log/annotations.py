"""Annotations of runs: stars, tags, notes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from components.log.database import Database
from components.log.owned import OwnedLog
from components.log.query import is_id, read_rows
from components.log.record import utc_now
from components.log.storable import storable_text
from components.log.tables import owned, run_annotations, runs

MAX_CHARACTERS = 20_000
_MAX_TAG_CHARS = 60


@dataclass(frozen=True)
class Annotation:
    """``rating`` is 1 to 5 stars, or None; a tag is one line."""

    rating: int | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""


def annotation_of(database: Database, run_id: str) -> Annotation:
    """The annotation of a run, empty when it has none. Raises QueryFailed."""
    of_run = (run_annotations.c.run_id == run_id) & owned(run_annotations, database.owner)
    statement = select(run_annotations).where(of_run)
    for row in read_rows(database, statement) if is_id(run_id) else []:
        return Annotation(row["rating"], tags_in(row["tags"]), row["notes"])
    return Annotation()


def tags_in(lines: str | None) -> tuple[str, ...]:
    """The tags as stored in a row."""
    return tuple((lines or "").splitlines())


def annotate(log: OwnedLog, run_id: str, annotation: Annotation) -> None:
    """Replace the annotation of a run. Raises DatabaseUnavailable.

    Does nothing for a run that the owner does not have.
    """
    tags = dict.fromkeys(" ".join(tag.split())[:_MAX_TAG_CHARS] for tag in annotation.tags)
    row = {
        "run_id": run_id,
        "rating": annotation.rating,
        "tags": storable_text("\n".join(tag for tag in tags if tag)),
        "notes": storable_text(annotation.notes[:MAX_CHARACTERS]),
        "changed_at": utc_now(),
    }

    def work(connection: Connection) -> None:
        if not connection.execute(select(runs.c.id).where(runs.c.id == run_id, owned(runs, log.owner))).first():
            return
        of_run = (run_annotations.c.run_id == run_id) & owned(run_annotations, log.owner)
        connection.execute(delete(run_annotations).where(of_run))
        if annotation != Annotation():
            connection.execute(insert(run_annotations), row)

    log.write(work)
