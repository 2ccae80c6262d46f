"""The base of several runs: messages on the left; endpoint, model and collapsed settings on the right."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from components.contract.lint import MESSAGES
from components.drafts.composed import compose
from components.drafts.draft import Draft
from components.ui.form import draft_form, widget_values
from components.ui.form.endpoint_choice import draw_endpoint_and_model
from components.ui.form.message_editor import draw_messages, draw_notes, draw_variables
from components.ui.form.presets import draw_presets
from components.ui.form.remarks import draw_remarks
from components.ui.form.request_form import draw_reset_all, draw_settings

_SOME_VALUE = "…"


def draw_base(*, with_lanes: bool = False, filled: Collection[str] = ()) -> Draft:
    """Draw the playground's form and store its content; returns the draft.

    ``with_lanes`` includes the variables of lanes. ``filled`` are variables with values from elsewhere, which may be
    empty here.
    """
    work, side = st.columns([5, 3], gap="large")
    with side, st.container(key="base_settings"):
        endpoint, card = draw_endpoint_and_model()
        changed = len(draft_form.read().changed_fields)
        label = "Base settings" + (f" :blue-badge[{changed} set]" if changed else "")
        with st.expander(label, key="base_box"):
            tools = st.container(horizontal=True, vertical_alignment="center", gap="medium", key="form_tools")
            places = draw_settings(endpoint.profile, card)
    with work:
        draw_messages()
        draw_notes()
        draw_variables(with_lanes=with_lanes)
        places[MESSAGES] = st.container(gap="xxsmall")
        widget_values.draw_count()
    draft = draft_form.read()
    # Before any slow drawing: a reload at this moment must find the draft.
    draft_form.keep(draft)
    with tools:
        draw_presets()
        draw_reset_all(draft)
    elsewhere = {name: draft.variables.get(name) or _SOME_VALUE for name in filled}
    whole = draft.model_copy(update={"variables": {**draft.variables, **elsewhere}})
    composed = compose(whole, endpoint.profile, context_tokens=card.context_length if card else None)
    draw_remarks(composed, endpoint.profile, places)
    return draft
