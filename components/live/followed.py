"""A run in the log. One of another process is followed, which reads only what is new."""

from __future__ import annotations

import threading
from collections.abc import Callable

from components.log.owned import OwnedLog
from components.log.query import QueryFailed, find_run, newer_record
from components.log.record import RunRecord
from components.log.stopping import is_stop_requested
from components.runs.run import Activity, RetryWait

_POLL_S = 0.4


class FollowedRun:
    """A run in the log, with the part of ``Run`` that a page needs. Thread-safe.

    The log is read while the run is unfinished and there are listeners; a run that has ended needs no ``log``.
    """

    place_in_queue: int | None = None
    retry_wait: RetryWait | None = None

    def __init__(self, log: OwnedLog | None, record: RunRecord, poll_s: float = _POLL_S) -> None:
        self.id = record.id
        self.activity: Activity | None = None
        self._log = log
        self._record = record
        self._poll_s = poll_s
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._is_followed = False

    @property
    def finished(self) -> bool:
        """Whether the run has ended."""
        return not self._record.running

    def record(self) -> RunRecord:
        """The record as last read from the log."""
        return self._record

    def texts(self) -> tuple[str, str]:
        """The text and reasoning as last read from the log."""
        record = self._record
        return record.text, record.reasoning

    def listen(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every change, in another thread. It must return at once."""
        with self._lock:
            self._listeners.append(listener)
            if not self._is_followed and not self.finished:
                self._is_followed = True
                threading.Thread(target=self._follow, name="follow", daemon=True).start()

    def leave(self, listener: Callable[[], None]) -> None:
        """Remove a listener."""
        with self._lock:
            self._listeners.remove(listener)

    def _follow(self) -> None:
        pause = threading.Event()
        while not pause.wait(self._poll_s):
            has_changed = self._read_log()
            with self._lock:
                listeners = [*self._listeners]
                is_over = not listeners or self.finished
                if is_over:
                    self._is_followed = False
            if has_changed:
                for listener in listeners:
                    listener()
            if is_over:
                return

    def _read_log(self) -> bool:
        database = self._log.database if self._log else None
        if database is None:
            return False
        try:
            update = newer_record(database, self._record)
            if update and not update.running:
                # The end of a run may change the text that was there.
                update = find_run(database, self.id)
            stopping = Activity.STOPPING if is_stop_requested(database, self.id) else None
        except QueryFailed:
            return False
        changed = update is not None or stopping is not self.activity
        self._record, self.activity = update or self._record, stopping
        return changed
