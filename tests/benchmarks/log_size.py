"""How quickly a large log is read, exported and cut back.

    python -m tests.benchmarks.log_size [--rows 1000000] [--url postgresql+psycopg://…]

Fills a new log (with --url: that database, which must be empty) and times the queries of the pages. Memory is the
largest resident size of this process, including making the rows.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from components.log.database import Database
from components.log.log import Log
from components.log.query import count_runs, find_run
from components.log.search import page_of
from components.log.view import View
from tests.log.exports import export_runs
from tests.log.many_rows import fill, forget, moment


def _time(name: str, work: Callable[[], object], times: int = 5) -> None:
    taken = []
    for _ in range(times):
        began = time.monotonic()
        work()
        taken.append((time.monotonic() - began) * 1000)
    print(f"{name:32} median {median(taken):10.1f} ms   slowest {max(taken):10.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--url")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.sqlite3"
        url = options.url or f"sqlite:///{path}"
        database = Database(url)
        print(f"{database.engine_version}, {options.rows:,} runs")
        _time("insert", lambda: fill(database, options.rows), 1)
        newest = page_of(database, View(), limit=1).runs["id"][0]
        _time("list of the newest 500", lambda: page_of(database, View(), limit=500).runs)
        _time("one run", lambda: find_run(database, newest))
        _time("count", lambda: count_runs(database))
        _time("export of all", lambda: sum(1 for _ in export_runs(database)), 1)
        database.close()
        _time("open", lambda: Database(url).close())
        log = Log(url)
        _time("forget a tenth", lambda: forget(log, moment(options.rows // 10)), 1)
        if not options.url:
            print(f"file {path.stat().st_size / 1e6:,.0f} MB, WAL {Path(f'{path}-wal').stat().st_size / 1e6:,.1f} MB")
        log.close()
    print(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
