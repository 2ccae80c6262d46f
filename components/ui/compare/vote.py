"""The vote on the better of two answers, blind or open; it is stored with the runs."""

from __future__ import annotations

import random
from collections.abc import Mapping

import streamlit as st

from components.contract.difference import differences
from components.experiments.judgement import Better
from components.experiments.store import Vote, save_vote, votes_on
from components.log.record import RunRecord
from components.ui import state
from components.ui.answer.run_lookup import request_of
from components.ui.compare import keys
from components.ui.compare.keys import lane_key
from components.ui.plain_words import plain_words
from components.ui.user_errors import draw_kept, shown, shown_next
from components.ui.visitor import own_log


def blind_order(lane_ids: list[str]) -> list[str]:
    """The lanes in a random order that stays until the lanes or the experiment change."""
    order: list[str] = st.session_state.get(state.BLIND_ORDER, [])
    if sorted(order) != sorted(lane_ids):
        order = random.sample(lane_ids, len(lane_ids))
        st.session_state[state.BLIND_ORDER] = order
    return order


def draw_vote(answers: Mapping[str, RunRecord], titles: Mapping[str, str], *, blind: bool, all_ended: bool) -> None:
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
    draw_kept(keys.VOTE_PROBLEM)


def draw_vote_saved() -> None:
    """Say once that a vote was saved; a callback of a fragment must not draw."""
    if st.session_state.pop(keys.VOTE_SAVED, False):
        st.toast("Vote saved.", icon=":material/how_to_vote:")


@shown()
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


@shown_next(keys.VOTE_PROBLEM)
def _vote(first: RunRecord, second: RunRecord, better: Better, blind: bool) -> None:
    first_setting, second_setting = _settings(first, second)
    save_vote(own_log(), Vote(first.id, second.id, first_setting, second_setting, better, blind))
    st.session_state[keys.VOTE_SAVED] = True
    if blind and len(st.session_state.get(state.BLIND_ORDER, ())) == 2:
        # Labels appear after the vote; with more lanes, further pairs are voted on without them.
        st.session_state[keys.BLIND] = False


def _settings(first: RunRecord, second: RunRecord) -> tuple[str, str]:
    """The settings of each of two runs that the other lacks, in words."""
    one, other = request_of(first), request_of(second)
    changes = differences(one, other) if one and other else []
    pairs = [("endpoint", first.endpoint, second.endpoint)] if first.endpoint != second.endpoint else []
    pairs += [(change.field, change.before or "of its own", change.after or "of its own") for change in changes]
    if not pairs:
        return "the same settings", "the same settings"
    return ", ".join(f"{field} {words}" for field, words, _ in pairs), ", ".join(
        f"{field} {words}" for field, _, words in pairs
    )
