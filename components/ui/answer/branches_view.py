"""The tree of an answer's branches: all answers in the log that began with the same messages."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from components.contract.messages import Message, Role
from components.contract.request import ChatCompletionStreamRequest
from components.log.query import runs_of_prompt
from components.log.record import RunRecord
from components.ui import presses, state
from components.ui.answer.answer_differences import draw_first_divergence
from components.ui.answer.run_lookup import request_of
from components.ui.plain_words import plain_words
from components.ui.time_zone import local_time
from components.ui.user_errors import show_errors
from components.ui.visitor import own_log

_MAX = 8


def draw_branches(record: RunRecord) -> None:
    """Draw the tree, once it is opened. Answers with probabilities can have branches; a given beginning makes one."""
    request = request_of(record)
    if request is None or not record.text or (record.mean_logprob is None and not request.answer_prefix):
        return
    opened = st.expander("Branches", icon=":material/account_tree:", key="branches", on_change="rerun")
    database = own_log().database
    if not opened.open or database is None:
        return
    with opened, show_errors():
        branches = _branches(request, [record, *runs_of_prompt(database, record)])
        if len(branches) < 2:
            st.caption("No other answer began with these messages. Choose *Continue here* at another token.")
            return
        draw_first_divergence(branches, with_chances=False)
        with st.container(horizontal=True, gap="small"):
            for title, run in branches.items():
                st.button(
                    plain_words(title),
                    key=f"branch_{run.id[:12]}",
                    disabled=run.id == record.id,
                    on_click=presses.soon(state.show_run, run.id),
                )


def _branches(request: ChatCompletionStreamRequest, runs: list[RunRecord]) -> dict[str, RunRecord]:
    """The runs of the same messages, apart from a prefix of the answer, by their titles; the texts are whole."""
    branches: dict[str, RunRecord] = {}
    for run in runs:
        other = request_of(run)
        if other is None or not run.text or len(branches) == _MAX:
            continue
        if _messages(other) == _messages(request) and run.id not in {each.id for each in branches.values()}:
            text = other.with_prefix(run.text)
            title = f"{local_time(run.created_at):%H:%M:%S}" if branches else "this answer"
            branches[title if title not in branches else f"{title} ({len(branches) + 1})"] = replace(run, text=text)
    return branches


def _messages(request: ChatCompletionStreamRequest) -> list[Message]:
    """The messages without a prefix of the answer."""
    last = request.messages[-1]
    return request.messages[:-1] if last.role is Role.ASSISTANT and last.prefix else request.messages
