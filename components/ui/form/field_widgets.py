"""The widget of each kind of field, the same in the form and in a lane.

A field has a control for its state and, but for a switch, a widget for its value.
"""

from __future__ import annotations

from typing import Any

import streamlit as st
from pydantic import JsonValue

from components.contract.fields import Field, Kind
from components.drafts.draft import LARGEST_WHOLE
from components.drafts.setting import FieldState, Setting
from components.ui.form.keys import state_key

_SWITCHED = {"true": True, "false": False}


def states(row: Field, *, nullable: bool) -> list[str]:
    """What the control of its state offers: a switch has its two values there."""
    values = [*_SWITCHED] if row.kind is Kind.SWITCH else [FieldState.VALUE.value]
    return [FieldState.OMIT.value, *[FieldState.NULL.value] * nullable, *values]


def states_key(row: Field) -> str:
    """The key of the control of its state in the form."""
    return row.name if row.kind is Kind.SWITCH else state_key(row.name)


def state_in(row: Field, setting: Setting) -> str:
    """What the control of its state shows."""
    if row.kind is Kind.SWITCH and setting.state is FieldState.VALUE:
        return "true" if setting.value else "false"
    return setting.state.value


def setting_in(row: Field, chosen: str, kept: JsonValue) -> Setting:
    """The setting that the control of its state says; ``kept`` is the value that stands beside it."""
    if row.kind is Kind.SWITCH and chosen in _SWITCHED:
        return Setting(state=FieldState.VALUE, value=_SWITCHED[chosen])
    return Setting(state=FieldState(chosen), value=kept)


def shown(row: Field, value: JsonValue) -> Any:
    """What the widget of the value holds for it, of the type that the widget takes."""
    if row.kind is Kind.DECIMAL and isinstance(value, int | float):
        return float(value)
    return value


def value_in(row: Field, held: Any, before: JsonValue) -> JsonValue:
    """The value that its widget says. An empty one says nothing, and an untouched one what was there ``before``."""
    return before if held is None or held == shown(row, before) else held


def draw_value(row: Field, begins_with: JsonValue, label: str, **options: Any) -> Any:
    """Draw the widget of the value, without a label on the page if none is asked for; what it holds."""
    match row.kind:
        case Kind.DECIMAL:
            options |= {"step": 0.01, "format": "%g"}
        case Kind.WHOLE:
            options |= {"step": 1, "min_value": -LARGEST_WHOLE, "max_value": LARGEST_WHOLE}
        case _:
            raise NotImplementedError(f"There is no widget for {row.kind.value} ({row.name}).")
    return st.number_input(label, value=shown(row, begins_with), **{"label_visibility": "collapsed", **options})
