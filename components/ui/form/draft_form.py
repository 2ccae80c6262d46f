"""The form as one value: read from the widgets, written to them, and stored for reloads.

Widgets start with defaults and not with values set for them: when a browser returns to a server that has lost the
session, after a long sleep or a restart, the text in the page wins.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from components.contract.fields import Field
from components.contract.messages import Role
from components.contract.profile import BEEZY, Profile, profile_named
from components.contract.request import from_bytes
from components.drafts.change import Change, between
from components.drafts.comparison import Comparison
from components.drafts.conversation import Turn, Turns, highest_id, renumbered
from components.drafts.draft import Draft, new_draft, read_draft
from components.drafts.known_keys import with_known_keys
from components.drafts.setting import Setting
from components.drafts.store import find_draft, save_draft
from components.log.record import RunRecord
from components.ui.available_endpoints import available_endpoints
from components.ui.form import field_widgets, keys, widget_values
from components.ui.user_errors import show_errors
from components.ui.visitor import own_log


@dataclass(frozen=True)
class Undo:
    """A change that can be undone: the button's label and its action."""

    label: str
    action: Callable[[], None]


_MAX_UNDO = 20


def begin(fallback: Callable[[], Draft | None]) -> None:
    """Start a session's form from the draft in the query parameter, else from ``fallback``.

    A stored draft is copied under an id of this session, and the original is never changed: two tabs, or two people
    with the same address, do not overwrite each other's text.
    """
    if keys.START not in st.session_state:
        stored = _stored_draft(st.query_params.get(keys.DRAFT_PARAMETER))
        initial = _with_known_keys(stored or fallback() or new_draft())
        st.session_state[keys.START] = initial
        st.session_state[keys.TURNS] = initial.turns
        st.session_state[keys.COMPARISON] = initial.comparison
        st.session_state[keys.HIGHEST_TURN] = highest_id(initial.turns)
        st.session_state[keys.DRAFT] = uuid.uuid4().hex
        if stored:
            save_draft(own_log(), st.session_state[keys.DRAFT], stored.to_text())
    if st.query_params.get(keys.DRAFT_PARAMETER) != st.session_state[keys.DRAFT]:
        # Also after a click on another page, which drops the parameter.
        st.query_params[keys.DRAFT_PARAMETER] = st.session_state[keys.DRAFT]


def start() -> Draft:
    """The initial values of newly drawn widgets."""
    initial: Draft = st.session_state[keys.START]
    return initial


def read() -> Draft:
    """The current form."""
    began = start()
    endpoint = _value(keys.ENDPOINT, began.endpoint)
    profile = _profile_at(endpoint)
    draft = Draft(
        endpoint=endpoint,
        model=_value(keys.MODEL, began.model),
        turns=current_turns(),
        settings={field: _setting(profile, field, setting) for field, setting in began.settings.items()},
        stream=_value(keys.STREAM, began.stream),
        extra_body=_value(keys.EXTRA_BODY, began.extra_body),
        comparison=st.session_state[keys.COMPARISON],
    )
    names = dict.fromkeys([*draft.variable_names, *draft.comparison.variable_names, *began.variables])
    values = {name: _value(keys.variable_key(name), began.variables.get(name, "")) for name in names}
    return draft.model_copy(update={"variables": {name: value for name, value in values.items() if value}})


def current_turns() -> Turns:
    """The turns with the current text of their widgets."""
    turns: Turns = st.session_state[keys.TURNS]
    return tuple(map(_as_typed, turns))


def fill(draft: Draft, sentence: str) -> None:
    """Put a draft into the form; call it before the widgets are drawn. ``sentence`` describes it for Undo."""
    before, filled = read(), _with_known_keys(draft)
    _put(filled)
    offer_undo(Undo(f"Undo: {sentence}", lambda: _restore(before, filled, sentence)))


def change(change: Change, sentence: str) -> None:
    """Apply a change to the form, like ``fill``."""
    fill(change.apply(read()), sentence)


def fill_from(record: RunRecord) -> None:
    """Put a run's request into the form; a body that is not a Tempera request leaves the form unchanged."""
    if draft := draft_of(record, read()):
        fill(draft, "run opened")


def change_turns(change: Callable[[Turns], Turns], sentence: str | None = None) -> None:
    """Change the conversation; call it before the widgets are drawn. With a ``sentence`` it can be undone.

    A quick second click may refer to a turn that the first removed; it changes nothing.
    """
    before = read()
    try:
        st.session_state[keys.TURNS] = change(before.turns)
    except LookupError:
        return
    _offer_undo_of(before, sentence)


def change_comparison(change: Callable[[Comparison], Comparison], sentence: str | None = None) -> None:
    """Change the lanes; call it before they are drawn. With a ``sentence`` it can be undone.

    A quick second click may refer to a lane that the first removed; it changes nothing.
    """
    before = read()
    try:
        changed = change(before.comparison)
    except LookupError:
        return
    if changed != before.comparison:
        st.session_state[keys.COMPARISON] = changed
        _offer_undo_of(before, sentence)


def _offer_undo_of(before: Draft, sentence: str | None) -> None:
    """Offer to undo the change that made the current form of ``before``, if it has a sentence."""
    if sentence:
        after = read()
        offer_undo(Undo(f"Undo: {sentence}", lambda: _restore(before, after, sentence)))


def next_turn_id() -> str:
    """A turn id never used in this session, because a widget's text is stored under its key."""
    st.session_state[keys.HIGHEST_TURN] += 1
    return str(st.session_state[keys.HIGHEST_TURN])


def offer_undo(undo: Undo) -> None:
    """Add an undo step, and drop the redo step."""
    st.session_state.pop(keys.REDO, None)
    offered = st.session_state.setdefault(keys.UNDO, [])
    offered.append(undo)
    del offered[:-_MAX_UNDO]


def can_undo() -> str | None:
    """The label of the Undo button; None without an undo step."""
    offered = st.session_state.get(keys.UNDO)
    return offered[-1].label if offered else None


def can_redo() -> str | None:
    """The label of the Redo button; None without a redo step."""
    offered = st.session_state.get(keys.REDO)
    return offered.label if offered else None


def undo() -> None:
    """Undo the last change."""
    if offered := st.session_state.get(keys.UNDO):
        st.session_state.pop(keys.REDO, None)
        offered.pop().action()


def redo() -> None:
    """Redo the last undone change."""
    if offered := st.session_state.pop(keys.REDO, None):
        offered.action()


def _restore(before: Draft, after: Draft, sentence: str) -> None:
    """Restore the parts that a change replaced, and offer to redo it."""
    current = read()
    restored = _merged(current, after, before)
    _put(restored)
    st.session_state[keys.REDO] = Undo(f"Redo: {sentence}", lambda: fill(_merged(read(), restored, current), sentence))


def _merged(current: Draft, old: Draft, new: Draft) -> Draft:
    """The current form with the differences from ``old`` to ``new``; later edits of other parts stay."""
    merged = between(old, new, unsent=True).apply(current).without_fields(old.settings.keys() - new.settings.keys())
    return merged if new.comparison == old.comparison else merged.model_copy(update={"comparison": new.comparison})


def keep() -> Draft:
    """Store the form under the id in the query parameter, so that a reload or restart finds it again; returns it.

    Call it before any slow drawing: a reload at that moment must find the draft.
    """
    draft = read()
    text = draft.to_text()
    if keys.STORED_DRAFT not in st.session_state:
        # The default endpoint and model are no edit, and are not stored.
        untouched = start().model_copy(update={"endpoint": draft.endpoint, "model": draft.model})
        st.session_state[keys.STORED_DRAFT] = untouched.to_text()
    # A quick change of page can lose the values of widgets; redrawn, they start with the last ones.
    st.session_state[keys.START] = draft
    st.session_state[keys.TURNS] = draft.turns
    if text != st.session_state[keys.STORED_DRAFT]:
        save_draft(own_log(), st.session_state[keys.DRAFT], text)
        st.session_state[keys.STORED_DRAFT] = text
    return draft


def draft_of(record: RunRecord, base: Draft | None = None) -> Draft | None:
    """The form of a run's request; None for a body that is not a Tempera request.

    Variables are included if the run had them. ``base`` provides the values of fields that the run omitted.
    """
    if record.draft and (stored := read_draft(record.draft)):
        return stored.model_copy(update={"comparison": base.comparison}) if base else stored
    try:
        profile = profile_named(record.dialect)
        request = from_bytes(record.request_body, profile)
    except ValueError:
        return None
    draft = (base or new_draft()).with_request(request, profile, endpoint=record.endpoint)
    # The endpoint may have fields that its dialect does not have.
    return _with_known_keys(draft.model_copy(update={"variables": {}}))


def row_of(field: str) -> Field:
    """The row of a form field."""
    return chosen_profile().field(field)


def chosen_profile() -> Profile:
    """The profile of the chosen endpoint, with that endpoint's own fields."""
    return _profile_at(_value(keys.ENDPOINT, start().endpoint))


def _with_known_keys(draft: Draft) -> Draft:
    return with_known_keys(draft, _profile_at(draft.endpoint))


def _profile_at(endpoint: str | None) -> Profile:
    endpoint_ = available_endpoints().get(endpoint or "")
    return endpoint_.profile if endpoint_ else BEEZY


@show_errors()
def _stored_draft(draft_id: str | None) -> Draft | None:
    database = own_log().database
    text = find_draft(database, draft_id) if database and draft_id else None
    return read_draft(text) if text else None


def _put(draft: Draft) -> None:
    if draft.turns != current_turns():
        # New ids make new widgets, which start with the draft's values.
        turns = renumbered(draft.turns, st.session_state[keys.HIGHEST_TURN])
        st.session_state[keys.TURNS] = turns
        st.session_state[keys.HIGHEST_TURN] = highest_id(turns)
    st.session_state[keys.START] = draft
    st.session_state[keys.COMPARISON] = draft.comparison
    values: dict[str, Any] = {
        keys.ENDPOINT: draft.endpoint,
        keys.MODEL: draft.model,
        keys.STREAM: draft.stream,
        keys.EXTRA_BODY: draft.extra_body,
        # A variable without a value here must not take over its value in another text.
        **{keys.variable_key(name): "" for name in draft.variable_names},
        **{keys.variable_key(name): value for name, value in draft.variables.items()},
    }
    profile = _profile_at(draft.endpoint)
    for field, setting in draft.settings.items():
        row = profile.field(field).holding(setting.value)
        value = field_widgets.shown(row, setting)
        # A switch has its value in its state control, under the same key.
        key = field_widgets.value_key(row)
        values |= {key: value, field_widgets.states_key(row): field_widgets.state_in(row, setting)}
        st.session_state.setdefault(keys.HELD_VALUES, {})[key] = value
    widget_values.put(values)


def _value(key: str, fallback: Any) -> Any:
    """The value of a widget, or its initial value before it is drawn."""
    return st.session_state.get(key, fallback)


def _setting(profile: Profile, field: str, initial: Setting) -> Setting:
    row = profile.field(field).holding(initial.value)
    chosen = _value(field_widgets.states_key(row), field_widgets.state_in(row, initial))
    value = _value(field_widgets.value_key(row), field_widgets.shown(row, initial))
    return field_widgets.setting_in(row, chosen, value, initial)


def _as_typed(turn: Turn) -> Turn:
    typed = {
        part: _value(keys.part_key(part, turn.id), getattr(turn, part))
        for part in ("prefix", "name", "tool_call_id", "tool_calls")
    }
    role = Role(_value(keys.part_key("role", turn.id), turn.role))
    return turn.model_copy(update={**typed, "role": role, "content": _value(keys.message_key(turn.id), turn.content)})
