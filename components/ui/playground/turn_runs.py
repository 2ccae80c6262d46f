"""The runs of a conversation's earlier answers, found in the log by their messages and answers."""

from __future__ import annotations

import hashlib

import streamlit as st

from components.contract.messages import Role
from components.drafts.draft import Draft
from components.log.query import runs_that_answered
from components.log.record import RunRecord
from components.ui.answer.run_lookup import request_of
from components.ui.playground import keys
from components.ui.user_errors import show_errors
from components.ui.visitor import own_log

_NEWEST_RUNS = 1_000
"""The runs that are searched."""


def runs_of_answers(draft: Draft) -> dict[str, str]:
    """The id of the run of each earlier answer, by the id of its turn; an answer whose run is not found has none.

    The log is searched again only when the conversation has changed.
    """
    texts = {turn.id: draft.text_of(turn) for turn in draft.turns}
    answers: dict[str, str] = {}
    digest = hashlib.sha256()
    for turn in draft.turns:
        digest.update(f"{turn.role.value} {len(texts[turn.id])} {texts[turn.id]}".encode("utf-8", "surrogatepass"))
        if turn.role is Role.ASSISTANT and texts[turn.id]:
            answers[digest.hexdigest()] = turn.id
    searched, runs = st.session_state.get(keys.RUNS_OF_ANSWERS, (frozenset(), {}))
    if searched != answers.keys():
        missing = {texts[turn_id] for key, turn_id in answers.items() if key not in runs}
        by_turn = {_turn_of(record, draft, texts): record.id for record in reversed(_records(missing))}
        runs |= {key: by_turn[turn_id] for key, turn_id in answers.items() if turn_id in by_turn}
        st.session_state[keys.RUNS_OF_ANSWERS] = frozenset(answers), runs
    return {turn_id: runs[key] for key, turn_id in answers.items() if key in runs}


def _records(texts: set[str]) -> list[RunRecord]:
    """The runs with these answers, newest first."""
    database = own_log().database
    with show_errors():
        return runs_that_answered(database, texts, _NEWEST_RUNS) if database and texts else []
    return []


def _turn_of(record: RunRecord, draft: Draft, texts: dict[str, str]) -> str | None:
    """The id of the turn with a run's answer, if the run's messages are those before that turn."""
    request = request_of(record)
    messages = [message.content or "" for message in request.messages if not message.prefix] if request else []
    before = [texts[turn.id] for turn in draft.turns[: len(messages) + 1]]
    if len(before) <= len(messages) or before != [*messages, record.text]:
        return None
    return draft.turns[len(messages)].id
