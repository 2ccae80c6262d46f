"""The runs of this process that the log has not completely written, and their state in the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Protocol

from components.log.events import StoredEvent
from components.log.record import RunRecord
from components.streaming.limits import Limits

_EVENTS_AT_ONCE = 256


class LoggedRun(Protocol):
    """The log's view of a run while its process lives; ``components.runs.run`` has the run itself.

    ``network`` is the owner's, if known. ``version`` grows with every change. ``stopping`` is true once a stop was
    requested.
    """

    id: str
    owner: str
    network: str | None
    version: int
    stopping: bool

    @property
    def finished(self) -> bool:
        """Whether the run has ended."""

    def stop(self) -> None:
        """Request a stop."""

    @property
    def kept_events(self) -> int:
        """The number of readable events."""

    @property
    def size(self) -> int:
        """The approximate memory use of the run, in bytes."""

    def events(self, since: int = 0) -> list[StoredEvent]:
        """The events from that index on."""

    def record(self) -> RunRecord:
        """The current record of the run."""


class Entry:
    """One run's state in the database: the written version, the number of written events, and when.

    ``committed`` is done once its row is in the database, ``settled`` once all of an ended run is; both also when the
    database fails.
    """

    def __init__(self, run: LoggedRun) -> None:
        self.run = run
        self.version = -1
        self.tried_at = 0.0
        self.events = 0
        self.events_at = time.monotonic()
        self.refused: str | None = None
        self.committed: Future[None] = Future()
        self.settled: Future[None] = Future()

    def is_due(self, now: float, limits: Limits) -> bool:
        """Whether the run should be written now: at once when new or ended, otherwise at intervals."""
        if self.refused:
            return now - self.tried_at > limits.log_refused_retry_s
        if self.version < 0 or self.run.finished:
            return True
        # Starts and ends cause extra rounds, which would otherwise write all other runs each time.
        waited_s = now - self.tried_at
        changed = self.run.version > self.version and waited_s > limits.log_flush_ms / 2_000
        return changed or waited_s > limits.heartbeat_s or self.events_are_due(now, limits)

    def events_are_due(self, now: float, limits: Limits) -> bool:
        """Whether the waiting events are numerous or old enough for a segment."""
        waiting = self.run.kept_events - self.events
        return waiting >= _EVENTS_AT_ONCE or (waiting > 0 and now - self.events_at > limits.log_events_s)


class Snapshot:
    """A run at the start of a round. The version is read first, so that later changes are written again.

    ``events`` are the events to write; the first has number ``first_event`` in the run.
    """

    def __init__(self, entry: Entry, now: float, limits: Limits) -> None:
        self.entry = entry
        self.version = entry.run.version
        self.record: RunRecord = entry.run.record()
        # From the record: the last events must be written with the row of an ended run, or they never are.
        self.finished = not self.record.running
        self.first_event = entry.events
        due = self.finished or entry.events_are_due(now, limits)
        self.events: list[StoredEvent] = entry.run.events(entry.events) if due else []


class Unwritten:
    """Every run from its start until it is completely written. Thread-safe."""

    def __init__(self, limits: Limits) -> None:
        self.dropped = 0
        self._limits = limits
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}

    def add(self, run: LoggedRun) -> None:
        """Add a run."""
        with self._lock:
            self._entries[run.id] = Entry(run)

    def find(self, run_id: str) -> Entry | None:
        """The entry of a run, or None when it is completely written."""
        with self._lock:
            return self._entries.get(run_id)

    def due(self, now: float, limit: int) -> list[Snapshot]:
        """The runs that should be written now, up to a limit, longest waiting first."""
        with self._lock:
            due = [entry for entry in self._entries.values() if entry.is_due(now, self._limits)]
        due.sort(key=lambda entry: entry.tried_at)
        return [Snapshot(entry, now, self._limits) for entry in due[:limit]]

    def ids(self) -> list[str]:
        """The ids of all runs that are running or could not be written."""
        with self._lock:
            return [run_id for run_id, entry in self._entries.items() if entry.refused or not entry.run.finished]

    def stoppable(self) -> dict[str, LoggedRun]:
        """The running runs without a stop request, by id."""
        with self._lock:
            runs = [entry.run for entry in self._entries.values()]
        return {run.id: run for run in runs if not run.finished and not run.stopping}

    def written(self, snapshots: Iterable[Snapshot], now: float) -> None:
        """Note committed runs; the finished ones are released."""
        done: list[Future[None]] = []
        with self._lock:
            for snapshot in snapshots:
                entry = snapshot.entry
                entry.version, entry.tried_at, entry.refused = snapshot.version, now, None
                if snapshot.events:
                    entry.events, entry.events_at = snapshot.first_event + len(snapshot.events), now
                done.append(entry.committed)
                if snapshot.finished:
                    done.append(entry.settled)
                    del self._entries[entry.run.id]
        _finish(done)

    def refused(self, snapshot: Snapshot, reason: str, now: float) -> None:
        """Note a run that the database refuses for its content; it is retried later."""
        entry = snapshot.entry
        entry.refused, entry.tried_at = reason, now
        _finish([entry.committed, entry.settled])

    def refusals(self) -> list[str]:
        """The database's reasons for refusing runs, without duplicates."""
        with self._lock:
            return [entry.refused for entry in self._entries.values() if entry.refused]

    def release(self) -> None:
        """Release everything that waits for the database, because it fails."""
        with self._lock:
            entries = list(self._entries.values())
        _finish([entry.committed for entry in entries])
        _finish([entry.settled for entry in entries if entry.run.finished])

    def forget_versions(self) -> None:
        """Mark all runs as unwritten, after the database was reopened."""
        with self._lock:
            for entry in self._entries.values():
                entry.version, entry.events, entry.events_at = -1, 0, 0.0

    def make_room(self) -> None:
        """Drop the oldest finished runs while all runs exceed the memory limit."""
        dropped: list[Future[None]] = []
        with self._lock:
            size = sum(entry.run.size for entry in self._entries.values())
            for run_id, entry in list(self._entries.items()):
                if size <= self._limits.unwritten_log_bytes:
                    break
                if entry.run.finished:
                    size -= entry.run.size
                    del self._entries[run_id]
                    self.dropped += 1
                    dropped.append(entry.settled)
        _finish(dropped)


def _finish(futures: Iterable[Future[None]]) -> None:
    """Complete the futures. Called without the lock: a callback may call this object."""
    for future in futures:
        if not future.done():
            future.set_result(None)
