"""Sets what the form's widgets hold, and keeps it until the browser has seen it.

Each message from the browser carries every widget's value. One that was sent before the browser has seen what was set
here carries the values of before, and Streamlit takes them for a person's choice. Therefore a hidden widget counts: it
is set to a new number whenever values are set, and its value in a message says which of them the browser had seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from components.ui.form import keys


@dataclass
class _Unseen:
    """A value that was set, and the values before it that a message may still carry, by the number that ends that."""

    value: Any
    before: dict[int, Any] = field(default_factory=dict)


@dataclass
class _Sets:
    """How often values have been set, and those that the browser may not have seen, by their widgets' keys."""

    count: int = 0
    unseen: dict[str, _Unseen] = field(default_factory=dict)


def put(values: Mapping[str, Any]) -> None:
    """Set what widgets hold, by their keys; call it before they are drawn."""
    sets = _sets()
    held = {key: st.session_state.get(key, value) for key, value in values.items()}
    if held != values:
        # Greater than any number that the browser knows, also one from before the server was restarted.
        sets.count = max(sets.count, _seen()) + 1
    for key, value in values.items():
        if held[key] != value:
            unseen = sets.unseen.setdefault(key, _Unseen(value))
            unseen.before[sets.count] = held[key]
            unseen.value = value
    st.session_state.update(values)


def put_back() -> None:
    """Set once more what the browser had not seen when it sent its message; what a person chose since counts.

    Call it at the beginning of a script, before the form is read.
    """
    sets, seen = _sets(), _seen()
    for key, unseen in list(sets.unseen.items()):
        unseen.before = {number: value for number, value in unseen.before.items() if number > seen}
        if not unseen.before:
            del sets.unseen[key]
            continue
        held = st.session_state.get(key, unseen.value)
        if held != unseen.value and held not in unseen.before.values():
            # A person chose it. What was set before is still on its way to the browser, and would take its place there.
            sets.count = max(sets.count, seen) + 1
            sets.unseen[key] = _Unseen(held, {sets.count: unseen.value})
        st.session_state[key] = sets.unseen[key].value


def draw_count() -> None:
    """Draw the hidden widget; call it when all widgets are drawn whose values are set here."""
    st.session_state[keys.VALUES_SET] = _sets().count
    with st.container(key="values_set_box"):
        st.number_input("How often values have been set", 0, key=keys.VALUES_SET, persist_state="session")


def _seen() -> int:
    return st.session_state.get(keys.VALUES_SET) or 0


def _sets() -> _Sets:
    sets: _Sets = st.session_state.setdefault(keys.UNSEEN_VALUES, _Sets())
    return sets
