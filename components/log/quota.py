"""The stored bytes of each owner, and their limits.

Database triggers count along with each row, in its transaction, so that all processes agree and no write or delete can
be missed. An active run is counted and never cut; the next run is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, func, select

from components.log import sentences
from components.log.database import DatabaseUnavailable
from components.log.record import DAY_S, utc_now
from components.log.tables import WHOLE_LOG, kept_bytes, upsert
from components.streaming.limits import Limits

T = TypeVar("T")

_MB = 1_000_000
_NEARLY = 0.9
_STORED = "runs, drafts, presets and shared links"


class QuotaReached(DatabaseUnavailable):
    """The owner's quota is used up. The message says what to do."""


@dataclass(frozen=True)
class StorageUse:
    """An owner's stored bytes and limit; the same for their network, when networks are distinguished."""

    used: int
    limit: int
    network_used: int = 0
    network_limit: int = 0

    @property
    def is_full(self) -> bool:
        """Whether the quota is used up."""
        return self.used >= self.limit or self._network_is(1.0)

    @property
    def free(self) -> int:
        """The bytes that are left of the owner's quota, or of the network's where that is less."""
        free = self.limit - self.used
        return min(free, self.network_limit - self.network_used) if self.network_limit else free

    def in_words(self) -> str:
        """The use and the limit, as a sentence."""
        return sentences.STORED.format(used=f"{self.used / _MB:,.1f}", limit=self.limit // _MB, what=_STORED)

    def warning(self) -> str | None:
        """A sentence when the quota is nearly used up, and another when it is used up."""
        if self.is_full:
            return sentences.STORAGE_USED_UP.format(full=self._full(), remedy=self._remedy())
        if self.used >= _NEARLY * self.limit:
            return sentences.STORAGE_NEARLY_USED_UP.format(stored=self.in_words(), remedy=self._remedy())
        if self._network_is(_NEARLY):
            return sentences.NETWORK_STORAGE_NEARLY_USED_UP.format(remedy=self._remedy())
        return None

    def refusal(self) -> str:
        """The reason for a refusal, and what to do."""
        return sentences.NOT_STORED.format(full=self._full(), remedy=self._remedy())

    def _network_is(self, part: float) -> bool:
        return bool(self.network_limit) and self.network_used >= part * self.network_limit

    def _full(self) -> str:
        if self.used >= self.limit:
            return self.in_words()
        limit = f"{self.network_limit // _MB:,} MB"
        return sentences.NETWORK_STORAGE_USED_UP.format(limit=limit)

    def _remedy(self) -> str:
        return sentences.DELETE_OR_COME_BACK if self._network_is(_NEARLY) else sentences.DELETE_SOME


def storage_use_of(connection: Connection, limits: Limits, owner: str, network: str | None) -> StorageUse:
    """The storage use and quota of an owner on that network."""
    of_owner = select(kept_bytes.c.bytes).where(kept_bytes.c.owner == owner)
    use = StorageUse(connection.execute(of_owner).scalar() or 0, limits.kept_mb * _MB)
    if network is None or not limits.kept_mb_of_network:
        return use
    recent = (kept_bytes.c.network == network) & (kept_bytes.c.seen_at > utc_now(DAY_S))
    of_network = select(func.sum(kept_bytes.c.bytes)).where(recent).execution_options(**WHOLE_LOG)
    network_used = int(connection.execute(of_network).scalar() or 0)
    return StorageUse(use.used, use.limit, network_used, limits.kept_mb_of_network * _MB)


def note_network(connection: Connection, owner: str, network: str) -> None:
    """Note the owner's current network: their bytes count there for a day."""
    row = {"owner": owner, "network": network, "seen_at": utc_now()}
    connection.execute(upsert(connection.dialect.name, kept_bytes, leave=("bytes",)), {**row, "bytes": 0})


def within_quota(
    connection: Connection, limits: Limits, owner: str, network: str | None, work: Callable[[Connection], T]
) -> T:
    """Do the work. Raises QuotaReached when it exceeds the quota; the caller must then roll back."""
    if network is not None:
        note_network(connection, owner, network)
    before = storage_use_of(connection, limits, owner, network)
    result = work(connection)
    after = storage_use_of(connection, limits, owner, network)
    if after.used > before.used and after.is_full:
        raise QuotaReached(after.refusal())
    return result
