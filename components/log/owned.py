"""The log per owner. Each visitor finds, changes and deletes only their own rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from components.log import sentences
from components.log.database import Database
from components.log.log import Log
from components.log.query import QueryFailed
from components.log.quota import StorageUse
from components.log.unwritten import LoggedRun

T = TypeVar("T")


class OwnedLog(Protocol):
    """The log of one owner."""

    @property
    def owner(self) -> str:
        """The owner of the rows."""
        ...

    @property
    def database(self) -> Database | None:
        """The database with the owner's rows only; None while it is unavailable."""
        ...

    def live(self, run_id: str) -> LoggedRun | None:
        """The owner's run of that id until the log has written it completely."""
        ...

    def write(self, work: Callable[[Connection], T]) -> T:
        """Like ``Log.write``."""
        ...

    def post(self, subject: str, work: Callable[[Connection], object]) -> None:
        """Like ``Log.post``."""
        ...


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
        return self.log.write_within_quota(self.owner, self.network, work)

    def post(self, subject: str, work: Callable[[Connection], object]) -> None:
        """Like ``Log.post``; another owner's subject of the same name is separate.

        Work that would exceed the owner's quota is dropped.
        """
        self.log.post_within_quota(self.owner, self.network, subject, work)
