"""Deletes runs from the log: one that can be restored, or all runs of a view in steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select

from components.log.database import Database
from components.log.owned import OwnedLog
from components.log.query import is_id, read_rows
from components.log.retention import DELETE_AT_ONCE
from components.log.tables import ENDED, WHOLE_LOG, events, owned, owned_runs, run_annotations, runs, votes
from components.log.view import View, quick_conditions


@dataclass(frozen=True)
class DeletedRun:
    """Everything that the log held of a run, to restore it."""

    run_id: str
    rows: dict[str, list[dict[str, Any]]] = field(repr=False)


def delete_run(log: OwnedLog, run_id: str) -> DeletedRun | None:
    """Delete an ended run; returns it, or None when there is no such run. Raises DatabaseUnavailable."""
    if not is_id(run_id):
        return None

    def work(connection: Connection) -> DeletedRun | None:
        own = (runs.c.id == run_id) & owned(runs, log.owner)
        logged = connection.execute(select(runs).where(own, ENDED)).mappings().one_or_none()
        if logged is None:
            return None
        related = {
            events: events.c.run_id == run_id,
            run_annotations: run_annotations.c.run_id == run_id,
            votes: or_(votes.c.first_run == run_id, votes.c.second_run == run_id),
        }
        rows = {runs.name: [dict(logged)]}
        for table, condition in related.items():
            related_rows = connection.execute(select(table).where(condition, owned(table, log.owner)))
            rows[table.name] = [dict(row) for row in related_rows.mappings()]
        connection.execute(delete(runs).where(own))
        return DeletedRun(run_id, rows)

    return log.write(work)


def restore_run(log: OwnedLog, deleted: DeletedRun) -> None:
    """Restore a deleted run under its id, as the owner's. Raises DatabaseUnavailable.

    Votes between it and a run that was deleted since are not restored.
    """

    def work(connection: Connection) -> None:
        of_any_owner = select(runs.c.id).where(runs.c.id == deleted.run_id).execution_options(**WHOLE_LOG)
        if connection.execute(of_any_owner).first():
            return
        connection.execute(insert(runs), [{**row, "owner": log.owner} for row in deleted.rows[runs.name]])
        for table in (events, run_annotations):
            if rows := deleted.rows[table.name]:
                connection.execute(insert(table), rows)
        for row in deleted.rows[votes.name]:
            pair = runs.c.id.in_([row["first_run"], row["second_run"]])
            logged_pair = select(runs.c.id).where(pair, owned(runs, log.owner))
            if len(connection.execute(logged_pair).all()) == len({row["first_run"], row["second_run"]}):
                connection.execute(insert(votes), row)

    log.write(work)


def delete_runs_of_view(log: OwnedLog, database: Database, view: View, at_once: int = DELETE_AT_ONCE) -> Iterator[int]:
    """Delete all ended runs of a view, a batch per step; yields the number deleted so far.

    Raises FilterProblem, QueryFailed, DatabaseUnavailable; earlier deletions are not undone.
    """
    deleted = 0
    ids = select(runs.c.id).where(ENDED, quick_conditions(database, view))
    while step := [row["id"] for row in read_rows(database, ids.limit(at_once))]:
        batch = delete(runs).where(owned_runs(log.owner, step))
        log.write(lambda connection, batch=batch: connection.execute(batch))  # type: ignore[misc]
        deleted += len(step)
        yield deleted
