"""A sweep as the log keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.drafts.comparison import Timing
from components.drafts.draft import Draft, read_draft
from components.experiments.data_set import as_json_lines
from components.experiments.problem import SweepProblem
from components.experiments.reuse import Reused
from components.experiments.rules import Rules, read_rules, write_rules
from components.experiments.run_order import Cell, Plan
from components.experiments.store import KeptExperiment
from components.experiments.sweep_plan import cell_count
from components.experiments.sweep_setup import Setup, read_setup


@dataclass(frozen=True)
class KeptSweep:
    """A sweep in the log: its draft and set-up, the rows of its plan, and the inputs of its data set.

    Without a data set there are no inputs. Each row is sent with each input: the position of a run in the log is ``row
    * max(len(inputs), 1) + input``, both from 0.
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
        return cell_count(len(self.rows), len(self.inputs), 1)

    def input_at(self, position: int) -> Mapping[str, str]:
        """The input at a position; empty without a data set."""
        return self.inputs[position % len(self.inputs)] if self.inputs else {}


def read_sweep(kept: KeptExperiment) -> KeptSweep | None:
    """The sweep of a log entry, or None when a later version wrote it."""
    content = json.loads(kept.content)
    draft = read_draft(json.dumps(content.get("draft")))
    setup = read_setup(json.dumps(content.get("setup")))
    if not draft or not setup or not content.get("rows"):
        return None
    inputs = content.get("inputs", [])
    reused = {(position, repeat): run_id for position, repeat, run_id in content.get("reused", [])}
    setup = setup.model_copy(update={"data": as_json_lines(inputs)})
    return KeptSweep(draft, setup, content["rows"], inputs, reused, kept_rules(content))


def sweep_content(kept: KeptSweep) -> str:
    """The content of the log entry, which ``read_sweep`` reads."""
    content = {
        "draft": json.loads(kept.draft.to_text()),
        # The inputs already contain the selected rows of the data set.
        "setup": kept.setup.model_dump(mode="json", exclude={"data", "data_name", "sample_rows", "sample_seed"}),
        "rows": kept.rows,
        "inputs": kept.inputs,
        "reused": [[*place, run_id] for place, run_id in kept.reused.items()],
    }
    return json.dumps(content | rules_content(kept.rules))


def rules_content(rules: Rules) -> dict[str, str]:
    """The part of an experiment's content that holds its rules; empty without any."""
    written = write_rules(rules)
    return {"rules": written} if written else {}


def kept_rules(content: dict[str, object]) -> Rules:
    """The rules in an experiment's content; none when a later version wrote them."""
    try:
        return read_rules(str(content.get("rules", "")))
    except SweepProblem:
        return Rules()


def sweep_run(setup: Setup, cells: Sequence[Cell]) -> Plan:
    """The plan that makes these cells as the set-up asks."""
    timing = Timing.INTERLEAVED if setup.at_once == 1 else Timing.PARALLEL
    return Plan(tuple(cells), timing, setup.at_once, shared=True)
