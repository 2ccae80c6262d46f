"""An answer that has ended: its text as Markdown or as written, its reasoning, its tool calls."""

from __future__ import annotations

import json

import streamlit as st

from components.contract.strict_json import read_json
from components.runs.run import RunRecord
from components.streaming.guard import safe_text
from components.ui import state
from components.ui.model_text import inert_markdown
from components.ui.plain_words import plain_words
from components.ui.run_status import duration
from components.ui.settled_text import SettledText

_LONG_CHARACTERS = 20_000
"""Beyond this a text stays in the pieces in which it was painted: as one element it would be laid out again."""


def draw_answer(record: RunRecord) -> None:
    """Draw all that an endpoint answered."""
    if record.reasoning:
        _draw_reasoning(record)
    calls = json.loads(record.tool_calls)
    if record.text:
        _draw_text(record.text)
    elif not calls:
        st.caption("No text arrived.")
    for call in calls:
        _draw_tool_call(call)


def pieces_of(text: str) -> list[str]:
    """A text as it is painted while it grows: settled pieces, then what was still open."""
    settled = SettledText()
    settled.update(text)
    return [*settled.pieces, settled.open_end]


def _draw_text(text: str) -> None:
    if st.session_state.get(state.AS_WRITTEN):
        st.code(text, language=None, wrap_lines=True)
    elif (pretty := _pretty_json(text)) is not None:
        st.code(pretty, language="json", wrap_lines=True)
    elif len(text) > _LONG_CHARACTERS:
        # In a container of its own, as while it grew: the browser keeps what it has laid out.
        with st.container():
            for piece in pieces_of(text):
                st.markdown(inert_markdown(piece))
    else:
        st.markdown(inert_markdown(text))


def _draw_reasoning(record: RunRecord) -> None:
    took = ""
    if record.reasoning_ms is not None and record.ttft_ms is not None:
        took = f" · {duration(record.ttft_ms - record.reasoning_ms)}"
    with st.expander(f"Reasoning{took}", icon=":material/psychology:"):
        st.markdown(inert_markdown(record.reasoning))


def _draw_tool_call(call: dict[str, str]) -> None:
    with st.container(border=True, gap="xsmall"):
        st.markdown(f":material/function: **{plain_words(call['name'])}** :small[:gray[{plain_words(call['id'])}]]")
        st.code(_pretty_json(call["arguments"]) or call["arguments"], language="json", wrap_lines=True)


def _pretty_json(text: str) -> str | None:
    """The text indented, if it is a JSON object or list as a whole, as JSON mode and tool calls give it."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        # Where readers would not agree on what it says, it is shown as it came.
        return safe_text(json.dumps(read_json(text), ensure_ascii=False, indent=2))
    except (ValueError, RecursionError):
        return None
