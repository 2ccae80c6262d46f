"""The log per owner. Each visitor finds, changes and deletes only their own rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from sqlalchemy import Connection

from components.log import sentences
from components.log.database import Database
from components.log.log import Log
from components.log.query import QueryFailed
from components.log.quota import QuotaReached, StorageUse, within_quota
from components.log.unwritten import LoggedRun

T = TypeVar("T")


@dataclass(frozen=True)
class OwnLog:
    """The log of one of several owners."""

    log: Log
    owner: str
    network: str | None = None
    """The owner's network, for limits."""

    @property
    def database(self) -> Database | None:
        """The database with the owner's rows only; None while it is unavailable."""
        database = self.log.database
        return database.owned_by(self.owner) if database else None

    @property
    def readable(self) -> Database:
        """The database with the owner's rows only. Raises QueryFailed while it is unavailable."""
        if database := self.database:
            return database
        raise QueryFailed(sentences.UNAVAILABLE)

    def storage_use(self) -> StorageUse | None:
        """The owner's storage use and quota; None while it cannot be read."""
        return self.log.storage_use(self.owner, self.network)

    def live(self, run_id: str) -> LoggedRun | None:
        """The owner's run of that id until the log has written it completely."""
        run = self.log.live(run_id)
        return run if run and run.owner == self.owner else None

    def write(self, work: Callable[[Connection], T]) -> T:
        """Like ``Log.write``. Raises QuotaReached, too, when the owner's quota would be exceeded."""
        return self.log.write(lambda connection: self._within_quota(connection, work))

    def post(self, subject: str, work: Callable[[Connection], object]) -> None:
        """Like ``Log.post``; another owner's subject of the same name is separate.

        Work that would exceed the owner's quota is dropped.
        """

        def do(connection: Connection) -> None:
            with suppress(QuotaReached), connection.begin_nested():
                self._within_quota(connection, work)

        self.log.post(f"{self.owner} {subject}", do)

    def _within_quota(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        return within_quota(connection, self.log.limits, self.owner, self.network, work)


OwnedLog: TypeAlias = Log | OwnLog
"""The log of one owner."""
