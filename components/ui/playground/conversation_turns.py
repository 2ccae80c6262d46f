"""A conversation: earlier turns as their text, a click from being edited, and the composer of the next turn."""

from __future__ import annotations

import streamlit as st

from components.contract.messages import Role
from components.drafts.conversation import Turn, Turns
from components.drafts.draft import EXAMPLE_PROMPT
from components.log.record import RunRecord
from components.runs.run import Run
from components.ui import presses, state
from components.ui.answer.run_lookup import find, record_of, request_of
from components.ui.form import draft_form
from components.ui.form.keys import message_key
from components.ui.form.message_editor import draw_additions, draw_turn
from components.ui.page_script import focus
from components.ui.plain_words import plain_words
from components.ui.playground import keys
from components.ui.playground.answer_actions import answer_turn, is_among_messages
from components.ui.playground.form_run import run_form
from components.ui.playground.turn_runs import runs_of_answers

_MAX_CHARACTERS = 600
"""Of a folded turn; three lines of it are seen."""


def draw_conversation() -> None:
    """Draw every turn: its text, or its form where it is being edited."""
    turns = draft_form.current_turns()
    runs = runs_of_answers(draft_form.read())
    edited: set[str] = st.session_state.setdefault(keys.EDITED_TURNS, set())
    with st.container(key="messages", gap="xxsmall"):
        draw_additions([] if any(turn.role is Role.SYSTEM for turn in turns) else [Role.SYSTEM], then=_edit)
        for turn in turns:
            if turn.id in edited:
                draw_turn(turn, turns, done=_fold)
            elif not _is_to_be_written(turn):
                _draw_text(turn, runs.get(turn.id))


def draw_composer() -> None:
    """Draw the field for the next turn."""
    st.chat_input(
        "Next message. Shift+Enter: new line",
        key=keys.COMPOSER,
        on_submit=presses.soon_chosen(keys.COMPOSER, send_turn),
    )


def is_below_turns(record: RunRecord | None) -> bool:
    """Whether a run's answer is drawn below the turns, because it is not one of them."""
    request = request_of(record) if record else None
    return not (record and request and is_among_messages(record, request))


def send_turn(text: str) -> None:
    """Add the shown answer and a user's turn to the conversation, and run it."""
    shown = find(st.session_state.get(state.SHOWN_RUN))
    if isinstance(shown, Run) and not shown.finished:
        shown.stop()  # its text so far is the turn that is answered
    turns = _with_answer(draft_form.current_turns(), record_of(shown))
    turn = Turn(id=draft_form.next_turn_id(), role=Role.USER, content=text)
    draft_form.change_turns(lambda _turns: (*turns, turn), "turn sent")
    st.session_state.pop(keys.EDITED_TURNS, None)
    run_form()
    focus(keys.COMPOSER)


def _with_answer(turns: Turns, record: RunRecord | None) -> Turns:
    if _is_to_be_written(turns[-1]):
        return turns[:-1]
    request = request_of(record) if record else None
    if not record or not request or not record.text or len(request.messages) != len(turns):
        return turns
    answer = answer_turn(record, request).model_copy(update={"id": draft_form.next_turn_id()})
    if turns[-1].role is Role.ASSISTANT:
        return *turns[:-1], answer  # it was continued
    return *turns, answer


def _is_to_be_written(turn: Turn) -> bool:
    """Whether a turn is the one that the composer writes: empty, or the example of a new form."""
    untouched = turn.content == EXAMPLE_PROMPT and state.SHOWN_RUN not in st.session_state
    return turn.role is Role.USER and (untouched or not turn.content.strip())


def _draw_text(turn: Turn, run_id: str | None) -> None:
    text = turn.content or turn.tool_calls
    with st.container(key=f"said_{turn.role.value}_{turn.id}", horizontal=True, wrap=False, gap="xxsmall"):
        st.button(
            f":small[:gray[{turn.role.value}]] {plain_words(text, _MAX_CHARACTERS)}",
            key=f"edit_{turn.id}",
            type="tertiary",
            width="stretch",
            on_click=presses.soon(_edit, turn.id),
        )
        if run_id:
            st.page_link(
                "runs.py",
                label="Open the run",
                icon=":material/open_in_new:",
                query_params={state.RUN_PARAMETER: run_id},
            )


def _edit(turn_id: str) -> None:
    st.session_state.setdefault(keys.EDITED_TURNS, set()).add(turn_id)
    focus(message_key(turn_id))


def _fold(turn_id: str) -> None:
    st.session_state.setdefault(keys.EDITED_TURNS, set()).discard(turn_id)
    focus(keys.COMPOSER)
