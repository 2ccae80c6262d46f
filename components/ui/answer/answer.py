"""An answer: its text as Markdown or raw, its reasoning and its tool calls."""

from __future__ import annotations

import json
from dataclasses import asdict

import streamlit as st

from components.live.status_words import duration, waiting_words
from components.log.record import RunRecord
from components.markdown.answer import View, pretty_json
from components.runs.run import Run
from components.ui import state
from components.ui.answer import keys
from components.ui.answer.branches_view import draw_branches
from components.ui.answer.html_text import draw_text
from components.ui.answer.live_view import draw_live
from components.ui.answer.place import ALONE, Place
from components.ui.answer.probabilities import view_of
from components.ui.answer.sampling_preview import draw_sampling_preview
from components.ui.answer.view_switches import can_be_replayed
from components.ui.plain_words import plain_words


def draw_answer(
    run: Run | RunRecord | None, record: RunRecord | None, place: Place = ALONE, *, stale: bool = False
) -> None:
    """Draw everything that has arrived; the rest is drawn as it arrives.

    ``record`` is the run at the time when this page began to draw it. A ``stale`` answer is grey.
    """
    # Always the same number of elements, so that the text keeps its place.
    reasoning, text, rest = st.container(), st.container(), st.container()
    ended = record if record and not record.running else None
    with reasoning:
        if ended and ended.reasoning:
            _draw_reasoning(ended, place)
    part: View = "plain" if st.session_state.get(state.AS_WRITTEN) else "markdown"
    with text:
        if not st.session_state.get(keys.NATIVE):
            draw_live(
                run,
                view_of(record) or part,
                place,
                running=bool(record and record.running),
                replay=bool(record and can_be_replayed(record) and st.session_state.get(keys.replay_key(record.id))),
                stale=stale,
            )
        elif record and record.text:
            draw_text(record.text, place.key(keys.ANSWER_TEXT), part, ended=not record.running, stale=stale)
        elif record and not ended:
            waiting = waiting_words(record.reasoning, run.retry_wait if isinstance(run, Run) else None)
            st.caption(plain_words(waiting))
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
            _draw_further_choices(ended, part, place)
            if place.branching:
                draw_sampling_preview(ended)
                draw_branches(ended)


def _draw_further_choices(record: RunRecord, part: View, place: Place) -> None:
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
            draw_text(choice.reasoning, place.key("choice_reasoning"))
    draw_text(choice.text, place.key("choice_text"), part)
    for call in choice.tool_calls:
        _draw_tool_call(asdict(call))


def _draw_reasoning(record: RunRecord, place: Place) -> None:
    duration_words = ""
    # In older releases, the time to first token is that of the first text.
    answer_ms = record.ttft_ms if record.rate_basis is None else record.ttfo_ms
    if record.reasoning_ms is not None and answer_ms is not None:
        duration_words = f" · {duration(answer_ms - record.reasoning_ms)}"
    with st.expander(f"Reasoning{duration_words}", icon=":material/psychology:"):
        draw_text(record.reasoning, place.key("reasoning"))


def _draw_tool_call(call: dict[str, str]) -> None:
    with st.container(border=True, gap="xsmall"):
        st.markdown(f":material/function: **{plain_words(call['name'])}** :small[:gray[{plain_words(call['id'])}]]")
        st.code(pretty_json(call["arguments"]) or call["arguments"], language="json", wrap_lines=True)
