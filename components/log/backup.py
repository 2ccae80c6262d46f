"""Writes the log's database to a file, and restores it from there.

    tempera backup FILE
    tempera restore FILE

Without an installation: ``python -m components.log.backup``, with ``save`` or ``restore`` and the file.

The database is the one of TEMPERA_DATABASE_URL. A SQLite log may be in use at the time. PostgreSQL needs pg_dump and
pg_restore, whose files other versions of PostgreSQL can read.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, make_url

from components.log import sentences
from components.settings import read_settings
from components.user_error import UserError


class BackupFailed(UserError):
    """The backup could not be written or restored. The message says why and what to do."""


def save(url: str, file: Path) -> None:
    """Write the database to a new file that only its owner can read. Raises BackupFailed."""
    if file.exists():
        raise BackupFailed(sentences.BACKUP_EXISTS.format(file=file))
    address = make_url(url)
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
    if address.get_backend_name() == "sqlite":
        _copy(Path(address.database or ""), file)
    else:
        _postgresql(address, "pg_dump", "--format=custom", "--no-owner", f"--file={file}")


def restore(url: str, file: Path) -> None:
    """Replace the content of the database by that of a backup, in one transaction. Raises BackupFailed."""
    if not file.is_file():
        raise BackupFailed(sentences.BACKUP_MISSING.format(file=file))
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        _copy(file, Path(address.database or ""))
    else:
        options = "--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error"
        _postgresql(address, "pg_restore", *options, str(file))


def _copy(source: Path, target: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as reader,
            closing(sqlite3.connect(target)) as writer,
        ):
            # A file that is no log of Tempera must not take a log's place.
            reader.execute("select version_num from alembic_version").fetchone()
            reader.backup(writer)
    except sqlite3.Error as error:
        raise BackupFailed(sentences.BACKUP_FAILED.format(error=error)) from None


def _postgresql(address: URL, program: str, *options: str) -> None:
    # As a variable, because other users of the machine can read the arguments.
    environment = {**os.environ, "PGPASSWORD": address.password} if address.password else None
    target = address.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    command = [program, f"--dbname={target}", *options]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program; the operator named address and file
            command, env=environment, stderr=subprocess.PIPE, text=True, check=False
        )
    except FileNotFoundError:
        raise BackupFailed(sentences.BACKUP_NEEDS_PROGRAM.format(program=program)) from None
    if done.returncode:
        output = done.stderr.strip().splitlines()
        raise BackupFailed(sentences.BACKUP_FAILED.format(error=output[-1] if output else f"{program} failed"))


def main() -> None:
    """Back up or restore; an error ends with its sentence and 1."""
    parser = argparse.ArgumentParser(prog="python -m components.log.backup")
    actions = parser.add_subparsers(required=True)
    for name, command, description, perform in (
        ("save", "tempera backup", "Write the log's database to a new file.", save),
        ("restore", "tempera restore", "Replace the log's database by a file of `tempera backup`.", restore),
    ):
        action = actions.add_parser(name, prog=command, description=description)
        action.add_argument("file", type=Path, metavar="FILE")
        action.set_defaults(perform=perform)
    chosen = parser.parse_args()
    try:
        chosen.perform(read_settings().database_url, chosen.file)
    except BackupFailed as failed:
        sys.exit(failed.sentence)


if __name__ == "__main__":
    main()
