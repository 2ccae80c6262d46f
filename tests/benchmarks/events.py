"""The cost of storing every event of a stream: recording, database size, and reading.

python -m tests.benchmarks.events [--events 2000]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select

from components.log.log import Log
from components.log.query import events_of
from components.log.tables import events
from components.runs.run import Run
from components.streaming.answer import TimedEvent
from components.streaming.outcome import Outcome, Status
from tests.orders import order


def chunk(number: int) -> str:
    choice = {"index": 0, "delta": {"content": f" word{number % 97}"}, "finish_reason": None}
    head = {"id": "cmpl-4f1c2e", "object": "chat.completion.chunk", "created": 1795540000, "model": "some-model"}
    return json.dumps({**head, "choices": [choice]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000)
    count = parser.parse_args().events
    sent = [TimedEvent("message", chunk(number), number * 10.0 + number % 7 / 3) for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        log = Log(f"sqlite:///{Path(folder) / 'runs.sqlite3'}")
        run = Run(order(body=b"{}"))
        log.begin(run)
        began = time.perf_counter()
        for event in sent:
            run.take(event)
        taken = time.perf_counter() - began
        run.finish(Outcome(Status.OK))
        log.end(run)
        with log.database.reader.begin() as connection:
            stored = connection.execute(select(func.sum(func.length(events.c.content)))).scalar_one()
        began = time.perf_counter()
        assert len(events_of(log.database, run.id)) == count
        read = time.perf_counter() - began
        log.close()
    size = sum(len(event.data) for event in sent) / count
    print(f"{count:,} events of {size:.0f} characters: taken in {taken / count * 1e6:.1f} µs each, ", end="")
    print(f"{stored / count:.1f} bytes each in the database, all read back in {read * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
