"""Automatic deletion, in small steps.

Deletes runs past their retention, abandoned drafts, and expired capsules.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, tuple_

from components.log.record import DAY_S, utc_now
from components.log.tables import ENDED, WHOLE_LOG, capsules, drafts, experiments, runs

DELETE_AT_ONCE = 1_000
_KEEP_DRAFTS_DAYS = 30.0


def delete_runs_before(connection: Connection, before: str) -> int:
    """Delete finished runs that began before a time, with their events; returns their number, at most 1,000."""
    oldest = (
        select(runs.c.id).where(runs.c.created_at < before, ENDED).order_by(runs.c.created_at).limit(DELETE_AT_ONCE)
    )
    return connection.execute(delete(runs).where(runs.c.id.in_(oldest)), execution_options=WHOLE_LOG).rowcount


def delete_old(connection: Connection, run_days: float | None) -> bool:
    """Delete one batch of runs and experiments older than ``run_days`` (None: never), old drafts, expired capsules.

    Returns whether nothing is left to delete.
    """
    old_drafts = select(*drafts.primary_key).where(drafts.c.updated_at < utc_now(_KEEP_DRAFTS_DAYS * DAY_S))
    gone_drafts = delete(drafts).where(tuple_(*drafts.primary_key).in_(old_drafts.limit(DELETE_AT_ONCE)))
    expired = select(capsules.c.id).where(capsules.c.expires_at <= utc_now()).limit(DELETE_AT_ONCE)
    gone = gone_drafts, delete(capsules).where(capsules.c.id.in_(expired))
    deleted = [connection.execute(statement, execution_options=WHOLE_LOG).rowcount for statement in gone]
    if run_days is not None:
        before = utc_now(run_days * DAY_S)
        deleted.append(delete_runs_before(connection, before))
        key = experiments.primary_key
        old_experiments = select(*key).where(experiments.c.created_at < before)
        gone_experiments = delete(experiments).where(tuple_(*key).in_(old_experiments.limit(DELETE_AT_ONCE)))
        deleted.append(connection.execute(gone_experiments, execution_options=WHOLE_LOG).rowcount)
    return max(deleted) < DELETE_AT_ONCE
