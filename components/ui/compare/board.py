"""The lanes of a comparison side by side: the changes and the live answer of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import streamlit as st

from components.contract.difference import differences
from components.contract.lint import Severity
from components.drafts import comparison as lanes
from components.drafts.comparison import FEWEST_LANES, MAX_LANES, Comparison, Lane
from components.drafts.draft import Draft
from components.endpoints.endpoint import AnyEndpoint
from components.experiments.cases import TimeForChecks, rate_in_words
from components.experiments.cell_result import CellResult
from components.experiments.experiment import Experiment
from components.experiments.lanes import LaneRequest
from components.log.record import RunRecord
from components.runs.run import Run
from components.streaming.outcome import Status
from components.ui import presses, state
from components.ui.answer.own_html import draw_style
from components.ui.answer.place import Place
from components.ui.answer.probabilities import draw_run_without_probabilities
from components.ui.answer.run_lookup import record_of, request_of
from components.ui.answer.run_view import draw_fallback_notice, draw_run
from components.ui.choices import draw_action, draw_more, draw_popover, draw_steps
from components.ui.compare import keys
from components.ui.compare.keys import lane_key
from components.ui.compare.lane_form import draw_lane_form
from components.ui.compare.lane_runs import LaneRuns
from components.ui.compare.starting import (
    change_lanes,
    check_lane,
    requests_of,
    run_lane_without_probabilities,
    start_lane,
    stop,
)
from components.ui.compare.vote import shown_run_of
from components.ui.experiment_file import rules_form
from components.ui.form import draft_form
from components.ui.form.probability_switch import asks_for_probabilities
from components.ui.plain_words import plain_words
from components.ui.visitor import own_experiment

_CHECKS_S = 0.5
_LONG_LIST = 6
"""Further differences are counted and not named."""

_HIDDEN_NUMBERS = """
.st-key-lanes [class*="st-key-lane_run_status_"] { display: none; }
"""

_MAX_WRAPPED = 4
_SIDEWAYS = """
@media (min-width: 641px) {
  .st-key-lanes { flex-wrap: nowrap; overflow-x: auto; }
  .st-key-lanes > [data-testid="stLayoutWrapper"] { flex: 0 0 20rem; }
}
"""


@dataclass(frozen=True)
class _Drawn:
    """A lane as the whole page drew it; parts may be outdated when only the lane is redrawn."""

    draft: Draft
    request: LaneRequest
    lane_runs: LaneRuns | None
    experiment: Experiment | None
    endpoints: Mapping[str, AnyEndpoint]
    busy: bool
    version: int
    """The experiment's version before its runs were read."""
    lanes: int
    number: int | None
    """Its number in a blind order; None when nothing is hidden."""


def draw_board(
    requests: list[LaneRequest],
    runs: Mapping[str, LaneRuns],
    experiment: Experiment | None,
    draft: Draft,
    endpoints: Mapping[str, AnyEndpoint],
    *,
    version: int,
    blind_order: list[str] | None,
) -> None:
    """Draw every lane.

    ``version`` is the experiment's before its runs were read. ``blind_order`` sets the order and hides the identity of
    the lanes.
    """
    by_id = {request.lane.id: request for request in requests}
    order = blind_order or list(by_id)
    _draw_tabs(order, draft.comparison, blind=bool(blind_order))
    # Status and numbers would identify the lane. They are hidden by style, so that the answers keep their places.
    draw_style((_HIDDEN_NUMBERS if blind_order else "") + (_SIDEWAYS if len(order) > _MAX_WRAPPED else ""))
    with st.container(horizontal=True, key="lanes", gap="small"):
        for number, lane_id in enumerate(order, 1):
            drawn = _Drawn(
                draft=draft,
                request=by_id[lane_id],
                lane_runs=runs.get(lane_id),
                experiment=experiment,
                endpoints=endpoints,
                busy=experiment is not None and experiment.is_busy(lane_id),
                version=version,
                lanes=len(order),
                number=number if blind_order else None,
            )
            with st.container(key=lane_key("card", lane_id), border=True, gap="xxsmall"):
                _draw_lane(drawn)
    draw_fallback_notice()


def shown_run(lane_id: str, lane_runs: LaneRuns, *, blind: bool) -> Run | RunRecord:
    """The run that a lane shows: the selected repeat, else the newest; in a blind vote, the one it is about."""
    ids = [run.id for run in lane_runs.runs]
    chosen = st.session_state.get(lane_key("chosen", lane_id))
    if blind:
        return shown_run_of(lane_runs)
    return lane_runs.runs[ids.index(chosen) if chosen in ids else -1]


@st.fragment
def _draw_lane(drawn: _Drawn) -> None:
    """Draw a lane. A click redraws only the lane, or the page when it affects other parts."""
    presses.act()
    draft, request, lane_id = draft_form.read(), drawn.request, drawn.request.lane.id
    experiment = own_experiment(st.session_state.get(state.EXPERIMENT))
    if lane_id not in [lane.id for lane in draft.comparison.lanes]:
        st.rerun()  # it was just deleted
    if experiment is not drawn.experiment or (experiment and experiment.is_busy(lane_id) != drawn.busy):
        st.rerun()
    if experiment and experiment.version != drawn.version and not experiment.active:
        # A run that a press in this lane started has ended already, and no other part of the page looks again.
        st.rerun()
    if draft.comparison != drawn.draft.comparison:
        request = next((each for each in requests_of(draft) if each.lane.id == lane_id), request)
    run = shown_run(lane_id, drawn.lane_runs, blind=drawn.number is not None) if drawn.lane_runs else None
    record = record_of(run)
    place = Place(lane_id, f"Lane {request.title}" if drawn.number is None else f"Answer {drawn.number}", drawn.lanes)
    pending = experiment.pending(lane_id) if experiment else 0
    if drawn.number is not None:
        st.markdown(f"**{place.name}**")
        _draw_answer(request, run, record, place, blind=True, pending=pending)
        return
    _draw_head(request, draft, drawn.endpoints)
    if drawn.lane_runs and run:
        _draw_repeats(lane_id, drawn.lane_runs, run, pending=pending)
    _draw_answer(request, run, record, place, blind=False, pending=pending)
    if not drawn.busy:
        rerun = partial(run_lane_without_probabilities, lane_id)
        draw_run_without_probabilities(record, rerun, place, requested=asks_for_probabilities(request.draft))
    if drawn.lane_runs and record:
        _draw_checks(drawn.lane_runs, record)
    _draw_foot(request, record, busy=drawn.busy)
    if draft.comparison != drawn.draft.comparison or st.session_state.pop(keys.REPEAT_CHOSEN, False):
        # The change affects other parts, which follow a moment later.
        st.rerun()


def _draw_tabs(order: list[str], comparison: Comparison, *, blind: bool) -> None:
    """Draw the choice of the visible lane on a phone; wider pages hide it."""
    titles = {lane_id: str(number) if blind else comparison.letter(lane_id) for number, lane_id in enumerate(order, 1)}
    if st.session_state.get(keys.LANE_TAB) not in order:
        st.session_state[keys.LANE_TAB] = order[0]
    with st.container(key="lane_tabs"):
        chosen = st.segmented_control(
            "Lane",
            order,
            format_func=lambda lane_id: titles[lane_id],
            required=True,
            key=keys.LANE_TAB,
            label_visibility="collapsed",
        )
    hidden = ", ".join(
        f'[data-testid="stLayoutWrapper"]:has(> .st-key-{lane_key("card", lane_id)})'
        for lane_id in order
        if lane_id != chosen
    )
    # By style, so that the answers of hidden lanes keep growing in place.
    draw_style(f"@media (max-width: 640px) {{ {hidden} {{ display: none; }} }}")


def _draw_head(request: LaneRequest, draft: Draft, endpoints: Mapping[str, AnyEndpoint]) -> None:
    lane = request.lane
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        muted = " :gray-badge[muted]" if lane.muted else ""
        st.markdown(f"**{plain_words(request.title)}** :small[{_differing(request)}]{muted}", width="stretch")
        draw_form = partial(draw_lane_form, lane, draft, endpoints)
        draw_popover("Change", lane_key("form", lane.id), ":material/tune:", draw_form)
        _draw_menu(lane, draft.comparison)
    for hint in request.hints:
        st.markdown(f":gray[:material/info: :small[{plain_words(hint)}]]")


def _differing(request: LaneRequest) -> str:
    changes = request.differences
    if not changes:
        return ":gray[base settings]"
    names = ", ".join(
        f"{plain_words(change.field)} **{plain_words(change.before)} → {plain_words(change.after)}**"
        if change.before != "omitted" and change.after != "omitted"
        else f"{plain_words(change.field)} **{plain_words(change.after)}**"
        for change in changes[:_LONG_LIST]
    )
    return names + (f" and {len(changes) - _LONG_LIST} more" if len(changes) > _LONG_LIST else "")


def _draw_menu(lane: Lane, comparison: Comparison) -> None:
    count, place = len(comparison.lanes), comparison.position(lane.id)
    actions: dict[str, Callable[[], None]] = {}
    if count < MAX_LANES:
        actions[":material/content_copy: Clone"] = partial(_change, lanes.added, copied_id=lane.id)
    if place > 0:
        actions[":material/arrow_back: Move left"] = partial(_change, lanes.moved, lane_id=lane.id, by=-1)
    if place < count - 1:
        actions[":material/arrow_forward: Move right"] = partial(_change, lanes.moved, lane_id=lane.id, by=1)
    word = "Unmute" if lane.muted else "Mute"
    actions[f":material/volume_off: {word}"] = partial(
        _change, lanes.changed, lane_ids=(lane.id,), muted=not lane.muted
    )
    if count > FEWEST_LANES:
        actions[":material/delete: Delete"] = partial(
            change_lanes, partial(lanes.removed, lane_id=lane.id), "lane deleted"
        )
    draw_more(f"Lane {comparison.letter(lane.id)}: more", actions, lane_key("menu", lane.id))


def _change(change: Callable[..., Comparison], **arguments: object) -> None:
    draft_form.change_comparison(partial(change, **arguments))


def _draw_repeats(lane_id: str, lane_runs: LaneRuns, shown: Run | RunRecord, *, pending: int) -> None:
    """Draw the choice of the repeat, if there are several."""
    ids = [run.id for run in lane_runs.runs]
    if len(ids) == 1 and not pending:
        return
    number = ids.index(shown.id) + 1

    def go(step: int) -> None:
        st.session_state[lane_key("chosen", lane_id)] = ids[min(max(number - 1 + step, 0), len(ids) - 1)]
        st.session_state[keys.REPEAT_CHOSEN] = True

    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(":small[:gray[Repeat]]", width="content")
        draw_steps("repeat", number, len(ids), key=lambda name: lane_key(f"repeat_{lane_id}", name), go=go)
        if pending:
            st.markdown(f":small[:gray[{pending} pending]]", width="content")


def _draw_answer(
    request: LaneRequest,
    run: Run | RunRecord | None,
    record: RunRecord | None,
    place: Place,
    *,
    blind: bool,
    pending: int,
) -> None:
    stale = bool(record and (record.endpoint, record.request_body.encode()) != request.identity)
    if request.lane.muted and record is None:
        st.caption("Muted: this lane is not run.")
        return
    if record is None and pending:
        st.caption("Queued.")
        return

    def draw_notice() -> None:
        if stale and record and not record.running and not blind:
            before, after = request_of(record), request.composed.request
            changes = differences(before, after) if before and after else []
            names = ", ".join(str(change) for change in changes[:3])
            sentence = f"Made with other settings: {names}" if names else "The lane has changed since"
            st.markdown(f":small[:gray[:material/history: {plain_words(sentence)}]]")

    draw_run(run, stale=stale, actions=draw_notice, place=place)


def _draw_checks(lane_runs: LaneRuns, shown: RunRecord) -> None:
    """Draw the lane's pass rate, and the check that the shown answer does not pass."""
    checks = rules_form.read().checks
    if not checks:
        return
    cached: dict[str, CellResult] = state.last_value(keys.CHECKED, checks, dict)
    time_left = TimeForChecks(_CHECKS_S)
    results: list[CellResult] = []
    for record in lane_runs.records():
        result, checked = (cached[record.id], False) if record.id in cached else time_left.result(record, checks, {})
        if checked and not record.running:
            cached[record.id] = result
        results.append(result)
    shown_result = next((result for result in results if result.id == shown.id), None)
    rate = rate_in_words(result.passed for result in results)
    st.markdown(f":small[:material/rule: Checks passed: **{rate}**]")
    if shown_result and shown_result.check:
        sign = ":red[:material/close:" if shown_result.passed is False else ":gray[:material/question_mark:"
        st.markdown(f"{sign} :small[{plain_words(shown_result.check)}]]")


def _draw_foot(request: LaneRequest, record: RunRecord | None, *, busy: bool) -> None:
    lane_id = request.lane.id
    objection = request.composed.objection(send_anyway=bool(st.session_state.get(state.SEND_ANYWAY)))
    if objection and not busy:
        refused = request.composed.may_be_refused and not request.composed.problem
        sign = ":orange[:material/warning:" if refused else ":red[:material/error:"
        st.markdown(f"{sign} :small[{plain_words(objection)}]]")
    for remark in request.composed.remarks:
        if remark.severity is Severity.HINT and remark.field in request.lane.settings:
            st.markdown(f":gray[:material/info: :small[{plain_words(remark.sentence)}]]")
    if record and record.determinism:
        st.markdown(f":small[:material/fingerprint: Sent again: **{plain_words(record.determinism)}**]")
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if busy:
            draw_action("Stop", lane_key("stop", lane_id), ":material/stop:", stop, lane_id)
        else:
            key, what = lane_key("run", lane_id), "Runs this lane only."
            draw_action("Run", key, ":material/play_arrow:", start_lane, lane_id, disabled=bool(objection), help=what)
        if record and not record.running and not busy:
            if record.status == Status.OK:
                key, label = lane_key("check", lane_id), "Check determinism"
                what = "Sends exactly the same bytes again and checks whether the answer is identical."
                draw_action(label, key, ":material/fingerprint:", check_lane, lane_id, record, help=what)
            with st.container(width="content", key=lane_key("open", lane_id)):
                st.page_link(
                    "playground.py",
                    label="Open in the playground",
                    icon=":material/open_in_new:",
                    query_params={state.OPEN_PARAMETER: record.id},
                )
