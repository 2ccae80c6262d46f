"""The history of comparisons."""

from __future__ import annotations

from components.drafts.draft import Draft, read_draft
from components.experiments.rules import Rules
from components.experiments.store import COMPARISON, StoredExperiment
from components.ui import state
from components.ui.compare.starting import rules_of
from components.ui.experiment_file import rules_form
from components.ui.form import draft_form
from components.ui.history import draw_earlier


def draw_earlier_comparisons() -> None:
    """Draw the comparisons in a popover; each opens with its lanes and answers."""
    draw_earlier(COMPARISON, _read, _open)


def _read(stored: StoredExperiment) -> tuple[Draft, str] | None:
    draft = read_draft(stored.content)
    return (draft, f"{len(draft.comparison.lanes)} lanes") if draft else None


def _open(experiment_id: str, draft: Draft) -> None:
    draft_form.fill(draft, "comparison opened")
    rules_form.put(rules_of(experiment_id) or Rules())
    state.show_experiment(state.EXPERIMENT, experiment_id)
