"""The cost of finding runs in a log of a million: the server's time for a page, a filter, an order, a search.

    python -m tests.benchmarks.find_runs [--rows 1000000] [--log FILE | --url URL]

Makes the log (minutes for a million), or measures one that is there. Each query is asked several times; the first one,
which reads from the disk, and the median of the others are printed in ms.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from components.log.database import Database
from components.log.query import QueryFailed, count_runs, find_run
from components.log.record import RunRecord
from components.log.request_summary import summarize_request
from components.log.search import choices, page_of, summary_of
from components.log.tables import runs, to_row
from components.log.view import View

WORDS = ("sea", "wave", "moon", "salt", "light", "harbour", "river", "stone", "green", "quiet", "night", "glass")
AT_ONCE = 5_000
TIMES = 7
RARE = "heliotrope"


def a_row(number: int, rows: int, chance: random.Random) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    if chance.random() < 0.6:
        sent["temperature"] = round(chance.random(), 1)
    if chance.random() < 0.3:
        sent["max_tokens"] = chance.choice([None, 64, 256])
    prompt = f"Describe the {chance.choice(WORDS)} and the {chance.choice(WORDS)} in one paragraph."
    model = chance.choice(["small", "large"])
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": prompt}], **sent, "stream": True})
    status = chance.choices(["ok", "error", "cancelled", "interrupted"], [93, 4, 2, 1])[0]
    well = status == "ok"
    tokens, ttft_ms = chance.randint(5, 120), chance.gauss(180, 40)
    text = " ".join(chance.choice(WORDS) for _ in range(tokens))
    moment = datetime.now(UTC) - timedelta(seconds=3 * (rows - number))
    began = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
    record = RunRecord(
        id=uuid.UUID(int=chance.getrandbits(128)).hex,
        created_at=began,
        heartbeat_at=began,
        finished_at=began,
        status=status,
        endpoint=chance.choices(["mine", "embedded"], [3, 1])[0],
        dialect="beezy",
        model=model,
        request_body=body,
        app_version="benchmark",
        text=f"{text} {RARE}" if number % 100_000 == 7 else text,
        finish_reason=chance.choice(["stop", "length"]) if well else None,
        prompt_tokens=30,
        completion_tokens=tokens if well else None,
        ttft_ms=ttft_ms,
        total_ms=ttft_ms + tokens * 20,
        tokens_per_second=chance.gauss(50, 5) if well else None,
        chunk_count=tokens,
        attempts=1,
        **summarize_request(body)._asdict(),
    )
    return to_row(record)


def fill(database: Database, rows: int) -> None:
    chance = random.Random(1)
    for begin in range(0, rows, AT_ONCE):
        batch = [a_row(number, rows, chance) for number in range(begin, min(begin + AT_ONCE, rows))]
        with database.writer.begin() as connection:
            connection.execute(runs.insert(), batch)


def print_times(name: str, ask: Callable[[], object]) -> None:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        try:
            ask()
        except QueryFailed as failure:
            print(f"{name:58} {failure}")
            return
        took.append((time.perf_counter() - began) * 1000)
    print(f"{name:58} {took[0]:8.1f} {statistics.median(took[1:]):8.1f}", flush=True)


def measure(database: Database) -> None:
    print(f"{count_runs(database):,} runs{'':48} first   median ms")
    first = page_of(database, View())
    print_times("first page", lambda: page_of(database, View()))
    print_times("next page", lambda: page_of(database, View(), first.next))
    by_ttft = View(order="TTFT")
    after = page_of(database, by_ttft).next
    views = {
        "status error": View(status="error"),
        "model large on embedded, oldest first": View(model="large", endpoint="embedded", descending=False),
        "temperature 0.7": View(settings="temperature 0.7"),
        "temperature omitted, max_tokens null": View(settings="temperature omitted, max_tokens null"),
        "order TTFT": by_ttft,
        "order tokens/s, model small": View(order="tokens/s", model="small"),
        "search, a word of nearly all runs": View(words="sea"),
        "search, two words next to each other": View(words='"quiet harbour"'),
        "search, a word of ten runs": View(words=RARE),
        "search, a word of nearly all, status error": View(words="sea", status="error"),
        "a setting of no run": View(settings="top_p 0.123"),
    }
    print_times("order TTFT, next page", lambda: page_of(database, by_ttft, after))
    for name, view in views.items():
        print_times(name, lambda view=view: page_of(database, view))  # type: ignore[misc]
    print_times("count", lambda: count_runs(database))
    print_times("summary of all", lambda: summary_of(database, View()))
    print_times("summary of status error", lambda: summary_of(database, View(status="error")))
    print_times("summary of a word of nearly all", lambda: summary_of(database, View(words="sea")))
    print_times("summary of a setting of no run", lambda: summary_of(database, View(settings="top_p 0.123")))
    print_times("what can be chosen", lambda: choices(database))
    print_times("one run", lambda: find_run(database, str(first.runs["id"][0])))
    print(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def main() -> None:
    """Make the log if it is missing, and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.find_runs", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--url", help="a PostgreSQL database, which is filled when it has no runs")
    arguments = parser.parse_args()
    if arguments.url:
        database = Database(arguments.url)
        if not count_runs(database):
            fill(database, arguments.rows)
        measure(database)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.log or Path(folder) / "runs.sqlite3"
        is_new = not path.exists()
        database = Database(f"sqlite:///{path}")
        if is_new:
            fill(database, arguments.rows)
        measure(database)
        database.close()


if __name__ == "__main__":
    main()
