"""The vote on the better of two answers, blind or open; it is stored with the runs."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import combinations

import streamlit as st

from components.contract.difference import differences
from components.experiments.lanes import LaneRequest
from components.experiments.store import Better, Vote, save_vote, votes_on
from components.log.record import RunRecord
from components.runs.run import Run
from components.ui import presses, state
from components.ui.answer.answer_differences import answer_text
from components.ui.answer.run_lookup import record_of, request_of
from components.ui.compare import keys
from components.ui.compare.keys import lane_key
from components.ui.compare.lane_runs import LaneRuns
from components.ui.compare.starting import start_all
from components.ui.plain_words import plain_words
from components.ui.user_errors import draw_error, show_errors, show_errors_later
from components.ui.visitor import own_log


def blind_pair(requests: Sequence[LaneRequest], runs: Mapping[str, LaneRuns]) -> list[str] | None:
    """The two lanes of a blind vote, left and right; None when nothing is to be hidden.

    They stay until the lanes or the experiment change, or the next pair is requested.
    """
    lanes = [request.lane.id for request in requests if not request.lane.muted]
    if not st.session_state.get(keys.BLIND) or len(lanes) < 2:
        st.session_state.pop(keys.REVEALED, None)
        return None
    pair: list[str] = st.session_state.get(state.BLIND_ORDER, [])
    if len(pair) != 2 or not set(pair) <= set(lanes):
        _choose_pair(lanes, runs)
    return None if st.session_state.get(keys.REVEALED) else st.session_state[state.BLIND_ORDER]


def draw_blind(requests: Sequence[LaneRequest], runs: Mapping[str, LaneRuns], pair: list[str] | None) -> None:
    """Draw the ballot of a blind vote, or after the vote its names and the way on; nothing outside a blind vote."""
    if pair:
        shown = [runs[lane] for lane in pair if lane in runs]
        records = [record for lane_runs in shown if (record := record_of(shown_run_of(lane_runs)))]
        answers = {lane: record for lane, record in zip(pair, records, strict=False) if answer_text(record)}
        all_ended = len(records) == 2 and not any(record.running for record in records)
        draw_vote(answers, {lane: f"Answer {number}" for number, lane in enumerate(pair, 1)}, all_ended=all_ended)
    elif revealed := st.session_state.get(keys.REVEALED):
        titles = {request.lane.id: request.title for request in requests}
        first, second = (plain_words(titles.get(lane, "deleted")) for lane in st.session_state[state.BLIND_ORDER])
        lanes = [request.lane.id for request in requests if not request.lane.muted]
        has_next = bool(_open_pairs(lanes, runs))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                "Next pair" if has_next else "Run again",
                key="next_pair",
                type="primary",
                icon=":material/navigate_next:" if has_next else ":material/replay:",
                on_click=presses.soon(_show_next_pair, lanes, runs if has_next else None),
            )
            sentence = f"Vote saved: {plain_words(revealed)}. Answer 1 was **{first}**, answer 2 was **{second}**."
            st.markdown(f":small[{sentence}]", width="content")


def shown_run_of(lane_runs: LaneRuns) -> Run | RunRecord:
    """The run of a lane that a blind vote is about."""
    repeat: int = st.session_state.get(keys.BLIND_REPEAT, 0)
    return lane_runs.runs[min(repeat, len(lane_runs.runs) - 1)]


def _show_next_pair(lanes: list[str], runs: Mapping[str, LaneRuns] | None) -> None:
    if runs is None:
        start_all()
        runs = {}
    _choose_pair(lanes, runs)


def _choose_pair(lanes: list[str], runs: Mapping[str, LaneRuns]) -> None:
    st.session_state.pop(keys.REVEALED, None)
    first, second = random.sample(lanes, 2)
    open_pairs = _open_pairs(lanes, runs) or [(first, second, 0)]
    first, second, repeat = random.choice(open_pairs)  # noqa: S311 - an order, no secret
    st.session_state[state.BLIND_ORDER] = random.sample([first, second], 2)
    st.session_state[keys.BLIND_REPEAT] = repeat


@show_errors()
def _open_pairs(lanes: Sequence[str], runs: Mapping[str, LaneRuns]) -> list[tuple[str, str, int]]:
    """The pairs of answers without a vote: two lanes, and the number of the repeat from 0."""
    database = own_log().database
    ids = [run.id for lane_runs in runs.values() for run in lane_runs.runs]
    voted = {frozenset((vote.first_run, vote.second_run)) for vote in (votes_on(database, ids) if database else [])}
    return [
        (first, second, repeat)
        for first, second in combinations([lane for lane in lanes if lane in runs], 2)
        for repeat, pair in enumerate(zip(runs[first].runs, runs[second].runs, strict=False))
        if frozenset(run.id for run in pair) not in voted
    ]


def draw_vote(
    answers: Mapping[str, RunRecord], titles: Mapping[str, str], *, all_ended: bool, blind: bool = True
) -> None:
    """Draw the ballot for two of the answers. ``answers`` are by lane id; ``titles`` are the shown names."""
    if not all_ended or len(answers) < 2:
        st.caption("You can vote when every lane has ended.")
        return
    ids = list(answers)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if len(ids) > 2:
            first = st.selectbox("Left", ids, format_func=titles.__getitem__, key=lane_key("ballot", "one"), width=160)
            others = [lane_id for lane_id in ids if lane_id != first]
            second = st.selectbox(
                "Right", others, format_func=titles.__getitem__, key=lane_key("ballot", "other"), width=160
            )
        else:
            first, second = ids
        for better, label in (
            (Better.FIRST, f"{titles[first]} better"),
            (Better.SECOND, f"{titles[second]} better"),
            (Better.TIE, "Tie"),
            (Better.BOTH_BAD, "Both bad"),
        ):
            st.button(
                plain_words(label),
                key=lane_key("vote", better.name.lower()),
                on_click=_vote,
                args=(answers[first], answers[second], better, blind),
            )
    draw_error(keys.VOTE_PROBLEM)


def draw_vote_saved() -> None:
    """Say once that a vote was saved; a callback of a fragment must not draw."""
    if st.session_state.pop(keys.VOTE_SAVED, False):
        st.toast("Vote saved.", icon=":material/how_to_vote:")


@show_errors()
def draw_votes(lane_of: Mapping[str, str], titles: Mapping[str, str]) -> None:
    """Draw the votes on the runs of these lanes; ``lane_of`` maps each run's id to its lane."""
    database = own_log().database
    votes = votes_on(database, list(lane_of)) if database else []
    for vote in votes:
        first, second = (titles[lane_of[run_id]] for run_id in (vote.first_run, vote.second_run))
        result = {
            Better.FIRST: f"{first} better than {second}",
            Better.SECOND: f"{second} better than {first}",
            Better.TIE: f"{first} and {second}: a tie",
            Better.BOTH_BAD: f"{first} and {second}: both bad",
        }[vote.better]
        how = "blind" if vote.blind else "open"
        st.markdown(f":material/how_to_vote: :small[{plain_words(result)} :gray[({how})]]")


@show_errors_later(keys.VOTE_PROBLEM)
def _vote(first: RunRecord, second: RunRecord, better: Better, blind: bool) -> None:
    first_setting, second_setting = _settings(first, second)
    save_vote(own_log(), Vote(first.id, second.id, first_setting, second_setting, better, blind))
    if not blind:
        st.session_state[keys.VOTE_SAVED] = True
        return
    left, right = st.session_state[state.BLIND_ORDER]
    # The revealed lanes show the answers that the vote was about.
    st.session_state[lane_key("chosen", left)] = first.id
    st.session_state[lane_key("chosen", right)] = second.id
    st.session_state[keys.REVEALED] = {
        Better.FIRST: "answer 1 is better",
        Better.SECOND: "answer 2 is better",
        Better.TIE: "a tie",
        Better.BOTH_BAD: "both bad",
    }[better]


def _settings(first: RunRecord, second: RunRecord) -> tuple[str, str]:
    """The settings of each of two runs that the other lacks, in words."""
    first_request, second_request = request_of(first), request_of(second)
    changes = differences(first_request, second_request) if first_request and second_request else []
    pairs = [("endpoint", first.endpoint, second.endpoint)] if first.endpoint != second.endpoint else []
    pairs += [(change.field, change.before or "of its own", change.after or "of its own") for change in changes]
    first_words = ", ".join(f"{field} {words}" for field, words, _ in pairs)
    second_words = ", ".join(f"{field} {words}" for field, _, words in pairs)
    return first_words or "the same settings", second_words or "the same settings"
