"""Limits tracebacks in the terminal: repeated errors could otherwise fill the disk."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

_MAX_A_MINUTE = 5
_MINUTE_S = 60.0
_MAX_KINDS = 1_000


class TracebackLimit(logging.Filter):
    """Passes a limited number of tracebacks of a kind per minute; the next one names the number left out.

    A kind is a logger and a type of error. Records without a traceback pass.
    """

    def __init__(self, max_a_minute: int = _MAX_A_MINUTE, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` returns monotonic seconds."""
        super().__init__()
        self._max_a_minute = max_a_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._kinds: dict[tuple[str, str], tuple[float, int]] = {}
        """The end of a kind's minute, and its count of tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write the record."""
        if not record.exc_info or not record.exc_info[0]:
            return True
        kind = (record.name, record.exc_info[0].__name__)
        with self._lock:
            now = self._clock()
            if len(self._kinds) > _MAX_KINDS:
                self._kinds.clear()
            ends, count = self._kinds.get(kind, (0.0, 0))
            if now >= ends:
                left_out = max(count - self._max_a_minute, 0)
                ends, count = now + _MINUTE_S, 0
                if left_out:
                    record.msg = f"{record.getMessage()}\n({left_out:,} more of {kind[1]} were left out before.)"
                    record.args = None
            self._kinds[kind] = ends, count + 1
            return count < self._max_a_minute


def limit_tracebacks() -> None:
    """Set the limit on all handlers that write to the terminal now."""
    limit = TracebackLimit()
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    for handler in {handler for logger in loggers for handler in logger.handlers} | {logging.lastResort}:
        if handler is not None:
            handler.addFilter(limit)
