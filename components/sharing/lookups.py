"""Rate-limits guesses of capsule ids."""

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
    """The visitor has no lookups left for now. The message says what to do."""


class Lookups:
    """Limits each visitor to a number of failed lookups per minute; successful ones are free.

    Each visitor has a token bucket that refills within a minute; a failed lookup costs a token. The ``most_visitors``
    most recently used buckets are kept; a dropped one starts full. ``clock`` returns monotonic seconds.
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
        """The result of ``look``, or None. Raises TooManyLookups before the call, and the exceptions of ``look``."""
        # Taken before the call, so that concurrent lookups count; an exception reveals nothing and costs nothing.
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
        """Change the visitor's tokens. Raises TooManyLookups when there are too few."""
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
