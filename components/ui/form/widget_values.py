"""Sets the values of the form's widgets, and keeps them until the browser has seen them.

Each browser message carries every widget's value. A message sent before the browser has seen the new values carries the
old ones, and Streamlit takes them for user input. Therefore a hidden widget counts: it gets a new number whenever
values are set, and its value in a message says which values the browser had seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from components.ui.form import keys


@dataclass
class _Unseen:
    """A value that was set, and the previous values that a message may still carry, by the number that ends this."""

    value: Any
    before: dict[int, Any] = field(default_factory=dict)


@dataclass
class _Sets:
    """The number of times that values were set, and the values that the browser may not have seen, by widget key."""

    count: int = 0
    unseen: dict[str, _Unseen] = field(default_factory=dict)


def put(values: Mapping[str, Any]) -> None:
    """Set the values of widgets, by key; call it before they are drawn."""
    sets = _sets()
    current = {key: st.session_state.get(key, value) for key, value in values.items()}
    if current != values:
        # Greater than any number that the browser knows, also from before a restart of the server.
        sets.count = max(sets.count, _seen_count()) + 1
    for key, value in values.items():
        if current[key] != value:
            unseen = sets.unseen.setdefault(key, _Unseen(value))
            unseen.before[sets.count] = current[key]
            unseen.value = value
    st.session_state.update(values)


def put_back() -> None:
    """Set the values again that the browser had not seen in its message; newer user input wins.

    Call it at the start of a script, before the form is read.
    """
    sets, seen = _sets(), _seen_count()
    for key, unseen in list(sets.unseen.items()):
        unseen.before = {number: value for number, value in unseen.before.items() if number > seen}
        if not unseen.before:
            del sets.unseen[key]
            continue
        current = st.session_state.get(key, unseen.value)
        if current != unseen.value and current not in unseen.before.values():
            # User input. The value set before is still on its way to the browser, and would replace the input there.
            sets.count = max(sets.count, seen) + 1
            sets.unseen[key] = _Unseen(current, {sets.count: unseen.value})
        st.session_state[key] = sets.unseen[key].value


def draw_count() -> None:
    """Draw the hidden widget; call it after all widgets with values set here."""
    st.session_state[keys.VALUES_SET] = _sets().count
    with st.container(key="values_set_box"):
        st.number_input("Number of times that values were set", 0, key=keys.VALUES_SET, persist_state="session")


def _seen_count() -> int:
    return st.session_state.get(keys.VALUES_SET) or 0


def _sets() -> _Sets:
    sets: _Sets = st.session_state.setdefault(keys.UNSEEN_VALUES, _Sets())
    return sets
