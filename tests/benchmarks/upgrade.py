"""How long the first start of this release takes on a log of 0.2.0.

    python -m tests.benchmarks.upgrade [--rows 100000] [--url postgresql+psycopg://…]

Fills a log in the tables of 0.2.0 with runs and their events, and opens it with this release. With --url: in that
database, which must be empty. On SQLite the time includes that of the copy made before a migration.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, func, select

from components.log.database import Database
from components.log.events import pack, stored
from components.log.query import count_runs
from components.log.schema import MIGRATIONS
from components.log.search import page_of
from components.log.view import View
from components.streaming.answer import TimedEvent
from tests.benchmarks.events import chunk
from tests.benchmarks.find_runs import RARE, a_row
from tests.log.make_gallery import GALLERY

_OLD = "0002"
"""The revision of the tables of 0.2.0."""
_AT_ONCE = 5_000
_EVENTS = pack([stored(TimedEvent("message", chunk(number), float(number))) for number in range(60)])


def fill(url: str, rows: int) -> None:
    """Make the tables of 0.2.0, where they are missing, and their rows."""
    engine, chance, tables = create_engine(url), random.Random(1), MetaData()
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, _OLD)
        tables.reflect(connection)
    runs, events = tables.tables["runs"], tables.tables["events"]
    known = [column.name for column in runs.columns]
    for begin in range(0, rows, _AT_ONCE):
        new = [a_row(number, rows, chance) for number in range(begin, min(begin + _AT_ONCE, rows))]
        with engine.begin() as connection:
            connection.execute(runs.insert(), [{name: row[name] for name in known} for row in new])
            connection.execute(events.insert(), [{"run_id": row["id"], "first": 0, "content": _EVENTS} for row in new])
    with engine.begin() as connection:
        print(f"{connection.execute(select(func.count()).select_from(runs)).scalar():,} runs of 0.2.0")
    engine.dispose()


def main() -> None:
    """Fill, upgrade and check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--url")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.sqlite3"
        if not options.url:
            shutil.copyfile(GALLERY / "0.2.0.sqlite3", path)
        url = options.url or f"sqlite:///{path}"
        fill(url, options.rows)
        began, spent = time.perf_counter(), time.process_time()
        database = Database(url)
        took, spent = time.perf_counter() - began, time.process_time() - spent
        print(f"{database.engine_version}: {took:.1f} s, {spent:.1f} s of this process's processor time")
        found = page_of(database, View(words=RARE)).runs
        print(f"{count_runs(database):,} runs, {len(found)} of them with a rare word")
        database.close()


if __name__ == "__main__":
    main()
