"""Stores the verdicts of visitors who sent the requests of a capsule again, if the capsule's owner collects them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from components.log.database import Database
from components.log.owned import OwnedLog
from components.log.query import read_rows
from components.log.record import utc_now
from components.log.tables import capsules, reproductions

_MAX_KEPT = 1_000
"""The newest of a capsule."""


@dataclass(frozen=True)
class StoredVerdicts:
    """The number of reproductions with each verdict, and the time of the last one, in UTC."""

    counts: dict[str, int]
    last_at: str


def save_verdict(log: OwnedLog, capsule_id: str, verdict: str) -> None:
    """Keep a verdict on a capsule of any owner, if it keeps them and can be opened. Raises DatabaseUnavailable."""

    def work(connection: Connection) -> None:
        is_readable = (capsules.c.id == capsule_id) & (capsules.c.expires_at > utc_now())
        if not connection.execute(select(capsules.c.keeps_reproductions).where(is_readable)).scalar():
            return
        row = {"id": uuid.uuid4().hex, "capsule_id": capsule_id, "created_at": utc_now(), "verdict": verdict}
        connection.execute(insert(reproductions), row)
        newest = (
            select(reproductions.c.id)
            .where(reproductions.c.capsule_id == capsule_id)
            .order_by(reproductions.c.created_at.desc())
            .limit(_MAX_KEPT)
        )
        surplus = (reproductions.c.capsule_id == capsule_id) & reproductions.c.id.not_in(newest)
        connection.execute(delete(reproductions).where(surplus))

    log.write(work)


def stored_verdicts(database: Database, capsule_id: str) -> StoredVerdicts | None:
    """The reproductions of a capsule; None when none are kept. Raises QueryFailed."""
    statement = (
        select(
            reproductions.c.verdict,
            func.count().label("count"),
            func.max(reproductions.c.created_at).label("last_at"),
        )
        .where(reproductions.c.capsule_id == capsule_id)
        .group_by(reproductions.c.verdict)
        .order_by(reproductions.c.verdict)
    )
    rows = read_rows(database, statement)
    if not rows:
        return None
    return StoredVerdicts({row["verdict"]: row["count"] for row in rows}, max(row["last_at"] for row in rows))
