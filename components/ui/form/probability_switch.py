"""The switch that asks for the probabilities of tokens: it sets the two fields of the dialect together."""

from __future__ import annotations

import streamlit as st

from components.contract.fields import FIELDS, PROBABILITY_FIELDS
from components.contract.profile import Profile
from components.drafts.change import Change
from components.drafts.draft import Draft
from components.drafts.setting import FieldState, Setting
from components.ui import presses
from components.ui.form import draft_form, keys, widget_values
from components.ui.form.field_line import draw_name, draw_note, field_line

_HELP = (
    "Asks for the probability of each token and of its likeliest alternatives: sends logprobs and top_logprobs. The "
    "answer is then coloured by probability."
)


def draw_probability_switch(profile: Profile) -> None:
    """Draw the switch where the dialect has the fields."""
    if not all(name in profile.fields for name in PROBABILITY_FIELDS):
        return
    # It follows the fields, which can also be changed one by one.
    asks = asks_for_probabilities(draft_form.read())
    widget_values.put({keys.PROBABILITIES: asks})
    with field_line(keys.PROBABILITIES):
        draw_name("probabilities", _HELP)
        draw_note("on" if asks else "off")
        st.toggle(
            "Token probabilities",
            key=keys.PROBABILITIES,
            label_visibility="collapsed",
            width="content",
            on_change=presses.soon(_switch, not asks),
        )


def asks_for_probabilities(draft: Draft) -> bool:
    """Whether the form asks for the probabilities of tokens."""
    setting = draft.settings.get("logprobs")
    return setting is not None and setting.state is FieldState.VALUE and setting.value is True


def _switch(on: bool) -> None:
    if on:
        settings = {
            name: Setting(state=FieldState.VALUE, value=FIELDS[name].begins_with) for name in PROBABILITY_FIELDS
        }
        draft_form.change(Change(settings=settings), "token probabilities switched on")
    else:
        switch_off_probabilities()


def switch_off_probabilities() -> None:
    """Omit both fields; call it before the widgets are drawn."""
    draft_form.fill(draft_form.read().without_fields(PROBABILITY_FIELDS), "token probabilities switched off")
