"""The results of a comparison, below its lanes: numbers, differences, noise, settings, votes. They update live."""

from __future__ import annotations

import time
from collections.abc import Mapping

import streamlit as st

from components.experiments.experiment import Experiment
from components.experiments.lanes import LaneRequest
from components.log.record import RunRecord
from components.runs.run import Run
from components.ui import state
from components.ui.answer.answer_differences import answer_text, draw_first_divergence, draw_word_differences
from components.ui.answer.numbers import draw_numbers, draw_token_chart
from components.ui.answer.run_differences import draw_settings_table
from components.ui.answer.run_lookup import record_of
from components.ui.choices import choose_view
from components.ui.compare import keys
from components.ui.compare.board import shown_run
from components.ui.compare.lane_runs import LaneRuns
from components.ui.compare.noise import draw_noise
from components.ui.compare.vote import draw_vote, draw_vote_saved, draw_votes
from components.ui.plain_words import plain_words

NUMBERS = "Numbers"
WORDS = "Diff"
DIVERGENCE = "First divergence"
NOISE = "Noise"
SETTINGS = "Settings"
VOTE = "Vote"
_REFRESH_S = 1.0


@st.fragment
def draw_outcome(
    requests: list[LaneRequest],
    runs: Mapping[str, LaneRuns],
    experiment: Experiment | None,
    *,
    version: int,
    blind_order: list[str] | None,
    as_written: bool,
) -> None:
    """Draw the chosen view; choosing redraws nothing else.

    ``version`` is the experiment's version before its lanes were drawn, ``as_written`` whether they were drawn raw.
    """
    draw_vote_saved()
    titles = {request.lane.id: request.title for request in requests}
    shown = {lane: shown_run(lane, runs[lane], blind=bool(blind_order)) for lane in titles if lane in runs}
    records = {lane_id: record for lane_id, run in shown.items() if (record := record_of(run))}
    expected = [request.lane.id for request in requests if not request.lane.muted]
    all_ended = all(lane in records and not records[lane].running for lane in expected)
    answers = {lane_id: record for lane_id, record in records.items() if answer_text(record)}
    if blind_order:
        _watch(experiment, version, {})
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        view = choose_view("View", [NUMBERS, WORDS, DIVERGENCE, NOISE, SETTINGS, VOTE], keys.LOOK)
        switched = st.toggle("Raw", key=state.AS_WRITTEN, help="The texts as received, without Markdown.")
    if switched != as_written:
        st.rerun()
    _watch(experiment, version, {titles[lane_id]: run for lane_id, run in shown.items()} if view == NUMBERS else {})
    by_title = {titles[lane_id]: record for lane_id, record in answers.items()}
    unanswered = [titles[lane_id] for lane_id in records if lane_id not in answers]
    if view in (WORDS, DIVERGENCE, VOTE) and unanswered:
        st.caption(f"Without an answer: {plain_words(', '.join(unanswered))}.")
    if view == SETTINGS:
        draw_settings_table({request.title: request.words for request in requests}, "lanes")
    elif not records:
        active = experiment is not None and experiment.active
        st.caption("No lane has started yet." if active else "Run the lanes first.")
    elif view == VOTE:
        draw_vote(answers, titles, all_ended=all_ended, blind=False)
        draw_votes({run.id: lane_id for lane_id, lane_runs in runs.items() for run in lane_runs.runs}, titles)
    elif view in (WORDS, NOISE) and answers:
        reference = _draw_reference(requests, list(by_title))
        if view == WORDS:
            draw_word_differences(by_title, reference)
        else:
            draw_noise({title: runs[lane].records() for lane, title in titles.items() if lane in runs}, reference)
    elif view == DIVERGENCE:
        draw_first_divergence(by_title)


def _watch(experiment: Experiment | None, version: int, counted: Mapping[str, Run | RunRecord]) -> None:
    """Draw the numbers of the ``counted`` runs by their titles, and redraw the page whenever a run starts or ends.

    This includes a last run that has ended since the lanes were drawn.
    """
    changed = experiment is not None and experiment.version != version
    active = experiment is not None and experiment.active
    if changed and not active:
        st.rerun()
    drawn_at = time.monotonic()

    def refresh() -> None:
        # Delayed: runs that start together would each redraw the page.
        if experiment and experiment.version != version and time.monotonic() - drawn_at > _REFRESH_S / 2:
            st.rerun()
        records = {title: record for title, run in counted.items() if (record := record_of(run))}
        if records:
            draw_token_chart(records)
            draw_numbers(records)

    st.fragment(refresh, run_every=_REFRESH_S if active else None)()


def _draw_reference(requests: list[LaneRequest], titles: list[str]) -> str:
    """Draw the choice of the baseline lane; the default is the base."""
    base = next((request.title for request in requests if not request.differences and request.title in titles), None)
    chosen: str = st.selectbox(
        "Baseline",
        titles,
        index=titles.index(base) if base else 0,
        format_func=lambda title: f"lane {title}",
        key=keys.REFERENCE,
        width=220,
    )
    return chosen
