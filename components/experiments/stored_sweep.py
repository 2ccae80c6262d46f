"""A sweep as the log keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.drafts.comparison import Timing
from components.drafts.draft import Draft, read_draft
from components.experiments.cells import Reused
from components.experiments.data_set import as_json_lines
from components.experiments.problem import SweepProblem
from components.experiments.rules import Rules, read_rules, write_rules
from components.experiments.run_order import Cell, Plan
from components.experiments.store import StoredExperiment
from components.experiments.sweep_setup import Setup, read_setup


@dataclass(frozen=True)
class StoredSweep:
    """A sweep in the log: its draft and set-up, the rows of its plan, and the inputs of its data set.

    Without a data set there are no inputs. Each row is sent with each input: the position of a run in the log is ``row
    * inputs_per_row + input``, both from 0.
    """

    draft: Draft
    setup: Setup
    rows: list[dict[str, str]]
    inputs: list[dict[str, str]] = field(default_factory=list)
    reused: Reused = field(default_factory=dict)
    """Cells that take their answer from an earlier run."""
    rules: Rules = field(default_factory=Rules)

    @property
    def positions(self) -> int:
        """The number of positions; each has one cell per repeat."""
        return len(self.rows) * self.inputs_per_row

    @property
    def inputs_per_row(self) -> int:
        """The number of positions of a row: one without a data set."""
        return max(len(self.inputs), 1)

    def row_at(self, position: int) -> dict[str, str]:
        """The row at a position."""
        return self.rows[position // self.inputs_per_row]

    def input_number_at(self, position: int) -> int:
        """The number of the input at a position, from 1; 0 without a data set."""
        return position % len(self.inputs) + 1 if self.inputs else 0

    def input_at(self, position: int) -> Mapping[str, str]:
        """The input at a position; empty without a data set."""
        return self.inputs[position % len(self.inputs)] if self.inputs else {}


def read_sweep(stored: StoredExperiment) -> StoredSweep | None:
    """The sweep of a log entry, or None when a later version wrote it."""
    content = json.loads(stored.content)
    draft = read_draft(json.dumps(content.get("draft")))
    setup = read_setup(json.dumps(content.get("setup")))
    if not draft or not setup or not content.get("rows"):
        return None
    inputs = content.get("inputs", [])
    reused = {(position, repeat): run_id for position, repeat, run_id in content.get("reused", [])}
    setup = setup.model_copy(update={"data": as_json_lines(inputs)})
    return StoredSweep(draft, setup, content["rows"], inputs, reused, stored_rules(content))


def sweep_content(sweep: StoredSweep) -> str:
    """The content of the log entry, which ``read_sweep`` reads."""
    content = {
        "draft": json.loads(sweep.draft.to_text()),
        # The inputs already contain the selected rows of the data set.
        "setup": sweep.setup.model_dump(mode="json", exclude={"data", "data_name", "sample_rows", "sample_seed"}),
        "rows": sweep.rows,
        "inputs": sweep.inputs,
        "reused": [[*place, run_id] for place, run_id in sweep.reused.items()],
    }
    return json.dumps(content | rules_content(sweep.rules))


def rules_content(rules: Rules) -> dict[str, str]:
    """The part of an experiment's content that holds its rules; empty without any."""
    written = write_rules(rules)
    return {"rules": written} if written else {}


def stored_rules(content: dict[str, object]) -> Rules:
    """The rules in an experiment's content; none when a later version wrote them."""
    try:
        return read_rules(str(content.get("rules", "")))
    except SweepProblem:
        return Rules()


def sweep_run(setup: Setup, cells: Sequence[Cell]) -> Plan:
    """The plan that makes these cells as the set-up asks."""
    timing = Timing.INTERLEAVED if setup.at_once == 1 else Timing.PARALLEL
    return Plan(tuple(cells), timing, setup.at_once, shared=True)
