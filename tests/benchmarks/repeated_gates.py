"""How often a gate raises a false alarm on an unchanged endpoint, and how often it finds a real change.

``python -m tests.benchmarks.repeated_gates`` runs the same experiment file on the embedded model again and again, each
time against one baseline, and prints a table. Times are left out: another program on the machine would change them.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path

from components.experiments.__main__ import main
from components.experiments.report import Outcome

UNCHANGED_GATES = 20
CHANGED_GATES = 5
FILE = """\
tempera: 1
name: Story
base:
  endpoint: embedded
  messages:
    - user: Write one sentence about the sea.
  settings: {temperature: 0.7, max_tokens: 24}
repeats: 10
checks:
  - regex: {pattern: '\\b(sea|ocean|water|waves?)\\b', ignore_case: true}
limits:
  - pass_rate: {at_least: 0}
tolerances:
  answers: 0.02
  pass_rate: 0.05
  length: 5 %
  distinct_2: 0.02
"""
CHANGES = {
    "unchanged": FILE,
    "temperature 0.7 → 0": FILE.replace("temperature: 0.7", "temperature: 0"),
    "another prompt": FILE.replace("Write one sentence about the sea.", "Write one sentence about a mountain."),
    "max_tokens 24 → 16": FILE.replace("max_tokens: 24", "max_tokens: 16"),
}


def exit_code(folder: Path, text: str, *arguments: str) -> int:
    file = folder / "story.yaml"
    file.write_text(text)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = main(["run", str(file), "--log", f"sqlite:///{folder / 'log.sqlite3'}", *arguments])
    if code == Outcome.UNKNOWN.exit_code:
        print(said.getvalue())
    return code


def print_table(folder: Path) -> None:
    baseline = folder / "baseline.json"
    if exit_code(folder, FILE, "--json", str(baseline)) != Outcome.PASSED.exit_code:
        raise SystemExit("The baseline did not pass.")
    print("| endpoint | gates | failed |\n|---|--:|--:|")
    for change, text in CHANGES.items():
        gates = UNCHANGED_GATES if text == FILE else CHANGED_GATES
        failed = sum(exit_code(folder, text, "--baseline", str(baseline)) == 1 for _ in range(gates))
        print(f"| {change} | {gates} | {failed} |", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print_table(Path(folder))
