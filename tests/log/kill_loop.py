"""Repeatedly kills processes that log runs, and checks their logs.

    python -m tests.log.kill_loop [--kills 40] [--lanes 4] [--url postgresql+psycopg://…]

Each lane is a log of its own (with --url: all lanes share that database). In each turn a process starts runs there,
three at a time, which take in a piece of text every 5 ms and end after a while; at a random moment after the second
start it is killed with -9. It records in a file the starts, texts with times, and ends of its runs. Afterwards every
recorded run must be in the log: ended runs complete with all events, and of the others no text older than 500 ms may be
missing, no event older than 5 s, and none between others.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from components.log.database import Database
from components.log.log import Log
from components.log.query import events_of, find_run
from components.runs.run import Run
from components.streaming.answer import Delta, TimedEvent
from components.streaming.outcome import Outcome, Status
from tests.orders import order
from tests.waiting import wait_for

MAX_LOST_MS = 500
MAX_EVENTS_LOST_MS = 5_000


@dataclass
class Tally:
    """The results of all turns."""

    kills: int = 0
    runs: int = 0
    ended: int = 0
    missing: int = 0
    ended_but_not_whole: int = 0
    wrong_text: int = 0
    wrong_events: int = 0
    worst_text_loss_ms: float = 0.0
    worst_event_loss_ms: float = 0.0
    damaged: int = 0

    @property
    def good(self) -> bool:
        broken = self.missing or self.ended_but_not_whole or self.wrong_text or self.wrong_events or self.damaged
        late = self.worst_text_loss_ms > MAX_LOST_MS or self.worst_event_loss_ms > MAX_EVENTS_LOST_MS
        return not broken and not late


def _child(url: str, notes: Path) -> None:
    """Log runs endlessly, and note what the log must contain."""
    log = Log(url)
    out = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(*words: object) -> None:
        os.write(out, f"{json.dumps(words)}\n".encode())

    def work() -> None:
        while True:
            run = Run(order(body=b"{}"))
            log.begin(run)
            log.wait_until_committed(run)
            note("began", run.id)
            for number in range(random.choice((5, 50, 500))):
                text = f"{number} "
                run.take(TimedEvent("message", text, number * 5.0, (Delta(0, text),)))
                note("text", run.id, text, time.time())
                time.sleep(0.005)
            run.finish(Outcome(Status.OK, http_status=200))
            log.end(run)
            note("ended", run.id)

    for _ in range(3):
        threading.Thread(target=work).start()
    threading.Event().wait()


def _fork(url: str, notes: Path) -> int:
    """Fork a process that logs runs; returns its id."""
    sys.stdout.flush()
    if child := os.fork():
        return child
    try:
        _child(url, notes)
    finally:
        os._exit(1)


def _look(url: str, notes: Path, killed_at: float, tally: Tally) -> None:
    texts: dict[str, list[tuple[str, float]]] = defaultdict(list)
    began, ended = set(), set()
    for line in notes.read_text().splitlines() if notes.exists() else []:
        kind, run_id, *rest = json.loads(line)
        if kind == "text":
            texts[run_id].append((rest[0], rest[1]))
        else:
            (began if kind == "began" else ended).add(run_id)
    database = Database(url)
    for run_id in began:
        found = find_run(database, run_id)
        if found is None:
            tally.missing += 1
            continue
        whole = "".join(text for text, _ in texts[run_id])
        pieces = [text for text, _ in texts[run_id]]
        events = [event.data for event in events_of(database, run_id)]
        if run_id in ended:
            tally.ended_but_not_whole += (found.status, found.text, events) != ("ok", whole, pieces)
            continue
        tally.wrong_events += pieces[: len(events)] != events[: len(pieces)]
        if len(events) < len(pieces):
            late_ms = round((killed_at - texts[run_id][len(events)][1]) * 1000, 1)
            tally.worst_event_loss_ms = max(tally.worst_event_loss_ms, late_ms)
        # The last piece may have been logged and not noted.
        tally.wrong_text += not whole.startswith(found.text) and not found.text.startswith(whole)
        length = 0
        for text, at in texts[run_id]:
            length += len(text)
            if length > len(found.text):
                tally.worst_text_loss_ms = max(tally.worst_text_loss_ms, round((killed_at - at) * 1000, 1))
                break
    database.close()
    tally.kills += 1
    tally.runs += len(began)
    tally.ended += len(ended)


def _quick_check(url: str) -> bool:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return bool(connection.execute("PRAGMA quick_check").fetchone() == ("ok",))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--lanes", type=int, default=4, help="processes at once")
    parser.add_argument("--url", help="a database other than SQLite")
    options = parser.parse_args()
    tally = Tally()
    began_at = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        urls = [options.url or f"sqlite:///{folder}/{lane}.sqlite3" for lane in range(options.lanes)]
        for url in set(urls):
            Database(url).close()
        for turn in range(0, options.kills, options.lanes):
            lanes = urls[: options.kills - turn]
            notes = [Path(folder) / f"{turn}-{lane}" for lane in range(len(lanes))]
            children = [_fork(*arguments) for arguments in zip(lanes, notes, strict=True)]
            wait_for(lambda notes=notes: all(note.exists() and note.read_text().count("began") > 1 for note in notes))
            killed_at = []
            for child in children:
                time.sleep(random.uniform(0.2, 1.0) / len(children))
                os.kill(child, signal.SIGKILL)
                killed_at.append(time.time())
                os.waitpid(child, 0)
            for url, note, at in zip(lanes, notes, killed_at, strict=True):
                if url.startswith("sqlite"):
                    tally.damaged += not _quick_check(url)
                _look(url, note, at, tally)
    print(json.dumps({**asdict(tally), "seconds": round(time.monotonic() - began_at, 1)}))
    return not tally.good


if __name__ == "__main__":
    sys.exit(main())
