"""Starts, stops and opens comparisons for the session of a page."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from components.contract.fields import PROBABILITY_FIELDS
from components.drafts.comparison import Comparison, Timing, with_setting
from components.drafts.draft import Draft, read_draft
from components.drafts.setting import Setting
from components.drafts.side_by_side import side_by_side
from components.experiments.lanes import LaneRequest, lane_requests
from components.experiments.rules import Rules
from components.experiments.run_order import Cell, Plan, plan, with_checks
from components.experiments.store import StoredExperiment, adopt, find_experiment, save_experiment
from components.experiments.stored_sweep import rules_content, stored_rules
from components.log.record import RunRecord
from components.runs.order import WARM_UP, Placement, order_again
from components.runs.run import live_run
from components.server.process import service
from components.ui import state
from components.ui.answer.live_view import show_begun
from components.ui.answer.place import Place
from components.ui.available_endpoints import available_endpoints
from components.ui.compare import keys
from components.ui.experiment_file import rules_form
from components.ui.form import draft_form
from components.ui.form.endpoint_choice import model_cards
from components.ui.user_errors import show_errors
from components.ui.visitor import network, own_experiment, own_log, owner


def stored_draft(experiment_id: str | None) -> Draft | None:
    """The draft of an experiment in the log; the error of an unreadable log is shown."""
    stored = _stored(experiment_id)
    return read_draft(stored.content) if stored else None


def rules_of(experiment_id: str | None) -> Rules | None:
    """The rules of an experiment in the log; the error of an unreadable log is shown."""
    stored = _stored(experiment_id)
    return stored_rules(json.loads(stored.content)) if stored else None


def open_comparison(experiment_id: str, draft: Draft) -> None:
    """Show an experiment in the log, and put its draft and rules into the form."""
    draft_form.fill(draft, "comparison opened")
    rules_form.put(rules_of(experiment_id) or Rules())
    state.show_experiment(state.EXPERIMENT, experiment_id)


def requests_of(draft: Draft) -> list[LaneRequest]:
    """The request of every lane of the form."""
    return lane_requests(draft, available_endpoints(), model_cards)


def start_all() -> None:
    """Run every unmuted lane with a valid request as a new experiment; the previous one is stopped.

    An invalid lane shows its own problem and does not block the others.
    """
    draft = draft_form.read()
    requests = [request for request in requests_of(draft) if not request.lane.muted]
    objections = [request.composed.objection(send_anyway=_send_anyway()) for request in requests]
    ready = [request for request, objection in zip(requests, objections, strict=True) if not objection]
    if not ready:
        problem = objections[0] if objections else "Every lane is muted. Unmute one to run it."
        st.session_state[state.RUN_PROBLEM] = problem
        return
    demo = service().demo
    if demo and len(ready) > demo.compare_lanes:
        st.session_state[state.RUN_PROBLEM] = (
            f"This demo runs {demo.compare_lanes:,} lanes at most. Mute or delete {len(ready) - demo.compare_lanes:,}."
        )
        return
    before = own_experiment(st.session_state.get(state.EXPERIMENT))
    comparison = draft.comparison
    sent = [(request.lane.id, *request.identity, comparison.repeats, comparison.timing) for request in ready]
    if before and before.active:
        if st.session_state.get(keys.SENT) == sent:
            return  # the key is held down, or the button was pressed twice: the same comparison is already running
        before.stop()
    experiment_id = uuid.uuid4().hex
    state.show_experiment(state.EXPERIMENT, experiment_id)
    st.session_state[keys.SENT] = sent
    _start(experiment_id, draft, ready, is_new=True)


def stop(lane_id: str | None = None) -> None:
    """Stop the runs of one lane of the shown experiment, or of all, pending ones included."""
    if experiment := own_experiment(st.session_state.get(state.EXPERIMENT)):
        experiment.stop(lane_id)


def start_lane(lane_id: str) -> None:
    """Run one lane within the shown experiment."""
    experiment_id = st.session_state.get(state.EXPERIMENT) or uuid.uuid4().hex
    draft = draft_form.read()
    ready = [
        request
        for request in requests_of(draft)
        if request.lane.id == lane_id and not request.composed.objection(send_anyway=_send_anyway())
    ]
    if ready:
        state.show_experiment(state.EXPERIMENT, experiment_id)
        _start(experiment_id, draft, ready)


def run_lane_without_probabilities(lane_id: str) -> None:
    """Omit both fields of token probabilities in one lane, and run it; the others keep theirs."""
    base = draft_form.read().settings

    def without(comparison: Comparison) -> Comparison:
        for field in PROBABILITY_FIELDS:
            comparison = with_setting(comparison, (lane_id,), field, Setting() if field in base else None)
        return comparison

    draft_form.change_comparison(without, "token probabilities switched off in a lane")
    start_lane(lane_id)


def change_lanes(change: Callable[[Comparison], Comparison], sentence: str) -> None:
    """Change the lanes, and stop the runs of removed lanes, which can no longer be seen or stopped.

    Other lanes are unaffected: viewing another person's comparison with different lanes in the form stops nothing.
    """
    before = {lane.id for lane in draft_form.read().comparison.lanes}
    draft_form.change_comparison(change, sentence)
    for lane_id in before - {lane.id for lane in draft_form.read().comparison.lanes}:
        stop(lane_id)


def check_lane(lane_id: str, record: RunRecord) -> None:
    """Send the same bytes as a lane's run again, to compare the answers."""
    endpoint = available_endpoints().get(record.endpoint)
    experiment = own_experiment(record.experiment_id)
    if not endpoint or not experiment:
        return
    cell = Cell(lane_id, record.position or 0, record.repeat or 1, order_again(endpoint, record), checks=record.id)
    experiment.start(Plan((cell,), Timing.ONE_AFTER_ANOTHER, 1))


def compare_with(record: RunRecord, later: RunRecord | None = None) -> None:
    """Start a comparison with a run as lane A, and show it next; lane B is a later run, or the form's later changes."""
    experiment_id = uuid.uuid4().hex
    current = draft_form.read()
    base = draft_form.draft_of(record, current) or current
    other = (draft_form.draft_of(later, base) if later else None) or current
    draft_form.fill(side_by_side(base, other), "comparison begun")
    for number, run in enumerate(filter(None, (record, later))):
        if run.experiment_id is None:
            placement = Placement(experiment_id, str(number + 1), number, 1, Timing.PARALLEL.value, 1)
            adopt(own_log(), run.id, placement)
    save_experiment(own_log(), experiment_id, draft_form.read().to_text())
    state.show_experiment(state.EXPERIMENT, experiment_id)
    st.session_state[state.GO_TO_COMPARE] = True


def _start(experiment_id: str, draft: Draft, requests: Sequence[LaneRequest], *, is_new: bool = False) -> None:
    rules = rules_form.read()
    content = json.loads(draft.to_text()) | rules_content(rules)
    experiment = service().experiments.find(experiment_id, owner())
    before = set(experiment.run_ids())
    planned = plan(
        requests,
        [draft.comparison.position(request.lane.id) for request in requests],
        repeats=draft.comparison.repeats,
        timing=draft.comparison.timing,
    )
    cells = with_checks(planned.cells, rules.checks, lambda _position: {})
    # The first bytes go out after one commit, of the rows; the comparison itself and its claim are written next.
    with service().log.together():
        save_experiment(own_log(), experiment_id, json.dumps(content))
        experiment.start(replace(planned, cells=cells), network(), is_new=is_new)
    started = [live_run(own_log(), run_id) for run_id in experiment.run_ids() if run_id not in before]
    placed = [(run, run.order.placement) for run in started if run]
    show_begun((run, Place(placement.lane)) for run, placement in placed if placement and placement.repeat != WARM_UP)


@show_errors()
def _stored(experiment_id: str | None) -> StoredExperiment | None:
    database = own_log().database
    return find_experiment(database, experiment_id) if database and experiment_id else None


def _send_anyway() -> bool:
    return bool(st.session_state.get(state.SEND_ANYWAY))
