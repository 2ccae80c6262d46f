"""The settings of a request as widgets.

A field's kind comes from its row, its range and default from the profile; neither is written here.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.contract.fields import FIELDS, Field, Kind, is_of_contract
from components.contract.profile import FieldRules, Profile
from components.contract.request import ChatCompletionStreamRequest
from components.drafts.change import Change, reset
from components.drafts.draft import Draft
from components.drafts.known_keys import with_known_keys
from components.drafts.setting import FieldState, Setting
from components.endpoints.models import ModelCard
from components.ui import presses, shortcuts
from components.ui.choices import draw_action
from components.ui.form import draft_form, field_widgets, keys, widget_values
from components.ui.form.field_line import VALUE_WIDTH, draw_name, draw_note, draw_state, field_line
from components.ui.form.keys import slider_key
from components.ui.form.probability_switch import draw_probability_switch
from components.ui.plain_words import plain_words

Places = dict[str, DeltaGenerator]
"""The places on the page for remarks, by field."""

_TALL = (Kind.TEXTS, Kind.JSON)
"""Kinds whose value does not fit in a line."""


def draw_settings(profile: Profile, card: ModelCard | None, refused: Collection[str] = ()) -> Places:
    """Draw every optional field, ``stream`` and the extra body fields; returns the places for remarks.

    ``refused`` are fields that the endpoint rejected in the shown run.
    """
    places: Places = {}
    settings = draft_form.start().settings
    with st.container(key="fields", gap="xxsmall"):
        _draw_fields([name for name in settings if is_of_contract(name)], profile, card, refused, places)
        with field_line(keys.STREAM):
            streams = st.session_state.get(keys.STREAM, draft_form.start().stream)
            with draw_name(keys.STREAM, _help_of_part(keys.STREAM), modified=not streams):
                if not streams:
                    _draw_reset(keys.STREAM)
            draw_note("on" if streams else "off")
            st.toggle(
                keys.STREAM,
                draft_form.start().stream,
                key=keys.STREAM,
                label_visibility="collapsed",
                width="content",
                persist_state="session",
            )
        _draw_fields([name for name in settings if not is_of_contract(name)], profile, card, refused, places)
        draw_probability_switch(profile)
    if addable := [name for name in profile.further_fields if name not in settings]:
        st.menu_button(
            "Add field",
            addable,
            key="add_field",
            type="tertiary",
            icon=":material/add:",
            on_click=presses.soon_chosen("add_field", _add),
        )
    _draw_extra_body(profile)
    places[keys.EXTRA_BODY] = st.container(gap="xxsmall")
    return places


def _draw_fields(
    names: Collection[str], profile: Profile, card: ModelCard | None, refused: Collection[str], places: Places
) -> None:
    for name in names:
        setting, rules = draft_form.start().settings[name], profile.rules_of(name)
        if rules is None:
            st.caption(f"**{name}**: the {profile.name} dialect has no such field.")
            continue
        with st.container(key=f"{keys.field_key(name)}_field", gap="xxsmall"):
            _draw_field(profile.field(name).holding(setting.value), setting, rules, card)
            if {name, rules.key} & set(refused):
                st.caption(":red[The endpoint refused this field in the run shown.]")
            places[name] = st.container(gap="xxsmall")


def draw_reset_all(draft: Draft) -> None:
    """Draw the button that resets every field to its default."""
    count = len(draft.changed_fields)
    st.button(
        f"Reset all ({count})" if count else "Reset all",
        key="reset_all",
        type="tertiary",
        shortcut=shortcuts.RESET_ALL,
        icon=":material/restart_alt:",
        disabled=not count,
        help="Omits the contract's fields and keeps their values. Removes other fields, switches streaming on and "
        "clears the extra body.",
        on_click=presses.soon(_reset_all),
    )


def _draw_field(row: Field, setting: Setting, rules: FieldRules, card: ModelCard | None) -> None:
    options = field_widgets.states(row, nullable=rules.nullable)
    chosen = _chosen_state(row, setting, options)
    modified = chosen != FieldState.OMIT
    with field_line(keys.field_key(row.name)):
        with draw_name(row.name, _help(row, rules), modified=modified):
            if modified:
                _draw_reset(row.name)
            _draw_remove(row)
        _draw_middle(row, setting, rules, card, chosen)
        draw_state(row.name, options, chosen, key=field_widgets.states_key(row))
    if chosen == FieldState.VALUE and row.kind in _TALL:
        _draw_value(row, setting)


def _draw_middle(row: Field, setting: Setting, rules: FieldRules, card: ModelCard | None, chosen: str) -> None:
    """Draw what stands between the name and the state: a note or a slider, and a value that fits in the line."""
    if row.kind is Kind.CHOICE and chosen == FieldState.VALUE:
        _draw_value(row, setting)
        return
    notes = {FieldState.OMIT.value: _omitted_in_words(row.name, rules, card), FieldState.NULL.value: "sent as null"}
    key = field_widgets.value_key(row)
    if chosen == FieldState.VALUE and row.kind is Kind.DECIMAL and rules.has_both_limits:
        _draw_slider(row, rules, st.session_state.get(key, field_widgets.shown(row, setting)))
    else:
        draw_note(notes.get(chosen, ""))
    if row.kind.is_number:
        _draw_value(row, setting, width=VALUE_WIDTH)


def _chosen_state(row: Field, setting: Setting, options: list[str]) -> str:
    """The shown option of the state control, which is drawn after it is needed."""
    key = field_widgets.states_key(row)
    chosen: str = st.session_state.get(key, field_widgets.state_in(row, setting))
    if chosen not in options:
        # Another dialect was chosen, which has no null for this field.
        chosen = FieldState.OMIT.value
        widget_values.put({key: chosen})
    return chosen


def _draw_value(row: Field, setting: Setting, **options: Any) -> None:
    key = field_widgets.value_key(row)
    held: dict[str, Any] = st.session_state.setdefault(keys.HELD_VALUES, {})
    held[key] = field_widgets.draw_value(
        row,
        setting,
        row.name,
        key=key,
        on_change=presses.soon(_apply_value, row.name, key),
        persist_state="session",
        **options,
    )


def _draw_remove(row: Field) -> None:
    if not is_of_contract(row.name):
        key = f"{keys.field_key(row.name)}_remove"
        what = f"Removes {row.name} from the form."
        draw_action(f"Remove {row.name}", key, ":material/close:", _remove, row.name, help=what)


def _draw_reset(name: str) -> None:
    """Draw the button that resets a field which differs from its default."""
    rest = "" if name in (keys.STREAM, keys.EXTRA_BODY) else "; the value stays"
    what = f"{name} differs from its default. Press to reset it{rest}."
    draw_action(f"Reset {name}", f"{keys.field_key(name)}_reset", ":material/undo:", _reset, name, help=what)


def _help(row: Field, rules: FieldRules) -> str:
    if rules.minimum is None:
        return field_widgets.description(row)
    reach = f"{rules.minimum:g} to {rules.maximum:g}" if rules.maximum is not None else f"{rules.minimum:g} or more"
    return f"{field_widgets.description(row)} Range: {reach}."


def _help_of_part(part: str) -> str:
    return ChatCompletionStreamRequest.model_fields[part].description or ""


def _omitted_in_words(name: str, rules: FieldRules, card: ModelCard | None) -> str:
    if rules.if_omitted is not None:
        return f"sent: {rules.if_omitted:,}, the maximum here"
    if name == "temperature" and card and card.default_temperature is not None:
        return f"omitted · default {card.default_temperature:g}"
    return f"omitted · {rules.default if name in FIELDS else plain_words(rules.default)}"


def _apply_value(name: str, key: str) -> None:
    """Send a typed value. A redraw of the widget may call this as well."""
    if st.session_state[key] != st.session_state[keys.HELD_VALUES].get(key):
        widget_values.put({keys.state_key(name): FieldState.VALUE.value})


def _draw_slider(row: Field, rules: FieldRules, value: float | None) -> None:
    """A slider that follows the number; unlike the number, it cannot leave its range."""
    minimum, maximum = float(rules.minimum or 0), float(rules.maximum or 0)
    followed = min(max(minimum if value is None else value, minimum), maximum)
    widget_values.put({slider_key(row.name): followed})
    st.slider(
        f"{row.name} slider",
        minimum,
        maximum,
        step=0.01,
        key=slider_key(row.name),
        on_change=presses.soon(_apply_slider, row, followed),
        label_visibility="collapsed",
    )


def _apply_slider(row: Field, followed: float) -> None:
    chosen = st.session_state[slider_key(row.name)]
    if chosen != followed:
        widget_values.put({field_widgets.value_key(row): chosen})


def _reset(field: str) -> None:
    draft_form.change(reset([field]), f"{field} reset")


def _reset_all() -> None:
    draft = draft_form.read()
    further = [field for field in draft.settings if not is_of_contract(field)]
    draft_form.fill(reset(draft.changed_fields).apply(draft.without_fields(further)), "settings reset")


def _add(name: str) -> None:
    setting = Setting(state=FieldState.VALUE, value=draft_form.row_of(name).begins_with)
    draft_form.change(Change(settings={name: setting}), f"{name} added")


def _remove(name: str) -> None:
    draft_form.fill(draft_form.read().without_fields([name]), f"{name} removed")


def _draw_extra_body(profile: Profile) -> None:
    initial = draft_form.start().extra_body
    text = st.session_state.get(keys.EXTRA_BODY, initial)
    label = "Extra body fields" + (" :blue-badge[set]" if text.strip() else "")
    with st.expander(label, expanded=bool(initial), key="extra_body_box"):
        st.text_area(
            "Extra body fields, as JSON",
            initial,
            key=keys.EXTRA_BODY,
            height="content",
            placeholder='{"stop": ["\\n\\n"]}',
            help=_help_of_part(keys.EXTRA_BODY),
            persist_state="session",
        )
        if text.strip():
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                _draw_reset(keys.EXTRA_BODY)
                _draw_move(profile)


def _draw_move(profile: Profile) -> None:
    """Draw the button that turns known keys into fields; their order in the body changes."""
    draft = draft_form.read()
    converted = with_known_keys(draft, profile, in_any_order=True)
    if moved := [name for name in converted.further_values(profile) if name not in draft.further_values(profile)]:
        label = f"Turn {', '.join(moved)} into {'a field' if len(moved) == 1 else 'fields'}"
        draw_action(label, "move_keys", ":material/move_up:", draft_form.fill, converted, "fields made")
