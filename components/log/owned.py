"""Whose the things in the log are. Each visitor finds, changes and deletes their own; others' is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from components.log.database import Database
from components.log.log import Log
from components.log.quota import Kept
from components.log.unwritten import LoggedRun

T = TypeVar("T")


class OwnedLog(Protocol):
    """The log as one owner has it."""

    @property
    def owner(self) -> str:
        """Whose it is."""
        ...

    @property
    def database(self) -> Database | None:
        """Where queries find what is the owner's; None while there is no database."""
        ...

    def live(self, run_id: str) -> LoggedRun | None:
        """The owner's run of that id while the log still has something of it to write."""
        ...

    def write(self, work: Callable[[Connection], T]) -> T:
        """As ``Log.write``."""
        ...

    def post(self, subject: str, work: Callable[[Connection], object]) -> None:
        """As ``Log.post``."""
        ...


@dataclass(frozen=True)
class OwnLog:
    """The log as one of several owners has it."""

    log: Log
    owner: str
    network: str | None = None
    """Where the owner calls from, as far as limits are concerned."""

    @property
    def database(self) -> Database | None:
        """Where queries find what is the owner's; None while there is no database."""
        database = self.log.database
        return database.owned_by(self.owner) if database else None

    def kept(self) -> Kept | None:
        """What the owner keeps now and may keep; None while that cannot be read."""
        return self.log.kept(self.owner, self.network)

    def live(self, run_id: str) -> LoggedRun | None:
        """The owner's run of that id while the log still has something of it to write."""
        run = self.log.live(run_id)
        return run if run and run.owner == self.owner else None

    def write(self, work: Callable[[Connection], T]) -> T:
        """As ``Log.write``. Raises QuotaReached, too, when the owner would keep too much."""
        return self.log.write_within_quota(self.owner, self.network, work)

    def post(self, subject: str, work: Callable[[Connection], object]) -> None:
        """As ``Log.post``; what waits about another owner's subject of the same name stays.

        Where the owner would keep too much, nothing is done.
        """
        self.log.post_within_quota(self.owner, self.network, subject, work)
