"""The settings of a request as widgets, and the request that they make.

What a field means, its range and its default come from the request and the profile; nothing of that is written here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from components.contract.messages import Message
from components.contract.profile import FieldRules, Profile
from components.contract.request import OPTIONAL_FIELDS, ChatCompletionStreamRequest
from components.ui import state
from components.ui.state import FieldState, slider_key, state_key

_DECIMAL_FIELDS = ("temperature", "top_p")
# Beyond these JavaScript cannot count in whole numbers.
_LARGEST_WHOLE = 2**53 - 1


@dataclass
class Form:
    """What the widgets say: the values that go on the wire, None for null.

    ``out_of_range`` holds a sentence per field that the endpoint may refuse.
    """

    values: dict[str, Any] = field(default_factory=dict)
    out_of_range: dict[str, str] = field(default_factory=dict)


def draw_settings(profile: Profile, refused: Collection[str] = ()) -> Form:
    """Draw every optional field and ``stream``; what they say. ``refused`` are fields the endpoint complained about."""
    form = Form()
    for name in OPTIONAL_FIELDS:
        rules = profile.fields.get(name)
        if rules is None:
            st.caption(f"**{name}**: the {profile.name} dialect has no such field.")
        elif name == state.SAFE_PROMPT:
            _draw_switch(name, rules, form)
        else:
            _draw_number(name, rules, form)
        if rules and {name, rules.key} & set(refused):
            st.caption(":red[The endpoint refused this field in the run shown.]")
    st.toggle(
        "stream", state.start_of(state.STREAM), key=state.STREAM, help=_help(state.STREAM), persist_state="session"
    )
    return form


def make_request(form: Form) -> ChatCompletionStreamRequest:
    """The request that the widgets make. Raises ValueError with a sentence when something is missing."""
    system, prompt = st.session_state[state.SYSTEM], st.session_state[state.PROMPT]
    model = (st.session_state[state.MODEL] or "").strip()
    if not prompt.strip():
        raise ValueError("Write a prompt first.")
    if not model:
        raise ValueError("Choose a model first, or type its name.")
    messages = [Message.system(system)] if system.strip() else []
    return ChatCompletionStreamRequest(
        model=model, messages=[*messages, Message.user(prompt)], stream=st.session_state[state.STREAM], **form.values
    )


def _draw_number(name: str, rules: FieldRules, form: Form) -> None:
    decimal = name in _DECIMAL_FIELDS
    with st.container(key=f"{name}_field", gap="xxsmall"):
        chosen = _draw_head(name, rules)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            beside = st.container()
            number: dict[str, Any] = (
                {"step": 0.01, "format": "%g"}
                if decimal
                else {"step": 1, "min_value": -_LARGEST_WHOLE, "max_value": _LARGEST_WHOLE}
            )
            value = st.number_input(
                name,
                value=state.start_of(name),
                key=name,
                on_change=_take_number,
                args=(name,),
                label_visibility="collapsed",
                width=120 if decimal else 150,
                persist_state="session",
                **number,
            )
            with beside:
                if chosen is FieldState.OMIT:
                    st.caption(f"Not sent: {rules.default}")
                elif chosen is FieldState.NULL:
                    st.caption("Sent as null")
                elif decimal and rules.minimum is not None and rules.maximum is not None:
                    _draw_slider(name, rules.minimum, rules.maximum, value)
                else:
                    st.caption("Sent")
        if chosen is FieldState.NULL:
            form.values[name] = None
        elif chosen is FieldState.VALUE:
            form.values[name] = value
            problem = rules.range_problem(value)
            if problem:
                form.out_of_range[name] = problem
                st.caption(f":red[{problem}]")


def _draw_switch(name: str, rules: FieldRules, form: Form) -> None:
    with st.container(key=f"{name}_field", gap="xxsmall"):
        with _head_row():
            st.markdown(f":small[{name}]", help=_help(name))
            chosen = st.segmented_control(
                name,
                [FieldState.OMIT.value, "true", "false"],
                default=state.start_of(name),
                key=name,
                required=True,
                label_visibility="collapsed",
                persist_state="session",
            )
        if chosen == FieldState.OMIT.value:
            st.caption(f"Not sent: {rules.default}")
        else:
            form.values[name] = chosen == "true"


def _draw_head(name: str, rules: FieldRules) -> FieldState:
    key = state_key(name)
    options = [option for option in FieldState if rules.nullable or option is not FieldState.NULL]
    start = state.start_of(key)
    if st.session_state.get(key, start) not in options:
        # Another dialect was chosen, which knows no null for this field.
        st.session_state[key] = start = FieldState.OMIT.value
    with _head_row():
        st.markdown(f":small[{name}]", help=_help(name, rules))
        chosen = st.segmented_control(
            f"{name}: omit, null or value",
            [option.value for option in options],
            default=start if start in options else FieldState.OMIT.value,
            key=key,
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
    return FieldState(chosen or FieldState.OMIT)


def _head_row() -> Any:
    return st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")


def _help(name: str, rules: FieldRules | None = None) -> str:
    text = ChatCompletionStreamRequest.model_fields[name].description or ""
    if rules is None or rules.minimum is None:
        return text
    reach = f"{rules.minimum:g} to {rules.maximum:g}" if rules.maximum is not None else f"{rules.minimum:g} or more"
    return f"{text} Range: {reach}."


def _take_number(name: str) -> None:
    """A number was typed: it is meant to be sent."""
    st.session_state[state_key(name)] = FieldState.VALUE.value


def _draw_slider(name: str, minimum: float, maximum: float, value: float) -> None:
    """A slider that follows the number; it cannot stand outside its range, though the number may."""
    st.session_state[slider_key(name)] = min(max(value, minimum), maximum)
    st.slider(
        f"{name} slider",
        minimum,
        maximum,
        step=0.01,
        key=slider_key(name),
        on_change=_take_slider,
        args=(name,),
        label_visibility="collapsed",
    )


def _take_slider(name: str) -> None:
    st.session_state[name] = st.session_state[slider_key(name)]
