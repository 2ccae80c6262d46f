"""The operator's off switch: no new run begins. Running ones continue, and pages stay readable."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from components.demo import sentences
from components.demo.settings import DemoSettings

_CHECK_EVERY_S = 1.0


class Switch:
    """Off while ``is_stopped()`` is true or the stop file exists; checked once a second. Thread-safe."""

    def __init__(
        self, settings: DemoSettings, is_stopped: Callable[[], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file = settings.stop_file
        self._is_stopped = is_stopped
        self._clock = clock
        self._lock = threading.Lock()
        self._check_at = -1.0
        self._off = True

    def sentence(self) -> str | None:
        """The reason why no run can begin, or None."""
        with self._lock:
            now = self._clock()
            if now >= self._check_at:
                self._check_at = now + _CHECK_EVERY_S
                self._off = self._is_off()
            return sentences.PAUSED if self._off else None

    def _is_off(self) -> bool:
        if self._is_stopped():
            return True
        if not self._file:
            return False
        try:
            os.stat(self._file)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except (OSError, ValueError):
            pass  # an unreadable path counts as present
        return True
