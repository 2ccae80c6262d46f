"""The shareable content of a comparison: its answers by lane, and the lanes themselves."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from components.drafts.draft import Draft
from components.drafts.in_words import SYSTEM, differences_between, in_words
from components.log.record import RunRecord
from components.sharing.capsule import MAX_RUNS, Kind
from components.sharing.linked_settings import LinkedSettings, linked_settings
from components.sharing.problem import LinkProblem
from components.ui.compare.lane_runs import LaneRuns
from components.ui.experiment_file import rules_form
from components.ui.share.share_answers import Answers


def answers_of(draft: Draft, runs_by_lane: Mapping[str, LaneRuns]) -> Answers:
    """The ended answers up to the limit of a share, each under its lane and the lane's changes."""
    runs: dict[str, RunRecord] = {}
    for lane in draft.comparison.lanes:
        records = runs_by_lane[lane.id].records() if lane.id in runs_by_lane else []
        ended = [record for record in records if not record.running]
        for record in ended:
            repeat = f", repeat {record.repeat}" if len(ended) > 1 else ""
            runs[f"{_title(draft, lane.id)}{repeat}"] = record
    settings: LinkedSettings | None = None
    with suppress(LinkProblem):
        settings = linked_settings(draft, comparison=True)
    return Answers(Kind.COMPARISON, dict(list(runs.items())[:MAX_RUNS]), settings, rules_form.read().checks)


def _title(draft: Draft, lane_id: str) -> str:
    differences = differences_between(in_words(draft), in_words(draft.comparison.lane(lane_id).apply(draft)))
    # The text of a system message must not reach every viewer of the lane.
    changed = [f"{difference.field} {difference.after}" for difference in differences if difference.field != SYSTEM]
    return " · ".join([draft.comparison.title(lane_id), *changed])
