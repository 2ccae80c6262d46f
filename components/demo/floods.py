"""Limits attempts per minute, because even a refused run costs a row in the log.

The ``limits`` library would save eight lines here and bring a thread of its own and a clock that no test can set. The
demo's other limits are counted in the database, which it cannot use.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from components.demo import sentences
from components.demo.requests import most_bytes
from components.demo.settings import DemoSettings
from components.runs.gate import Refused

_MINUTE_S = 60.0
_TIMES = 2
"""Attempts per minute as a multiple of the runs that a network may make."""


class Floods:
    """A thread-safe count of attempts per minute in this process."""

    def __init__(self, settings: DemoSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` tells monotonic seconds."""
        self._most_bytes = most_bytes(settings)
        self._most = _TIMES * settings.runs_a_minute * settings.visitors_a_network
        self._clock = clock
        self._lock = threading.Lock()
        self._minute_ends = 0.0
        self._tries: Counter[str] = Counter()

    def check(self, network: str, body: bytes) -> None:
        """Count one attempt. Raises Refused after too many attempts, or when the body is too large to log."""
        if len(body) > self._most_bytes:
            raise Refused(sentences.REQUEST_TOO_LARGE)
        with self._lock:
            now = self._clock()
            if now >= self._minute_ends:
                self._minute_ends = now + _MINUTE_S
                self._tries.clear()
            self._tries[network] += 1
            if self._tries[network] > self._most:
                raise Refused(sentences.NETWORK_FLOODS, _MINUTE_S)
