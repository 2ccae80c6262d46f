"""Writes a small log as this release writes it, for every later release to open.

    python -m tests.log.make_gallery 0.1.0

Run it once for each release; files in the gallery never change.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from components import __version__
from components.contract.chunk import Usage
from components.drafts.store import save_draft, save_preset
from components.log.export import export_runs
from components.log.log import Log
from components.runs.run import Run
from components.streaming.answer import TimedEvent
from components.streaming.faults import ErrorKind
from components.streaming.moments import Timings
from components.streaming.outcome import Outcome, Status
from tests.orders import order, said

GALLERY = Path(__file__).parent / "gallery"


def main(version: str) -> None:
    if version != __version__:
        sys.exit(f"This is {__version__}, so it cannot write the gallery piece of {version}.")
    path = GALLERY / f"{version}.sqlite3"
    if path.exists():
        sys.exit(f"{path.name} is there already.")
    GALLERY.mkdir(exist_ok=True)
    log = Log(f"sqlite:///{path}")
    for status in Status:
        run = Run(order(draft='{"turns": []}' if status is Status.OK else None))
        log.begin(run)
        run.take(TimedEvent("message", '{"choices": []}', 12.5))
        run.take(TimedEvent("message", "[DONE]", 20.0))
        run.take(said("Hello \N{OCTOPUS} ", 12.5, "thinking\n"))
        run.take(said("<b>\u2028you</b> \u05d0", 20.0))
        if status is not Status.RUNNING:
            run.finish(_outcome(status))
            log.end(run)
    save_draft(log, "d" * 32, '{"turns": []}')
    save_preset(log, "Mine", '{"settings": {}}')
    path.with_suffix(".jsonl").write_text("".join(export_runs(log.database)), "utf-8", newline="\n")
    log.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM")
    for beside in GALLERY.glob(f"{path.name}.*"):
        beside.unlink()


def _outcome(status: Status) -> Outcome:
    good = status in (Status.OK, Status.DAMAGED)
    return Outcome(
        status,
        None if good else ErrorKind.INTERNAL,
        None if good else "It ended. Run again.",
        raw_error=None if good else '{"detail": "x"}',
        http_status=None if status is Status.REJECTED else 200,
        finish_reason="stop" if good else None,
        usage=Usage(prompt_tokens=7, completion_tokens=2, total_tokens=9) if good else None,
        timings=Timings(1.5, 2.5, 11.0, 12.5, 20.0, 0.0, 21.25),
        chunk_count=2,
        attempts=1,
        warnings=("odd",) if status is Status.DAMAGED else (),
    )


if __name__ == "__main__":
    main(sys.argv[1])
