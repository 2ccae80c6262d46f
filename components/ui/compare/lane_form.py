"""The changes of one lane as widgets, and a form that sets one field in several lanes.

A lane stores typed values at once; newly drawn widgets start with the lane's values.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from components.contract.fields import Kind
from components.contract.profile import Profile, may_be_null
from components.drafts.comparison import MAX_NAME_CHARS, Comparison, Lane, changed, with_setting
from components.drafts.draft import Draft
from components.drafts.in_words import OMITTED, SYSTEM, in_words
from components.drafts.setting import FieldState, Setting
from components.endpoints.endpoint import AnyEndpoint
from components.ui import presses
from components.ui.available_endpoints import available_endpoints
from components.ui.compare.keys import lane_key
from components.ui.form import draft_form, field_widgets
from components.ui.form.endpoint_choice import model_cards
from components.ui.form.keys import state_key
from components.ui.plain_words import plain_words

_BASE = "base"
_SEVERAL = "several"
"""Replaces a lane's id in the keys of the form for several lanes."""


def draw_lane_form(lane: Lane, draft: Draft, endpoints: Mapping[str, AnyEndpoint]) -> None:
    """Draw all possible changes of a lane."""
    base = in_words(draft)
    st.text_input(
        "Name",
        lane.name,
        key=lane_key("name", lane.id),
        max_chars=MAX_NAME_CHARS,
        placeholder="Optional",
        on_change=presses.soon(_apply, lane.id, "name"),
    )
    st.caption("A lane stores only its differences from the base. Fields set to base follow the base.")
    lane_draft = lane.apply(draft)
    endpoint = endpoints.get(lane_draft.endpoint or "")
    profile = _profile_of(lane_draft)
    for field in lane_draft.settings:
        _draw_setting(lane, field, base.get(field, OMITTED), profile)
    _draw_add(lane, lane_draft, endpoint)
    names = list(endpoints)
    _draw_choice(lane, "endpoint", names, base["endpoint"])
    _draw_choice(lane, "model", [card.id for card in model_cards(endpoint)] if endpoint else [], base["model"])
    _draw_stream(lane, base["stream"])
    _draw_text(lane, "system", SYSTEM, base[SYSTEM], "Rules for the whole answer; empty: no system message")
    _draw_text(lane, "extra_body", "Extra body fields, as JSON", draft.extra_body, '{"stop": ["\\n\\n"]}')


def draw_change_of_several(comparison: Comparison) -> None:
    """Draw the form that sets one field in several lanes."""
    lanes = st.pills(
        "Lanes",
        [lane.id for lane in comparison.lanes],
        selection_mode="multi",
        default=[lane.id for lane in comparison.lanes],
        format_func=comparison.title,
        key=lane_key("lanes", _SEVERAL),
    )
    fields = dict.fromkeys([*draft_form.read().settings, *draft_form.chosen_profile().further_fields])
    field = st.selectbox("Field", list(fields), key=lane_key("field", _SEVERAL))
    row, initial = draft_form.row_of(field), _initial_setting(field)
    options = [_BASE, *field_widgets.states(row, nullable=may_be_null(field))]
    chosen = st.segmented_control(
        "In these lanes",
        options,
        default=FieldState.VALUE.value if FieldState.VALUE.value in options else "true",
        required=True,
        key=lane_key(f"several_{field}", "state"),
    )
    value: Any = field_widgets.shown(row, initial)
    if chosen == FieldState.VALUE.value:
        key = lane_key(f"several_{field}", "value")
        value = field_widgets.draw_value(row, initial, field, key=key, label_visibility="visible")
    setting = None if chosen == _BASE else field_widgets.setting_in(row, str(chosen), value, initial)
    change = partial(with_setting, lane_ids=tuple(lanes), field=field, setting=setting)
    st.button(
        "Change",
        type="primary",
        key=lane_key("apply", _SEVERAL),
        disabled=not lanes or value is None,
        on_click=presses.soon(draft_form.change_comparison, change, f"{field} changed in several lanes"),
    )


def _draw_add(lane: Lane, lane_draft: Draft, endpoint: AnyEndpoint | None) -> None:
    """Draw the menu of fields that neither the base nor the lane has yet."""
    fields = endpoint.profile.further_fields if endpoint else ()
    if addable := [name for name in fields if name not in lane_draft.settings]:
        key = lane_key("add_field", lane.id)
        on_click = presses.soon_chosen(key, partial(_add, lane_id=lane.id))
        st.menu_button("Add field", addable, key=key, type="tertiary", icon=":material/add:", on_click=on_click)


def _draw_setting(lane: Lane, field: str, base: str, profile: Profile) -> None:
    """Draw a field as the lane's own endpoint knows it."""
    setting, row, rules = lane.settings.get(field), profile.field(field), profile.rules_of(field)
    if rules is None and setting is None:
        st.caption(f"{plain_words(field)}: the {profile.name} dialect has no such field.")
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="xsmall"):
        st.markdown(f":small[{field} :gray[{plain_words(base)}]]", width="content")
        st.segmented_control(
            f"{field}: base value, or what this lane sends",
            [_BASE, *field_widgets.states(row, nullable=rules.nullable if rules else may_be_null(field))],
            default=field_widgets.state_in(row, setting) if setting else _BASE,
            required=True,
            key=lane_key(state_key(field), lane.id),
            label_visibility="collapsed",
            on_change=presses.soon(_apply_state, lane.id, field),
        )
    if setting is None or setting.state is not FieldState.VALUE:
        return
    row = row.holding(setting.value)
    if row.kind is not Kind.SWITCH:
        key = lane_key(field_widgets.value_key(row), lane.id)
        on_change = presses.soon(lambda: _apply_setting(lane.id, field, FieldState.VALUE.value, st.session_state[key]))
        field_widgets.draw_value(row, setting, f"{field} in this lane", key=key, on_change=on_change)


def _draw_choice(lane: Lane, part: str, options: list[str], base: str) -> None:
    value: str | None = getattr(lane, part)
    if value is not None and value not in options:
        options = [value, *options]
    st.selectbox(
        part,
        options,
        index=None if value is None else options.index(value),
        placeholder=f"base: {base}",
        accept_new_options=part == "model",
        key=lane_key(part, lane.id),
        on_change=presses.soon(_apply, lane.id, part),
    )


def _draw_stream(lane: Lane, base: str) -> None:
    options = {_BASE: None, "on": True, "off": False}
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="xsmall"):
        st.markdown(f":small[stream :gray[{base}]]", width="content")
        key = lane_key("stream", lane.id)
        st.segmented_control(
            "stream: base value, on or off",
            list(options),
            default=next(name for name, value in options.items() if value is lane.stream),
            required=True,
            key=key,
            label_visibility="collapsed",
            on_change=presses.soon(lambda: _change(lane.id, stream=options[st.session_state[key]])),
        )


def _draw_text(lane: Lane, part: str, label: str, base: str, placeholder: str) -> None:
    """A lane's own text, enabled by a switch; it starts with the base's text."""
    value: str | None = getattr(lane, part)
    own = st.toggle(
        f"Own {label[0].lower()}{label[1:]}",
        value is not None,
        key=lane_key(f"own_{part}", lane.id),
        on_change=presses.soon(_apply_own, lane.id, part, "" if base == "omitted" else base),
    )
    if own and value is not None:
        st.text_area(
            label,
            value,
            key=lane_key(part, lane.id),
            height="content",
            placeholder=placeholder,
            label_visibility="collapsed",
            on_change=presses.soon(_apply, lane.id, part),
        )


def _profile_of(draft: Draft) -> Profile:
    """The profile of a lane's endpoint, or the base's while that endpoint is not there."""
    endpoint = available_endpoints().get(draft.endpoint or "")
    return endpoint.profile if endpoint else draft_form.chosen_profile()


def _initial_setting(field: str) -> Setting:
    """The initial value of a lane's field, taken from the base."""
    settings = draft_form.read().settings
    return settings.get(field) or Setting(value=draft_form.row_of(field).begins_with)


def _change(lane_id: str, **parts: Any) -> None:
    draft_form.change_comparison(partial(changed, lane_ids=(lane_id,), **parts))


def _apply(lane_id: str, part: str) -> None:
    value = st.session_state[lane_key(part, lane_id)]
    if part == "system":
        # New text may contain variables, even if the previous one did not.
        _change(lane_id, system=value, literal=False)
    else:
        _change(lane_id, **{part: value.strip() if part == "name" else value})


def _apply_own(lane_id: str, part: str, begins_with: str) -> None:
    own = st.session_state[lane_key(f"own_{part}", lane_id)]
    _change(lane_id, **{part: begins_with if own else None})


def _apply_state(lane_id: str, field: str) -> None:
    chosen = st.session_state[lane_key(state_key(field), lane_id)]
    _apply_setting(lane_id, field, None if chosen == _BASE else chosen)


def _apply_setting(lane_id: str, field: str, chosen: str | None, value: Any = None) -> None:
    draft = draft_form.read()
    before = draft.comparison.lane(lane_id).apply(draft).settings.get(field) or _initial_setting(field)
    row = _profile_of(draft.comparison.lane(lane_id).apply(draft)).field(field).holding(before.value)
    setting = field_widgets.setting_in(row, chosen, value, before) if chosen else None
    draft_form.change_comparison(partial(with_setting, lane_ids=(lane_id,), field=field, setting=setting))


def _add(name: str, lane_id: str) -> None:
    setting = Setting(state=FieldState.VALUE, value=_initial_setting(name).value)
    draft_form.change_comparison(partial(with_setting, lane_ids=(lane_id,), field=name, setting=setting))
