"""Counters of what is held at the same time: per visitor, per network, and in total."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

UNLIMITED = 1_000_000_000


@dataclass(frozen=True)
class PlaceLimits:
    """The largest number of places per visitor, per network, and in total."""

    of_visitor: int
    of_network: int = UNLIMITED
    of_all: int = UNLIMITED


class Places:
    """A thread-safe counter of places that are taken and given back.

    A visitor or network of None is unknown and counts towards the total only.
    """

    def __init__(self, limits: PlaceLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._taken: Counter[tuple[str, str]] = Counter()

    def take(self, visitor: str | None, network: str | None) -> bool:
        """Take a place if one is free; True when it was."""
        parties = self._parties(visitor, network)
        with self._lock:
            if any(self._taken[party] >= limit for party, limit in parties.items()):
                return False
            for party in parties:
                self._taken[party] += 1
            return True

    def leave(self, visitor: str | None, network: str | None) -> None:
        """Give a place back."""
        with self._lock:
            for party in self._parties(visitor, network):
                self._taken[party] -= 1
                if not self._taken[party]:
                    del self._taken[party]

    @contextmanager
    def held(self, visitor: str | None, network: str | None) -> Iterator[bool]:
        """Hold one place during the context; yields False when none was free."""
        taken = self.take(visitor, network)
        try:
            yield taken
        finally:
            if taken:
                self.leave(visitor, network)

    def _parties(self, visitor: str | None, network: str | None) -> dict[tuple[str, str], int]:
        parties = {("all", ""): self._limits.of_all}
        if visitor is not None:
            parties["visitor", visitor] = self._limits.of_visitor
        if network is not None:
            parties["network", network] = self._limits.of_network
        return parties
