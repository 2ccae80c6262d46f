"""The actions of an answer: regenerate, continue, add to the conversation, restore its settings."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from components.contract.difference import Difference
from components.contract.messages import Role
from components.contract.request import ChatCompletionStreamRequest
from components.drafts.composed import compose
from components.drafts.conversation import Turn, Turns
from components.drafts.draft import Draft
from components.drafts.variables import names_in
from components.endpoints.endpoint import AnyEndpoint
from components.log.record import RunRecord
from components.runs.order import order_again, order_for
from components.streaming.outcome import Status
from components.ui import presses, shortcuts, state
from components.ui.answer.keys import ANSWER_ACTIONS
from components.ui.answer.run_lookup import request_of
from components.ui.answer.sending import start
from components.ui.answer.view_switches import draw_reading_switches, draw_replay_switch
from components.ui.choices import draw_action
from components.ui.experiment_file import rules_form
from components.ui.experiment_file.answer_checks import draw_answer_checks
from components.ui.form import draft_form
from components.ui.form.keys import message_key
from components.ui.page_script import focus
from components.ui.plain_words import plain_words
from components.ui.playground.answer_siblings import draw_siblings

_CUT = (Status.INTERRUPTED, Status.CANCELLED, Status.LOST)


def draw_stale_notice(record: RunRecord, changes: list[Difference]) -> None:
    """Say that the form has changed since this answer, and which fields changed."""
    listed = ", ".join(str(change) for change in changes[:4]) + (", …" if len(changes) > 4 else "")
    notice = f"Made with other settings: {plain_words(listed)}" if listed else "The form has changed since"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="stale_notice"):
        st.markdown(f":small[:gray[:material/history: {notice}]]", width="content")
        what = "Fills the form with this answer's request."
        draw_action("Restore", "restore_settings", ":material/undo:", draft_form.fill_from, record, help=what)


def draw_actions(
    record: RunRecord,
    endpoint: AnyEndpoint | None,
    *,
    stale: bool,
    conversation: bool,
    compare_with: Callable[[RunRecord], None],
) -> None:
    """Draw the actions of a run that has ended. ``endpoint`` is the run's own, None when it no longer exists.

    A ``conversation`` adds the answer with the next turn, except for tool calls, which need results.
    ``compare_with`` starts a comparison with the run.
    """
    request = request_of(record)
    if request is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=ANSWER_ACTIONS):
        draw_reading_switches(record)
        # The same bytes, so the dialect is the one that the endpoint spoke then.
        if endpoint and endpoint.profile.name == record.dialect:
            st.button(
                "Regenerate",
                key="regenerate",
                type="tertiary",
                shortcut=shortcuts.REGENERATE,
                icon=":material/refresh:",
                help="Sends exactly the same request again.",
                on_click=presses.soon(_regenerate, record, endpoint),
            )
        if endpoint and not stale and endpoint.profile.prefix and record.text and _was_cut(record):
            st.button(
                "Continue",
                key="continue",
                type="tertiary",
                shortcut=shortcuts.CONTINUE,
                icon=":material/arrow_forward:",
                help="Requests an answer that begins with this one: it becomes a last assistant message with prefix.",
                on_click=presses.soon(_continue, record, request, endpoint),
            )
        st.button(
            "Compare",
            key="compare_answer",
            type="tertiary",
            shortcut=shortcuts.COMPARE,
            icon=":material/view_column:",
            help="Makes this answer lane A of a comparison; your later changes become lane B.",
            on_click=presses.soon(compare_with, record),
        )
        if record.tool_calls != "[]" or (record.text and not conversation):
            added = is_among_messages(record, request)
            st.button(
                "Added to conversation" if added else "Add to conversation",
                key="add_answer",
                type="tertiary",
                shortcut=shortcuts.ADD_ANSWER,
                icon=":material/playlist_add:",
                help="Adds the answer as an assistant message, followed by a new user message.",
                disabled=added,
                on_click=presses.soon(_add_answer, record, request),
            )
        draw_answer_checks(record)
        draw_siblings(record)
        draw_replay_switch(record)


def _was_cut(record: RunRecord) -> bool:
    return record.finish_reason == "length" or record.status in _CUT


def _regenerate(record: RunRecord, endpoint: AnyEndpoint) -> None:
    order = replace(order_again(endpoint, record), checks=rules_form.checks_with(draft_form.read().variables))
    if run := start(order):
        state.show_run(run.id)


def _continue(record: RunRecord, request: ChatCompletionStreamRequest, endpoint: AnyEndpoint) -> None:
    answer = answer_turn(record, request)
    turns = _with_answer(draft_form.read(), answer, prefix=True)
    draft = draft_form.read().model_copy(update={"turns": turns})
    order = order_for(endpoint, compose(draft, endpoint.profile), draft)
    if order is None:
        return  # the form changed at the same moment; its problem is shown at its field
    run = start(replace(order, checks=rules_form.checks_with(draft.variables)))
    if run is None:
        return
    draft_form.change_turns(lambda _turns: turns, "answer continued")
    state.show_run(run.id)


def is_among_messages(record: RunRecord, request: ChatCompletionStreamRequest) -> bool:
    """Whether the conversation already continues with this answer."""
    turns, place = draft_form.current_turns(), len(request.messages) - bool(request.answer_prefix)
    if len(turns) <= place:
        return False
    turn, answer = turns[place], answer_turn(record, request)
    same_text = turn.content == answer.content
    same_kind = turn.role is answer.role and not turn.prefix and bool(turn.tool_calls) == bool(answer.tool_calls)
    return same_text and same_kind


def _add_answer(record: RunRecord, request: ChatCompletionStreamRequest) -> None:
    if is_among_messages(record, request):
        return  # a second click before the button was redrawn
    turns = _with_answer(draft_form.read(), answer_turn(record, request), prefix=False)
    following = [
        Turn(id=draft_form.next_turn_id(), role=Role.TOOL, tool_call_id=call["id"], name=call["name"])
        for call in json.loads(record.tool_calls)
    ] or [Turn(id=draft_form.next_turn_id(), role=Role.USER)]
    draft_form.change_turns(lambda _turns: (*turns, *following), "answer added")
    focus(message_key(following[0].id))


def answer_turn(record: RunRecord, request: ChatCompletionStreamRequest) -> Turn:
    """The complete answer as a turn without an id."""
    content = request.with_prefix(record.text)
    calls = [
        {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": call["arguments"]}}
        for call in json.loads(record.tool_calls)
    ]
    return Turn(
        id="0",
        role=Role.ASSISTANT,
        content=content,
        tool_calls=json.dumps(calls, ensure_ascii=False, indent=2) if calls else "",
        # A model's text is not a template.
        literal=bool(names_in([content])),
    )


def _with_answer(draft: Draft, answer: Turn, *, prefix: bool) -> Turns:
    """The form's turns followed by the answer, which replaces a prefix that it begins with."""
    answer = answer.model_copy(update={"id": draft_form.next_turn_id(), "prefix": prefix})
    last = draft.turns[-1]
    if last.role is Role.ASSISTANT and last.prefix and answer.content.startswith(draft.text_of(last)):
        # The prefix's other branches are kept.
        return *draft.turns[:-1], answer.model_copy(update={"earlier": last.earlier, "later": last.later})
    return *draft.turns, answer
