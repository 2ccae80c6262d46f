"""Slows down whoever tries ids of capsules that they were not given."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from components.sharing import sentences
from components.user_error import UserError

T = TypeVar("T")


class TooManyLookups(UserError):
    """A visitor may not look anything up for now. The message is a sentence that says what to do."""


class Lookups:
    """Lets each visitor look up as much as there is, and only so many things a minute that are not there.

    Each visitor has a bucket of tokens, one for each such lookup, which fills up again within a minute. The buckets of
    at most ``most_visitors`` are remembered, those used last; whoever is forgotten begins with a full one. ``clock``
    gives seconds that never go back.
    """

    def __init__(
        self,
        a_minute: int = 20,
        *,
        most_visitors: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = float(a_minute)
        self._most_visitors = most_visitors
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def look_up(self, visitor: str, look: Callable[[], T | None]) -> T | None:
        """What ``look`` finds, or None. Raises TooManyLookups without looking, and what ``look`` raises."""
        # Taken before the look, so that many at the same time count, too; what failed says nothing, and costs nothing.
        self._add(visitor, -1.0)
        found = None
        failed = True
        try:
            found = look()
            failed = False
        finally:
            if failed or found is not None:
                self._add(visitor, 1.0)
        return found

    def _add(self, visitor: str, tokens: float) -> None:
        """Raises TooManyLookups where there are too few."""
        with self._lock:
            now = self._clock()
            left, then = self._buckets.get(visitor, (self._most, now))
            left = min(left + (now - then) * self._most / 60.0, self._most) + tokens
            if left < 0.0:
                raise TooManyLookups(sentences.TOO_MANY_LOOKUPS)
            self._buckets[visitor] = min(left, self._most), now
            self._buckets.move_to_end(visitor)
            if left >= self._most:
                del self._buckets[visitor]
            while len(self._buckets) > self._most_visitors:
                self._buckets.popitem(last=False)
