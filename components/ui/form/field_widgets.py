"""The widget of each kind of field, the same in the form and in a lane.

A field has a state control and, except for a switch, a value widget.
"""

from __future__ import annotations

import json
import re
from typing import Any

import streamlit as st
from pydantic import JsonValue

from components.contract.fields import FIELDS, Field, Kind
from components.contract.strict_json import read_json
from components.drafts.setting import LARGEST_WHOLE, FieldState, Setting, can_be_shown
from components.ui.form.keys import field_key, state_key
from components.ui.plain_words import plain_words

_SWITCHED = {"true": True, "false": False}
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = {escape: character for character, escape in _ESCAPES.items()}


def description(row: Field) -> str:
    """The field's description as Markdown; it may come from an operator or an endpoint."""
    return row.description if row.name in FIELDS else plain_words(row.description)


def states(row: Field, *, nullable: bool) -> list[str]:
    """The options of the state control; for a switch, they include its two values."""
    values = [*_SWITCHED] if row.kind is Kind.SWITCH else [FieldState.VALUE.value]
    return [FieldState.OMIT.value, *[FieldState.NULL.value] * nullable, *values]


def value_key(row: Field) -> str:
    """The key of the value widget, with the kind where the kind varies."""
    field, key = FIELDS.get(row.name), field_key(row.name)
    return key if field and field.kind is row.kind else f"{key}_{row.kind.name.lower()}"


def states_key(row: Field) -> str:
    """The key of the state control in the form."""
    return value_key(row) if row.kind is Kind.SWITCH else state_key(row.name)


def state_in(row: Field, setting: Setting) -> str:
    """The shown option of the state control."""
    if row.kind is Kind.SWITCH and setting.state is FieldState.VALUE:
        return "true" if setting.value else "false"
    return setting.state.value


def shown(row: Field, setting: Setting) -> Any:
    """The widget's value for a setting, in the widget's type."""
    value = setting.value
    match row.kind:
        case Kind.DECIMAL if isinstance(value, int | float):
            return float(value)
        case Kind.TEXTS:
            return "\n".join(map(_escaped, [value] if isinstance(value, str) else value or []))  # type: ignore[arg-type]
        case Kind.JSON:
            return json.dumps(value, ensure_ascii=False, indent=2) if setting.typed is None else setting.typed
        case _:
            return value


def setting_in(row: Field, chosen: str, value: Any, before: Setting) -> Setting:
    """The setting of both widgets together.

    An empty number changes only the state. An unchanged widget keeps the value ``before``: 1 does not become 1.0, nor a
    text a list.
    """
    if row.kind is Kind.SWITCH and chosen in _SWITCHED:
        return Setting(state=FieldState.VALUE, value=_SWITCHED[chosen])
    if row.kind is Kind.SWITCH or value is None or value == shown(row, before):
        return before.model_copy(update={"state": FieldState(chosen)})
    if row.kind is Kind.TEXTS:
        value = [_unescaped(line) for line in value.split("\n") if line]
    elif row.kind is Kind.JSON:
        typed = value
        try:
            value = read_json(typed)
        except ValueError:
            return before.model_copy(update={"state": FieldState(chosen), "typed": typed})
        if not row.can_hold(value) or not can_be_shown(value):
            return before.model_copy(update={"state": FieldState(chosen), "typed": typed})
    return Setting(state=FieldState(chosen), value=value)


def draw_value(row: Field, setting: Setting, label: str, **options: Any) -> Any:
    """Draw the value widget; returns its value. The label is visible only if ``options`` say so."""
    initial = shown(row, setting)
    options = {"label_visibility": "collapsed", **options}
    match row.kind:
        case Kind.DECIMAL:
            return st.number_input(label, value=initial, step=0.01, format="%g", **options)
        case Kind.WHOLE:
            options |= {"step": 1, "min_value": -LARGEST_WHOLE, "max_value": LARGEST_WHOLE}
            return st.number_input(label, value=initial, **options)
        case Kind.CHOICE:
            current = st.session_state.get(options["key"], initial)
            choices = [*row.choices, *[current] * bool(current and current not in row.choices)]
            return st.selectbox(
                label, choices, choices.index(current) if current else None, accept_new_options=True, **options
            )
        case Kind.TEXTS:
            options |= {"placeholder": "One text per line; \\n is a line end", "height": "content"}
            return st.text_area(label, initial, **options)
        case Kind.JSON:
            options |= {"placeholder": json.dumps(row.example), "height": "content"}
            return st.text_area(label, initial, **options)
        case _:
            raise NotImplementedError(f"There is no widget for {row.kind.value} ({row.name}).")


def _escaped(text: JsonValue) -> str:
    return "".join(_ESCAPES.get(character, character) for character in str(text))


def _unescaped(line: str) -> str:
    return re.sub(r"\\[\\nrt]", lambda escape: _ESCAPED[escape[0]], line)
