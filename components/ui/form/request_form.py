"""The settings of a request as widgets.

What a field is comes from its row, its range and its default from the profile; nothing of that is written here.
"""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.contract.fields import FIELDS, Field, Kind
from components.contract.profile import FieldRules, Profile
from components.contract.request import ChatCompletionStreamRequest
from components.drafts.change import reset
from components.drafts.draft import Draft
from components.drafts.extra_body import extra_body_text, read_extra_body
from components.drafts.setting import FieldState, Setting
from components.endpoints.models import ModelCard
from components.ui import presses, shortcuts
from components.ui.form import draft_form, field_widgets, keys, widget_values
from components.ui.form.keys import reset_key, slider_key

Places = dict[str, DeltaGenerator]
"""Where on the page a remark on a field belongs."""


def draw_settings(profile: Profile, card: ModelCard | None, refused: Collection[str] = ()) -> Places:
    """Draw every optional field, ``stream`` and the extra body fields; where remarks on each of them belong.

    ``refused`` are fields that the endpoint complained about in the run shown.
    """
    places: Places = {}
    for name, setting in draft_form.start().settings.items():
        row, rules = profile.field(name), profile.fields.get(name)
        if rules is None:
            st.caption(f"**{name}**: the {profile.name} dialect has no such field.")
            continue
        with st.container(key=f"{name}_field", gap="xxsmall"):
            _draw_field(row, setting, rules, card)
            if {name, rules.key} & set(refused):
                st.caption(":red[The endpoint refused this field in the run shown.]")
            places[name] = st.container(gap="xxsmall")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        streams = st.toggle(
            keys.STREAM,
            draft_form.start().stream,
            key=keys.STREAM,
            help=_help_of_part(keys.STREAM),
            persist_state="session",
        )
        if not streams:
            _draw_badge(keys.STREAM)
    _draw_extra_body(profile)
    places[keys.EXTRA_BODY] = st.container(gap="xxsmall")
    return places


def draw_reset_all(draft: Draft) -> None:
    """Draw the button that brings every field back to its default."""
    count = len(draft.changed_fields)
    st.button(
        f"Reset all ({count})" if count else "Reset all",
        key="reset_all",
        type="tertiary",
        shortcut=shortcuts.RESET_ALL,
        icon=":material/restart_alt:",
        disabled=not count,
        help="Omits every optional field, switches streaming on and clears the extra body fields. Numbers stay.",
        on_click=presses.soon(_reset, draft.changed_fields, "settings"),
    )


def _draw_field(row: Field, setting: Setting, rules: FieldRules, card: ModelCard | None) -> None:
    chosen = _draw_head(row, setting, rules)
    if row.kind is Kind.SWITCH:
        if chosen is FieldState.OMIT:
            st.caption(_said_of_omitted(row.name, rules, card))
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        beside = st.container()
        value = field_widgets.draw_value(
            row,
            setting.value,
            row.name,
            key=row.name,
            on_change=presses.soon(_take_value, row.name),
            width=120 if row.kind is Kind.DECIMAL else 150,
            persist_state="session",
        )
        st.session_state.setdefault(keys.NUMBERS, {})[row.name] = value
        with beside:
            if chosen is FieldState.OMIT:
                st.caption(_said_of_omitted(row.name, rules, card))
            elif chosen is FieldState.NULL:
                st.caption("Sent as null")
            elif row.kind is Kind.DECIMAL and rules.minimum is not None and rules.maximum is not None:
                _draw_slider(row.name, rules.minimum, rules.maximum, value)
            else:
                st.caption("Sent")


def _draw_head(row: Field, setting: Setting, rules: FieldRules) -> FieldState:
    key = field_widgets.states_key(row)
    options = field_widgets.states(row, nullable=rules.nullable)
    begins_with = field_widgets.state_in(row, setting)
    if st.session_state.get(key, begins_with) not in options:
        # Another dialect was chosen, which knows no null for this field.
        begins_with = FieldState.OMIT.value
        widget_values.put({key: begins_with})
    label = f"{row.name}: {', '.join(options[:-1])} or {options[-1]}"
    chosen = _draw_name_and_choice(row.name, _help(row, rules), options, begins_with, key=key, label=label)
    return field_widgets.setting_in(row, chosen, None).state


def _draw_name_and_choice(
    name: str, help_text: str, options: list[str], begins_with: str, *, key: str, label: str
) -> str:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content"):
            st.markdown(f":small[{name}]", help=help_text, width="content")
            if st.session_state.get(key, begins_with) != FieldState.OMIT:
                _draw_badge(name)
        chosen: str | None = st.segmented_control(
            label,
            options,
            default=begins_with if begins_with in options else FieldState.OMIT.value,
            key=key,
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
    return chosen or FieldState.OMIT.value


def _draw_badge(name: str) -> None:
    """A mark that the field differs from its default, which is also the way back to it."""
    st.button(
        "changed",
        key=reset_key(name),
        type="tertiary",
        icon=":material/undo:",
        help=f"{name} differs from its default. Press to reset it" + ("; the value stays." if name in FIELDS else "."),
        on_click=presses.soon(_reset, [name], name),
    )


def _help(row: Field, rules: FieldRules) -> str:
    if rules.minimum is None:
        return row.description
    reach = f"{rules.minimum:g} to {rules.maximum:g}" if rules.maximum is not None else f"{rules.minimum:g} or more"
    return f"{row.description} Range: {reach}."


def _help_of_part(part: str) -> str:
    return ChatCompletionStreamRequest.model_fields[part].description or ""


def _said_of_omitted(name: str, rules: FieldRules, card: ModelCard | None) -> str:
    if rules.if_omitted is not None:
        return f"Sent: {rules.if_omitted:,}, the most that is allowed here"
    return f"Not sent: {_default(name, rules, card)}"


def _default(name: str, rules: FieldRules, card: ModelCard | None) -> str:
    if name == "temperature" and card and card.default_temperature is not None:
        return f"the model's own default ({card.default_temperature:g})"
    return rules.default


def _take_value(name: str) -> None:
    """A value was typed: it is meant to be sent. A widget that was only drawn anew may call this as well."""
    if st.session_state[name] != st.session_state[keys.NUMBERS].get(name):
        widget_values.put({keys.state_key(name): FieldState.VALUE.value})


def _draw_slider(name: str, minimum: float, maximum: float, value: float) -> None:
    """A slider that follows the number; it cannot stand outside its range, though the number may."""
    followed = min(max(value, minimum), maximum)
    widget_values.put({slider_key(name): followed})
    st.slider(
        f"{name} slider",
        minimum,
        maximum,
        step=0.01,
        key=slider_key(name),
        on_change=presses.soon(_take_slider, name, followed),
        label_visibility="collapsed",
    )


def _take_slider(name: str, followed: float) -> None:
    chosen = st.session_state[slider_key(name)]
    if chosen != followed:
        widget_values.put({name: chosen})


def _reset(fields: list[str], what: str) -> None:
    draft_form.change(reset(fields), f"{what} reset")


def _draw_extra_body(profile: Profile) -> None:
    begins_with = draft_form.start().extra_body
    text = st.session_state.get(keys.EXTRA_BODY, begins_with)
    label = "Extra body fields" + (" :blue-badge[set]" if text.strip() else "")
    with st.expander(label, expanded=bool(begins_with), key="extra_body_box"):
        st.text_area(
            "Extra body fields, as JSON",
            begins_with,
            key=keys.EXTRA_BODY,
            height="content",
            placeholder='{"stop": ["\\n\\n"]}',
            help=_help_of_part(keys.EXTRA_BODY),
            persist_state="session",
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if profile.further_fields:
                st.menu_button(
                    "Add a field",
                    profile.further_fields,
                    key="add_extra",
                    type="tertiary",
                    icon=":material/add:",
                    on_click=presses.soon_chosen("add_extra", _add_extra),
                )
            if text.strip():
                _draw_badge(keys.EXTRA_BODY)


def _add_extra(name: str) -> None:
    """Put an example of the chosen field into the text, unless the text cannot be read: its error is shown then."""
    try:
        fields = read_extra_body(st.session_state[keys.EXTRA_BODY])
    except ValueError:
        return
    fields.setdefault(name, FIELDS[name].begins_with)
    widget_values.put({keys.EXTRA_BODY: extra_body_text(fields)})
