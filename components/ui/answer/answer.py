"""An answer: its text as Markdown or as written, its reasoning, its tool calls."""

from __future__ import annotations

import json
from dataclasses import asdict

import streamlit as st

from components.live.lane import Part
from components.live.status import duration
from components.log.record import RunRecord
from components.markdown.answer import pretty_json
from components.runs.run import Run
from components.ui import state
from components.ui.answer.live_view import draw_live
from components.ui.answer.model_text import inert_markdown
from components.ui.answer.place import ALONE, Place
from components.ui.answer.settled_text import SettledText
from components.ui.answer.view_switches import can_be_replayed
from components.ui.plain_words import plain_words

_LONG_CHARACTERS = 20_000
"""Beyond this a text stays in the pieces in which it was painted: as one element it would be laid out again."""


def draw_answer(run: Run | RunRecord | None, record: RunRecord | None, place: Place = ALONE) -> None:
    """Draw all that an endpoint has answered; what is still to come is drawn as it comes.

    ``record`` is the run as it stood when this page began to draw it.
    """
    # Of the same number, whatever there is to draw, so that the text stays in its place.
    reasoning, text, rest = st.container(), st.container(), st.container()
    ended = record if record and not record.running else None
    with reasoning:
        if ended and ended.reasoning:
            _draw_reasoning(ended)
    with text:
        if not st.session_state.get(state.NATIVE):
            part: Part = "plain" if st.session_state.get(state.AS_WRITTEN) else "markdown"
            draw_live(
                run,
                part,
                running=bool(record and record.running),
                replay=bool(record and can_be_replayed(record) and st.session_state.get(state.replay_key(record.id))),
                name=place.name,
                key=place.key(state.live_key(part)),
            )
        elif record:
            _draw_text(record.text)
    with rest:
        if record is None:
            button = "Run" if place.lane is None else "Run all"
            st.caption(f"The answer appears here, token by token. Press {button} or Ctrl+Enter.")
        if ended:
            calls = json.loads(ended.tool_calls)
            if not ended.text and not calls:
                st.caption("No text arrived.")
            for call in calls:
                _draw_tool_call(call)
            _draw_further_choices(ended, place)


def _draw_further_choices(record: RunRecord, place: Place) -> None:
    choices = {f"Choice {number}": choice for number, choice in enumerate(record.choices_beyond_first(), 2)}
    if not choices:
        return
    chosen = st.segmented_control("Further choices", list(choices), key=place.key(f"choice_{record.id[:8]}"))
    if chosen is None:
        return
    choice = choices[chosen]
    st.caption(f"finish reason {plain_words(choice.finish_reason or 'not reported', 60)}")
    if choice.reasoning:
        with st.expander("Reasoning", icon=":material/psychology:"):
            st.markdown(inert_markdown(choice.reasoning))
    _draw_text(choice.text)
    for call in choice.tool_calls:
        _draw_tool_call(asdict(call))


def pieces_of(text: str) -> list[str]:
    """A text as it is painted while it grows: settled pieces, then what was still open."""
    settled = SettledText()
    settled.update(text)
    return [*settled.pieces, settled.open_end]


def _draw_text(text: str) -> None:
    if st.session_state.get(state.AS_WRITTEN):
        st.code(text, language=None, wrap_lines=True)
    elif (pretty := pretty_json(text)) is not None:
        st.code(pretty, language="json", wrap_lines=True)
    elif len(text) > _LONG_CHARACTERS:
        # In a container of its own, as while it grew: the browser keeps what it has laid out.
        with st.container():
            for piece in pieces_of(text):
                st.markdown(inert_markdown(piece))
    elif text:
        st.markdown(inert_markdown(text))


def _draw_reasoning(record: RunRecord) -> None:
    took = ""
    # Of older releases, the time to first token is that of the first text.
    answer_ms = record.ttft_ms if record.rate_basis is None else record.ttfo_ms
    if record.reasoning_ms is not None and answer_ms is not None:
        took = f" · {duration(answer_ms - record.reasoning_ms)}"
    with st.expander(f"Reasoning{took}", icon=":material/psychology:"):
        st.markdown(inert_markdown(record.reasoning))


def _draw_tool_call(call: dict[str, str]) -> None:
    with st.container(border=True, gap="xsmall"):
        st.markdown(f":material/function: **{plain_words(call['name'])}** :small[:gray[{plain_words(call['id'])}]]")
        st.code(pretty_json(call["arguments"]) or call["arguments"], language="json", wrap_lines=True)
