"""The base of several runs in one line; its messages, endpoint, model and settings are in a drawer over the page."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from components.contract.lint import MESSAGES
from components.drafts.composed import compose
from components.drafts.draft import Draft
from components.drafts.in_words import in_words
from components.ui.form import draft_form, widget_values
from components.ui.form.endpoint_choice import draw_endpoint_and_model
from components.ui.form.message_editor import draw_messages, draw_notes, draw_variables
from components.ui.form.presets import draw_presets
from components.ui.form.remarks import draw_remarks
from components.ui.form.request_form import draw_reset_all, draw_settings
from components.ui.plain_words import plain_words

_SOME_VALUE = "…"
_PROMPT_CHARACTERS = 90
_PARTS_CHARACTERS = 160


def draw_base(*, with_lanes: bool = False, filled: Collection[str] = ()) -> Draft:
    """Draw one line that says what the base is, and the form in a drawer that the line opens; returns the draft.

    The browser opens and closes the drawer, without waiting for the server. A field of the closed drawer that gets the
    focus opens it. ``with_lanes`` includes the variables of lanes. ``filled`` are variables with other values,
    which may be empty here.
    """
    with st.container(key="base", gap=None):
        line = st.container()
        with st.container(key="base_drawer", gap="small"):
            work, side = st.columns([5, 3], gap="large")
            with side:
                endpoint, card = draw_endpoint_and_model()
                tools = st.container(horizontal=True, vertical_alignment="center", gap="medium", key="form_tools")
                places = draw_settings(endpoint.profile, card)
            with work:
                draw_messages(with_undo=False)
                draw_notes()
                draw_variables(with_lanes=with_lanes)
                places[MESSAGES] = st.container(gap="xxsmall")
                widget_values.draw_count()
    draft = draft_form.keep()
    with tools:
        draw_presets()
        draw_reset_all(draft)
    other_values = {name: draft.variables.get(name) or _SOME_VALUE for name in filled}
    filled_draft = draft.model_copy(update={"variables": {**draft.variables, **other_values}})
    composed = compose(filled_draft, endpoint.profile, context_tokens=card.context_length if card else None)
    draw_remarks(composed, endpoint.profile, places)
    with line:
        st.button(
            _in_a_line(draft),
            key="base_summary",
            width="stretch",
            icon=":material/error:" if composed.problem else ":material/edit_note:",
        )
    return draft


def _in_a_line(draft: Draft) -> str:
    """The base in words: its last message, its endpoint and model, and the fields that differ from their defaults."""
    prompt = draft.text_of(draft.turns[-1]) if draft.turns else ""
    words = in_words(draft)
    parts = [f"{draft.model or 'no model'} on {draft.endpoint or 'no endpoint'}"]
    if len(draft.turns) > 1:
        parts.append(f"{len(draft.turns)} messages")
    parts += [f"{field} {words[field]}" for field in draft.changed_fields if field in words]
    text = plain_words(" ".join(prompt.split()), _PROMPT_CHARACTERS) or ":gray[No message yet]"
    return f"**Base** {text} :gray[· {plain_words(' · '.join(parts), _PARTS_CHARACTERS)}]"
