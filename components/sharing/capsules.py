"""Stores capsules in the log's database for some days, each under a secret id.

The id permits reading; only the owner can list and revoke. Unknown, expired and revoked capsules are indistinguishable:
None.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, delete, func, insert, select

from components.log.database import Database
from components.log.owned import OwnedLog
from components.log.query import read_rows
from components.log.record import DAY_S, utc_now
from components.log.tables import capsules, owned
from components.sharing import sentences
from components.sharing.capsule import Capsule, read_capsule, to_bytes
from components.sharing.problem import LinkProblem

MAX_DAYS = 3_650.0
MAX_PER_OWNER = 1_000

_ID_BYTES = 16

# 128 bits in base64url: the last character holds only two bits.
_ID = re.compile("[A-Za-z0-9_-]{21}[AQgw]")


@dataclass(frozen=True)
class Published:
    """A readable capsule, without its content. ``size`` is in bytes, both times are UTC.

    ``has_card``: programs that read the link's page, without running it, find the capsule's card.
    """

    id: str
    kind: str
    title: str
    created_at: str
    expires_at: str
    size: int
    has_card: bool = False


def publish(
    log: OwnedLog,
    capsule: Capsule,
    days: float = 30.0,
    *,
    keeps_reproductions: bool = False,
    has_card: bool = False,
    limit: int = MAX_PER_OWNER,
) -> Published:
    """Store a capsule as the owner's for ``days``; its id permits reading.

    ``keeps_reproductions`` stores the verdicts of visitors who reproduce it. An owner may have ``limit`` at a time.
    Raises LinkProblem when the capsule is too large, when the owner has too many or when the days are invalid, and
    DatabaseUnavailable.
    """
    if not 0.0 < days <= MAX_DAYS:
        raise LinkProblem(sentences.TOO_MANY_DAYS.format(days=days, max_days=MAX_DAYS))
    content = to_bytes(capsule)
    published = Published(
        id=secrets.token_urlsafe(_ID_BYTES),
        kind=capsule.kind.value,
        title=capsule.title,
        created_at=utc_now(),
        expires_at=utc_now(-days * DAY_S),
        size=len(content),
        has_card=has_card,
    )
    is_own = owned(capsules, log.owner)

    def work(connection: Connection) -> None:
        connection.execute(delete(capsules).where(is_own, capsules.c.expires_at <= published.created_at))
        count = connection.execute(select(func.count()).select_from(capsules).where(is_own)).scalar_one()
        if count >= limit:
            raise LinkProblem(sentences.TOO_MANY_LINKS.format(limit=limit))
        row: dict[str, object] = {name: value for name, value in vars(published).items() if name != "size"}
        connection.execute(
            insert(capsules),
            {**row, "owner": log.owner, "content": content, "keeps_reproductions": keeps_reproductions},
        )

    log.write(work)
    return published


def open_capsule(database: Database, capsule_id: str) -> Capsule | None:
    """The capsule of that id, of any owner; None when it is unknown, expired or revoked, or the id is invalid.

    Raises QueryFailed, and LinkProblem when the capsule is damaged or of a newer version.
    """
    content = _readable(database, capsule_id, capsules.c.content)
    return None if content is None else read_capsule(content)


def can_be_opened(database: Database, capsule_id: str) -> bool:
    """Whether there is a capsule of that id now. Raises QueryFailed."""
    return _readable(database, capsule_id, capsules.c.id) is not None


def has_card(database: Database, capsule_id: str) -> bool:
    """Whether the capsule of that id can be opened, and its owner wants a card. Raises QueryFailed."""
    return bool(_readable(database, capsule_id, capsules.c.has_card))


def _readable(database: Database, capsule_id: str, column: Column[Any]) -> Any:
    """The value in a column of a capsule that can be opened; None without one."""
    # Other texts are not queried: PostgreSQL refuses some of them.
    if _ID.fullmatch(capsule_id) is None:
        return None
    statement = select(column).where(capsules.c.id == capsule_id, capsules.c.expires_at > utc_now())
    rows = read_rows(database, statement)
    return rows[0][column.name] if rows else None


def own_capsules(database: Database, limit: int = MAX_PER_OWNER) -> list[Published]:
    """The owner's readable capsules, newest first, up to a limit. Raises QueryFailed."""
    columns = [capsules.c[name] for name in ("id", "kind", "title", "created_at", "expires_at", "has_card")]
    statement = (
        select(*columns, func.length(capsules.c.content).label("size"))
        .where(owned(capsules, database.owner), capsules.c.expires_at > utc_now())
        .order_by(capsules.c.created_at.desc(), capsules.c.id.desc())
        .limit(limit)
    )
    return [Published(**row) for row in read_rows(database, statement)]


def revoke(log: OwnedLog, capsule_id: str) -> dict[str, Any] | None:
    """Delete a capsule of the owner at once; returns its row, None without one. Raises DatabaseUnavailable."""
    if _ID.fullmatch(capsule_id) is None:
        return None
    statement = delete(capsules).where(capsules.c.id == capsule_id, owned(capsules, log.owner)).returning(capsules)

    def work(connection: Connection) -> dict[str, Any] | None:
        row = connection.execute(statement).mappings().one_or_none()
        return dict(row) if row else None

    return log.write(work)


def restore(log: OwnedLog, revoked: dict[str, Any]) -> None:
    """Make the link of a revoked capsule work again, without its visitors' verdicts. Raises DatabaseUnavailable."""
    log.write(lambda connection: connection.execute(insert(capsules), revoked))
