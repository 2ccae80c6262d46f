"""Writes a small log as this release writes it, for every later release to open.

    python -m tests.log.make_gallery 0.1.0

Run it once for each release; files in the gallery never change.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from components import __version__
from components.contract.chunk import Usage
from components.drafts.store import save_draft, save_preset
from components.experiments.file_reading import read_experiment_file
from components.experiments.file_writing import write_experiment_file
from components.experiments.store import SWEEP, Better, Vote, save_experiment, save_vote
from components.experiments.stored_sweep import StoredSweep, rules_content, sweep_content
from components.log.annotations import Annotation, annotate
from components.log.log import Log
from components.runs.order import Placement
from components.runs.run import Run
from components.sharing.capsule import Kind
from components.sharing.capsules import MAX_DAYS, publish
from components.sharing.collection import collection_of
from components.sharing.freezing import Choices, capsule_of
from components.streaming.answer import TimedEvent
from components.streaming.faults import ErrorKind
from components.streaming.moments import Timings
from components.streaming.outcome import Outcome, Status
from tests.log.exports import export_runs
from tests.orders import order, text_event

GALLERY = Path(__file__).parent / "gallery"
EXPERIMENT_FILES = Path(__file__).parents[1] / "experiments" / "gallery"
COMPARED, SWEPT = "c" * 32, "5" * 32
NOTED = Annotation(4, ("good", "two words"), "A note\nof two lines")

_BASE = """
base:
  endpoint: embedded
  model: m
  messages:
    - system: Be brief.
    - user: Capital of {{country}}?
  settings: {temperature: 0.2, max_tokens: null, stop: ["\\n"]}
"""
_CHECKED = """
checks:
  - contains: Paris
  - length: {at_most: 3, unit: words}
limits:
  - ttft_ms: {at_most: 500, of: p95}
tolerances:
  ttft_ms: 10 %
"""
_FILES = {
    "comparison": f"tempera: 1\nname: Capitals{_BASE}  variables: {{country: France, capital: Paris}}\n"
    "lanes:\n  - name: cold\n    settings: {temperature: 0}\n  - omit: [temperature]\n    system: Be long.\n"
    f"repeats: 3\norder: interleaved{_CHECKED}",
    "sweep": f"tempera: 1\nname: Capitals{_BASE}axes:\n  temperature: 0 to 1 step 0.5\n  model: [a, b]\n"
    "combine: product\ndata:\n  rows:\n    - {country: France, capital: Paris}\n    - {country: Italy, capital: Rome}\n"
    f"repeats: 4\n{_CHECKED}",
}


def main(version: str) -> None:
    if version != __version__:
        sys.exit(f"This is {__version__}, so it cannot write the gallery piece of {version}.")
    path = GALLERY / f"{version}.sqlite3"
    if path.exists():
        sys.exit(f"{path.name} is there already.")
    GALLERY.mkdir(exist_ok=True)
    log = Log(f"sqlite:///{path}")
    runs = []
    for status in Status:
        placement = Placement(SWEPT, "0", 0, 1, "parallel", 2) if status is Status.OK else None
        run = Run(order(draft='{"turns": []}' if status is Status.OK else None, placement=placement))
        runs.append(run)
        log.begin(run)
        run.take(TimedEvent("message", '{"choices": []}', 12.5))
        run.take(TimedEvent("message", "[DONE]", 20.0))
        run.take(text_event("Hello \N{OCTOPUS} ", 12.5, "thinking\n"))
        run.take(text_event("<b>\u2028you</b> \u05d0", 20.0))
        if status is not Status.RUNNING:
            run.finish(_outcome(status))
            log.end(run)
    save_draft(log, "d" * 32, '{"turns": []}')
    save_preset(log, "Mine", '{"settings": {}}')
    _save_experiments(log, version)
    [good] = [run for run in runs if run.record().status == Status.OK]
    other = next(run for run in runs if run.record().status == Status.CANCELLED)
    annotate(log, good.id, NOTED)
    save_vote(log, Vote(good.id, other.id, "temperature 0", "temperature 1", Better.FIRST, blind=True))
    capsule = capsule_of(
        [good.record()],
        kind=Kind.RUN,
        title="Shared",
        choices=Choices(notes=True),
        annotations={good.id: NOTED},
        events={good.id: good.events()},
    )
    shared = publish(log, capsule, MAX_DAYS)
    publish(log, collection_of("Collected", [(shared.id, "A **note**")]), MAX_DAYS)
    path.with_suffix(".jsonl").write_text("".join(export_runs(log.database)), "utf-8", newline="\n")
    log.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM")
    for beside in GALLERY.glob(f"{path.name}.*"):
        beside.unlink()


def _save_experiments(log: Log, version: str) -> None:
    EXPERIMENT_FILES.mkdir(exist_ok=True)
    files = {kind: read_experiment_file(text) for kind, text in _FILES.items()}
    for kind, experiment in files.items():
        text = write_experiment_file(experiment)
        (EXPERIMENT_FILES / f"{version}-{kind}.yaml").write_text(text, "utf-8", newline="\n")
    compared = files["comparison"]
    content = json.loads(compared.draft.to_text()) | rules_content(compared.rules)
    save_experiment(log, COMPARED, json.dumps(content))
    sweep = files["sweep"]
    rows = [{"temperature": "0"}, {"temperature": "0.5"}]
    inputs = [{"country": "France", "capital": "Paris"}]
    kept = StoredSweep(sweep.draft, sweep.setup, rows, inputs, rules=sweep.rules)
    save_experiment(log, SWEPT, sweep_content(kept), SWEEP)


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
