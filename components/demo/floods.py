"""Limits attempts per minute, because even a refused run costs a row in the log.

Counted in this process first, so that a flood costs the database nothing beyond the limit, then over all processes.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from sqlalchemy import Connection, case
from sqlalchemy.dialects import postgresql, sqlite

from components.demo import sentences
from components.demo.requests import max_bytes
from components.demo.settings import DemoSettings
from components.log.database import DatabaseUnavailable
from components.log.database_clock import database_now
from components.log.log import Log
from components.log.tables import attempts
from components.runs.gate import Refused

_MINUTE_S = 60.0
_TIMES = 2
"""Attempts per minute as a multiple of the runs that a network may make."""


class Floods:
    """A thread-safe count of attempts per minute."""

    def __init__(
        self, settings: DemoSettings, log: Log | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``log`` counts over all processes. ``clock`` returns monotonic seconds."""
        self._log = log
        self._max_bytes = max_bytes(settings)
        self._limit = _TIMES * settings.runs_a_minute * settings.visitors_a_network
        self._clock = clock
        self._lock = threading.Lock()
        self._minute_ends = 0.0
        self._tries: Counter[str] = Counter()

    def check(self, network: str, body: bytes) -> None:
        """Count one attempt. Raises Refused after too many attempts, or when the body is too large to log."""
        if len(body) > self._max_bytes:
            raise Refused(sentences.REQUEST_TOO_LARGE)
        with self._lock:
            now = self._clock()
            if now >= self._minute_ends:
                self._minute_ends = now + _MINUTE_S
                self._tries.clear()
            self._tries[network] += 1
            tries = self._tries[network]
        if tries > self._limit or (self._log and self._count_in_log(self._log, network) > self._limit):
            raise Refused(sentences.NETWORK_FLOODS, _MINUTE_S)

    def _count_in_log(self, log: Log, network: str) -> int:
        def work(connection: Connection) -> int:
            dialect = connection.dialect.name
            row = {"network": network, "minute_began": database_now(dialect), "count": 1}
            statement = (sqlite if dialect == "sqlite" else postgresql).insert(attempts).values(row)
            is_over = attempts.c.minute_began < database_now(dialect, _MINUTE_S)
            changed = {
                "minute_began": case((is_over, statement.excluded.minute_began), else_=attempts.c.minute_began),
                "count": case((is_over, 1), else_=attempts.c.count + 1),
            }
            counted = statement.on_conflict_do_update(index_elements=["network"], set_=changed)
            return int(connection.execute(counted.returning(attempts.c.count)).scalar_one())

        try:
            return log.write(work)
        except DatabaseUnavailable:
            return 0  # the budget refuses the run for that
