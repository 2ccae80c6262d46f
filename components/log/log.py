"""Writes runs to the database from one thread. A failing database never stops a run; the write is retried.

Each round writes the current state of every run that has changed. A failed write is therefore repeated in the next
round, and the runs themselves are the only state to keep.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from components.counted import counted
from components.log import sentences
from components.log.database import Database, DatabaseUnavailable, reason
from components.log.quota import StorageUse, note_network, storage_use_of
from components.log.record import LOCAL, utc_now
from components.log.retention import delete_old
from components.log.sqlite_file import is_damage
from components.log.unwritten import LoggedRun, Unwritten
from components.log.writing import is_about_content, mark_lost, requested_stops, write_runs
from components.streaming.limits import Limits

T = TypeVar("T")

_FIRST_WRITE_S = 5.0
_MAX_AT_ONCE = 500
_RETENTION_S = 3_600.0
_MAX_POSTED = 200
_ROOM_BYTES = 500_000_000
_ROOM_S = 1.0
"""The use of an owner with that many bytes left is not read again in that time, too short to write them."""
_MAX_OWNERS = 1_000


class Log:
    """Stores runs in the database at ``url``, within ``limits``. ``problem`` is a sentence while the database fails.

    This object is the local owner's; rows of other owners are reached with ``OwnLog``.
    """

    owner = LOCAL

    def __init__(self, url: str, limits: Limits | None = None, keep_days: float | None = None) -> None:
        """``keep_days``: the age in days at which runs are deleted; None for never."""
        self.problem: str | None = None
        self.database: Database | None = None
        self._url = url
        self.limits = limits or Limits()
        self._unwritten = Unwritten(self.limits)
        self._notices: deque[str] = deque(maxlen=3)
        self._database_warning: str | None = None
        self._condition = threading.Condition()
        self._jobs: list[Callable[[Database | None], None]] = []
        self._posted: dict[str, Callable[[Connection], object]] = {}
        self._urgent = False
        self._open_blocks = 0
        """The number of open ``together`` blocks."""
        self._closing = False
        self._reap_at = 0.0
        self._stops_at = 0.0
        self._round_began_at = time.time()
        self._retain_at = 0.0
        self._room_until: dict[tuple[str, str | None], float] = {}
        self._keep_days = keep_days
        self._open()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    @property
    def warning(self) -> str | None:
        """Warnings for the operator, as sentences, while runs are being logged."""
        warnings = [*self._notices]
        if self._database_warning:
            warnings.append(self._database_warning)
        if refusals := self._unwritten.refusals():
            warnings.append(f"The database refuses {counted(len(refusals), 'run')}: {refusals[-1]}")
        if self._unwritten.dropped and not self.problem:
            warnings.append(self._dropped())
        return " ".join(warnings) or None

    def begin(self, run: LoggedRun) -> None:
        """Add a run; the log's thread writes its row at once."""
        owner, network = run.owner, run.network
        if network is not None:
            self.post(f"{owner} is seen", lambda connection: note_network(connection, owner, network))
        self._unwritten.add(run)
        self._wake()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write the runs and posts of this block in one round, soon after its end."""
        with self._condition:
            self._open_blocks += 1
        try:
            yield
        finally:
            with self._condition:
                self._open_blocks -= 1
                self._condition.notify_all()

    def committed(self, run: LoggedRun) -> Future[None]:
        """Done once the run's row is committed or the database fails. The log's thread calls back, so do not wait."""
        entry = self._unwritten.find(run.id)
        return entry.committed if entry else _done()

    def wait_until_committed(self, run: LoggedRun) -> None:
        """Wait until the run's row is committed or the database fails."""
        self._wait(self.committed(run))

    def ended(self, run: LoggedRun) -> Future[None]:
        """Write a finished run at once; done when it is committed or the database fails, as ``committed``."""
        entry = self._unwritten.find(run.id)
        if entry is None:
            return _done()
        self._wake()
        return entry.settled

    def end(self, run: LoggedRun) -> None:
        """Write a finished run; waits until it is committed or the database fails."""
        self._wait(self.ended(run))

    def live(self, run_id: str) -> LoggedRun | None:
        """The run of that id until the log has written it completely."""
        entry = self._unwritten.find(run_id)
        return entry.run if entry else None

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run other work in one transaction in the log's thread; returns its result.

        Raises DatabaseUnavailable.
        """
        done: Future[T] = Future()

        def job(database: Database | None) -> None:
            try:
                if database is None:
                    raise DatabaseUnavailable(self.problem or sentences.CLOSED)
                with database.writer.begin() as connection:
                    result = work(connection)
            except SQLAlchemyError as error:
                place = database.place if database else ""
                done.set_exception(DatabaseUnavailable(sentences.UNWRITABLE.format(place=place, error=reason(error))))
            except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
                done.set_exception(error)
            else:
                done.set_result(result)

        with self._condition:
            if self._closing:
                raise DatabaseUnavailable(sentences.CLOSED)
            self._jobs.append(job)
        self._wake()
        return done.result()

    def post(self, subject: str, work: Callable[[Connection], object]) -> None:
        """Queue other work for the database; returns at once and reports no result.

        The newest work on a ``subject`` replaces waiting work on it. While the database is unavailable, a limited
        number of subjects waits. Work that the database refuses for its content is dropped and noted in ``problem``.
        Work posted after close() is dropped as well.
        """
        with self._condition:
            if self._closing:
                return
            self._posted[subject] = work
        self._wake()

    def storage_use(self, owner: str, network: str | None = None) -> StorageUse | None:
        """The owner's storage use and quota; None while it cannot be read."""
        if self.database is None:
            return None
        try:
            with self.database.reader.begin() as connection:
                return storage_use_of(connection, self.limits, owner, network)
        except SQLAlchemyError:
            return None

    def refusal(self, owner: str, network: str | None = None) -> str | None:
        """The reason why no further run of the owner is stored, as a sentence; None while there is room, or unknown."""
        now = time.monotonic()
        if now < self._room_until.get((owner, network), 0.0):
            return None
        use = self.storage_use(owner, network)
        if use and use.free > _ROOM_BYTES:
            if len(self._room_until) > _MAX_OWNERS:
                self._room_until.clear()
            self._room_until[owner, network] = now + _ROOM_S
        return use.refusal() if use and use.is_full else None

    def close(self) -> None:
        """Write all remaining changes, then close the database."""
        with self._condition:
            self._closing = True
        self._wake()
        self._thread.join()
        if self.database:
            self.database.close()

    def _wake(self) -> None:
        with self._condition:
            self._urgent = True
            self._condition.notify_all()

    def _wait(self, done: Future[None]) -> None:
        with suppress(TimeoutError):
            done.result(0.05 if self.problem else _FIRST_WRITE_S)

    def _run(self) -> None:
        interval = self.limits.log_flush_ms / 1000
        closing, began, reported = False, 0.0, False
        while not closing or (self._urgent and not self.problem):
            # A slow round shortens the pause, so that text is written no later than the interval.
            pause = self.limits.log_retry_s if self.problem else max(interval / 4, began + interval - time.monotonic())
            with self._condition:
                self._condition.wait_for(self._is_due, pause)
                self._urgent = False
                closing = self._closing
                jobs, self._jobs = self._jobs, []
                posted, self._posted = self._posted, {}
            began = time.monotonic()
            try:
                # After a failed round, posted work would only wait for the same database again.
                if self._round():
                    self._do_all(posted)
                self._post_again(posted)
                if self.problem and not reported:  # for the operator: a demo's pages keep the reason from visitors
                    logging.getLogger(__name__).warning(self.problem)
                reported = bool(self.problem)
            except Exception as error:  # an internal error must not end the log
                logging.getLogger(__name__).exception("a round of the log failed")
                self._fail(error)
                reported = True
            for job in jobs:
                job(self.database)

    def _is_due(self) -> bool:
        return self._closing or bool(self._jobs) or (self._urgent and not self._open_blocks)

    def _open(self) -> None:
        if self.database:
            self.database.close()
            self.database = None
        try:
            self.database = Database(self._url, self.limits.log_lock_wait_s)
        except DatabaseUnavailable as unavailable:
            self._report(str(unavailable))
            return
        self.problem = None
        self._unwritten.forget_versions()
        self._database_warning = self.database.warning()
        if self.database.notice:
            self._notices.append(self.database.notice)

    def _do_all(self, posted: dict[str, Callable[[Connection], object]]) -> None:
        """Run posted work, one transaction each, and remove it; failed work stays."""
        for subject, work in list(posted.items()):
            if self.database is None:
                return
            try:
                with self.database.writer.begin() as connection:
                    work(connection)
            except SQLAlchemyError as error:
                self._fail(error)
                if not is_about_content(error):
                    return
            del posted[subject]

    def _post_again(self, undone: dict[str, Callable[[Connection], object]]) -> None:
        """Keep failed work for the next round, up to a limit, unless newer work on its subject waits."""
        with self._condition:
            newest = dict(list(undone.items())[-_MAX_POSTED:])
            self._posted = {**newest, **self._posted}

    def _round(self) -> bool:
        """Write all changes in one transaction; returns whether the database accepted it."""
        if self.database and self.database.gone:
            self._notices.append(sentences.LOG_FILE_GONE.format(time=utc_now()))
            self._open()
        elif self.database is None:
            self._open()
        if self.database is None:
            return False
        now = time.monotonic()
        due = self._unwritten.due(now, _MAX_AT_ONCE)
        reaping = self._may_reap(now)
        retaining = now > self._retain_at
        all_deleted = True
        try:
            refused = write_runs(self.database.writer, due) if due else {}
            if reaping:
                with self.database.writer.begin() as connection:
                    mark_lost(connection, self.limits.lost_after_s, self._unwritten.ids())
            if now > self._stops_at:
                self._carry_out_stops(self.database)
                self._stops_at = now + self.limits.stop_requests_s
            if retaining:
                with self.database.writer.begin() as connection:
                    all_deleted = delete_old(connection, self._keep_days)
        except SQLAlchemyError as error:
            self._fail(error)
            return False
        if self.database.gone:
            return False
        if due or reaping:
            self.problem = None
        self._unwritten.written([snapshot for snapshot in due if snapshot not in refused], now)
        for snapshot, cause in refused.items():
            self._unwritten.refused(snapshot, cause, now)
        if refused:
            self._unwritten.make_room()
        if reaping:
            self._reap_at = now + self.limits.heartbeat_s
            self._database_warning = self.database.warning()
        if retaining and all_deleted:
            self._retain_at = now + _RETENTION_S
        if len(due) == _MAX_AT_ONCE or not all_deleted:
            self._wake()
        return True

    def _carry_out_stops(self, database: Database) -> None:
        """Stop the runs of this process that have a stop request."""
        if stoppable := self._unwritten.stoppable():
            with database.reader.begin() as connection:
                stopped = requested_stops(connection, stoppable)
            for run_id in stopped:
                stoppable[run_id].stop()

    def _fail(self, error: Exception) -> None:
        self._report(f"{self.database.place}: {reason(error)}" if self.database else reason(error))
        cause = getattr(error, "orig", None)
        if self.database and (is_damage(cause) or "no such table" in str(cause)):
            self._open()

    def _report(self, cause: str) -> None:
        self._unwritten.make_room()
        dropped = f" {self._dropped()}" if self._unwritten.dropped else ""
        self.problem = sentences.NOT_LOGGED.format(why=cause, dropped=dropped)
        self._unwritten.release()

    def _dropped(self) -> str:
        were = "was" if self._unwritten.dropped == 1 else "were"
        return sentences.RUNS_DROPPED.format(runs=counted(self._unwritten.dropped, "run"), were=were)

    def _may_reap(self, now: float) -> bool:
        """Whether to look for lost runs: not right after the machine slept, when other processes slept too."""
        began_at, self._round_began_at = self._round_began_at, time.time()
        slept_s = self._round_began_at - began_at
        if slept_s > max(1.0, self.limits.lost_after_s - 2 * self.limits.heartbeat_s):
            self._reap_at = now + 2 * self.limits.heartbeat_s
        return now > self._reap_at


def _done() -> Future[None]:
    done: Future[None] = Future()
    done.set_result(None)
    return done
