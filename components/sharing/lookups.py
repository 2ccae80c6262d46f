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

    Each visitor has a token bucket that refills within a minute; a failed lookup costs a token. The ``max_visitors``
    most recently used buckets are kept; a dropped one starts full. ``clock`` returns monotonic seconds.
    """

    def __init__(
        self,
        a_minute: int = 20,
        *,
        max_visitors: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = float(a_minute)
        self._max_visitors = max_visitors
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def look_up(self, visitor: str, look: Callable[[], T | None]) -> T | None:
        """The result of ``look``, or None. Raises TooManyLookups before the call, and the exceptions of ``look``."""
        # Taken before the call, so that concurrent lookups count; an exception reveals nothing and costs nothing.
        self._add(visitor, -1.0)
        is_free = True
        try:
            result = look()
            is_free = result is not None
        finally:
            if is_free:
                self._add(visitor, 1.0)
        return result

    def _add(self, visitor: str, tokens: float) -> None:
        """Change the visitor's tokens. Raises TooManyLookups when there are too few."""
        with self._lock:
            now = self._clock()
            tokens_left, last_change = self._buckets.get(visitor, (self._capacity, now))
            tokens_left = min(tokens_left + (now - last_change) * self._capacity / 60.0, self._capacity) + tokens
            if tokens_left < 0.0:
                raise TooManyLookups(sentences.TOO_MANY_LOOKUPS)
            self._buckets.pop(visitor, None)
            if tokens_left < self._capacity:
                self._buckets[visitor] = tokens_left, now
            if len(self._buckets) > self._max_visitors:
                self._buckets.popitem(last=False)
