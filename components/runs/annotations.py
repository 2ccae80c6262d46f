"""What people say about a run: stars, tags, notes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from components.runs.database import Database
from components.runs.log import Log
from components.runs.query import is_id, read_rows
from components.runs.run import utc_now
from components.runs.storable import storable_text
from components.runs.tables import run_annotations, runs

MOST_CHARACTERS = 20_000
_MOST_OF_A_TAG = 60


@dataclass(frozen=True)
class Annotation:
    """``rating`` is 1 to 5 stars, or None; a tag is one line."""

    rating: int | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""


def annotation_of(database: Database, run_id: str) -> Annotation:
    """What is said about that run; nothing is said about most. Raises QueryFailed."""
    statement = select(run_annotations).where(run_annotations.c.run_id == run_id)
    for row in read_rows(database, statement) if is_id(run_id) else []:
        return Annotation(row["rating"], tags_in(row["tags"]), row["notes"])
    return Annotation()


def tags_in(lines: str | None) -> tuple[str, ...]:
    """The tags as a row has them."""
    return tuple((lines or "").splitlines())


def annotate(log: Log, run_id: str, annotation: Annotation) -> None:
    """Say this about a run, in place of what was said before. Raises DatabaseUnavailable.

    Nothing happens to a run that the log does not have.
    """
    tags = dict.fromkeys(" ".join(tag.split())[:_MOST_OF_A_TAG] for tag in annotation.tags)
    row = {
        "run_id": run_id,
        "rating": annotation.rating,
        "tags": storable_text("\n".join(tag for tag in tags if tag)),
        "notes": storable_text(annotation.notes[:MOST_CHARACTERS]),
        "changed_at": utc_now(),
    }

    def work(connection: Connection) -> None:
        connection.execute(delete(run_annotations).where(run_annotations.c.run_id == run_id))
        if annotation != Annotation() and connection.execute(select(runs.c.id).where(runs.c.id == run_id)).first():
            connection.execute(insert(run_annotations), row)

    log.write(work)
