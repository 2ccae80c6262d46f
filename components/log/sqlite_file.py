"""The file of a SQLite log: damage, removal, and other processes that have it open.

The content of the tables belongs to ``database.py``.
"""

from __future__ import annotations

# fcntl locks can be shared, unlike filelock's, and end with their process.
import fcntl
import glob
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

from components.log.record import utc_now

LOCK_WAIT_S = 5.0
_CHECK_S = 5.0
_OPENING_WAIT_S = 30.0
_PARTS = ("", "-wal", "-shm")

_FIRST_SAFE_WITH_SEVERAL_PROCESSES = (3, 51, 3)
"""Older versions can damage a file in WAL mode that several processes write (https://sqlite.org/wal.html)."""


def is_damage(error: BaseException | None) -> bool:
    """Whether this error means that the file is damaged or not a database."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class SqliteFile:
    """A SQLite file at a path, with SQLite's companion files."""

    def __init__(self, path: Path, check_s: float = _CHECK_S) -> None:
        self.path = path
        self._check_s = check_s
        self._opened: tuple[int, int] | None = None
        self._presence: IO[bytes] | None = None

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Hold the lock to repair and migrate the file, one process at a time. Raises TimeoutError."""
        deadline = time.monotonic() + _OPENING_WAIT_S
        with open(f"{self.path}.lock", "ab") as lock:
            while not _locked(lock, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise TimeoutError("another process is opening it")
                time.sleep(0.02)
            yield

    def set_damaged_aside(self) -> Path | None:
        """Rename the file if it is damaged, so that a new one can begin; returns its new path.

        Raises OSError, sqlite3.Error.
        """
        if not self._is_damaged():
            return None
        target = self.path.with_name(f"{self.path.name}.corrupt-{utc_now().replace(':', '')}")
        for part in _PARTS:
            with suppress(FileNotFoundError):
                os.rename(f"{self.path}{part}", f"{target}{part}")
        return target

    def _is_damaged(self) -> bool:
        if self.is_new:
            # A new log has no write-ahead file; with one, the database file was lost or emptied.
            return Path(f"{self.path}-wal").exists()
        deadline = time.monotonic() + self._check_s
        with closing(sqlite3.connect(self.path, timeout=LOCK_WAIT_S, isolation_level=None)) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
            try:
                return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    return False  # too large to check in time
                if is_damage(error):
                    return True
                raise

    def copy(self, name: str) -> None:
        """Write a copy into the same folder, atomically. Raises OSError, sqlite3.Error."""
        part, target = f"{self.path}.{name}.part", f"{self.path}.{name}"
        Path(part).unlink(missing_ok=True)
        with closing(sqlite3.connect(self.path, timeout=LOCK_WAIT_S, isolation_level=None)) as connection:
            connection.execute("VACUUM INTO ?", (part,))
        os.replace(part, target)

    @property
    def is_new(self) -> bool:
        """Whether the file is missing or empty."""
        return not self.path.exists() or not self.path.stat().st_size

    def make_compactable(self) -> None:
        """Prepare the file for stepwise shrinking after deletions (``auto_vacuum = INCREMENTAL``).

        Rewrites the whole file and renumbers rows, so no index may refer to row numbers yet. A file that cannot be
        written now stays unchanged.
        """
        with (
            suppress(sqlite3.OperationalError),
            closing(sqlite3.connect(self.path, timeout=LOCK_WAIT_S, isolation_level=None)) as connection,
        ):
            named_by_number = "select count(*) from sqlite_schema where name = 'runs_search'"
            if connection.execute(named_by_number).fetchone() == (0,):
                connection.execute("PRAGMA journal_mode = WAL").close()
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                connection.execute("VACUUM")

    def all(self) -> list[Path]:
        """The file and its companions of the same name: SQLite's files, locks and copies."""
        return [self.path, *self.path.parent.glob(f"{glob.escape(self.path.name)}[.-]*")]

    def remember(self) -> None:
        """Remember the present file for ``gone``, and mark it as open for other processes."""
        self._opened = self._identity()
        if sqlite3.sqlite_version_info < _FIRST_SAFE_WITH_SEVERAL_PROCESSES:
            self._presence = open(f"{self.path}.open", "ab")  # noqa: SIM115 - it stays open for its lock
            _locked(self._presence, fcntl.LOCK_SH)

    @property
    def gone(self) -> bool:
        """Whether the file was removed or replaced."""
        return self._identity() != self._opened

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def risks_damage(self) -> bool:
        """Whether another process has the file open and this version of SQLite may then damage it."""
        if self._presence is None:
            return False
        is_alone = _locked(self._presence, fcntl.LOCK_EX)
        _locked(self._presence, fcntl.LOCK_SH)
        return not is_alone

    def close(self) -> None:
        """Remove the mark that the file is open here."""
        if self._presence:
            self._presence.close()
            self._presence = None


def _locked(file: IO[bytes], kind: int) -> bool:
    """Whether the lock was free. On failure the file holds no lock any more."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
