"""The cost of an export: each format, all runs or those of a filter, with events of runs with token probabilities.

    python -m tests.benchmarks.exports [--rows 20000] [--url URL]

Makes a log in which every tenth run has 100 tokens with five alternatives each, or measures the runs that a PostgreSQL
database has. Prints the time by the clock and of the processor, the size, and the most memory of this process so far.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.log.database import Database
from components.log.events import pack, stored
from components.log.export import FORMATS
from components.log.query import count_runs
from components.log.tables import events, runs
from components.log.view import View, conditions
from components.streaming.answer import TimedEvent
from tests.benchmarks.find_runs import RARE, a_row
from tests.benchmarks.probabilities import an_event

_AT_ONCE = 5_000
_VIEWS = {"all": View(), "status error": View(status="error"), "a word of few runs": View(words=RARE)}


def fill(database: Database, rows: int) -> None:
    chance = random.Random(1)
    for begin in range(0, rows, _AT_ONCE):
        batch = [a_row(number, rows, chance) for number in range(begin, min(begin + _AT_ONCE, rows))]
        kept = list(_with_probabilities(batch[::10]))
        with database.writer.begin() as connection:
            connection.execute(runs.insert(), batch)
            connection.execute(events.insert(), kept)


def _with_probabilities(some: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The events of these rows, which get their text and a likelihood."""
    for row in some:
        said = [an_event(5) for _ in range(100)]
        row |= {"text": "".join(word for word, _ in said), "mean_logprob": -1.0}
        packed = pack([stored(TimedEvent("message", data, float(at))) for at, (_, data) in enumerate(said)])
        yield {"run_id": row["id"], "first": 0, "content": packed}


def measure(database: Database) -> None:
    print(f"{count_runs(database):,} runs, {database.engine_version}")
    for shown, view in _VIEWS.items():
        for kind, export in FORMATS.items():
            began, spent = time.perf_counter(), time.process_time()
            size = sum(map(len, export.pieces(database, conditions(database, view))))
            took, spent = time.perf_counter() - began, time.process_time() - spent
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            times = f"{took:7.2f} {spent:7.2f} s"
            print(f"{shown:20} {kind:8} {times} {size / 1e6:8.1f} MB, memory {most:.0f} MB", flush=True)


def main() -> None:
    """Fill an empty log, and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.exports", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--url")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(arguments.url or f"sqlite:///{Path(folder) / 'runs.sqlite3'}")
        if not count_runs(database):
            fill(database, arguments.rows)
        measure(database)
        database.close()


if __name__ == "__main__":
    main()
