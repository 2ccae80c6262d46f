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
from components.ui.user_errors import shown
from components.ui.visitor import own_log


@dataclass(frozen=True)
class Undo:
    """A change that can be undone: the button's label and its action."""

    label: str
    action: Callable[[], None]


_MOST_UNDO = 20


def begin(otherwise: Callable[[], Draft | None]) -> None:
    """Start a session's form from the draft in the query parameter, else from ``otherwise``.

    A stored draft is copied under an id of this session, and the original is never changed: two tabs, or two people
    with the same address, do not overwrite each other's text.
    """
    if keys.START not in st.session_state:
        kept = _kept_draft(st.query_params.get(keys.DRAFT_PARAMETER))
        begins_with = _with_known_keys(kept or otherwise() or new_draft())
        st.session_state[keys.START] = begins_with
        st.session_state[keys.TURNS] = begins_with.turns
        st.session_state[keys.COMPARISON] = begins_with.comparison
        st.session_state[keys.HIGHEST_TURN] = highest_id(begins_with.turns)
        st.session_state[keys.DRAFT] = uuid.uuid4().hex
        if kept:
            save_draft(own_log(), st.session_state[keys.DRAFT], kept.to_text())
    if st.query_params.get(keys.DRAFT_PARAMETER) != st.session_state[keys.DRAFT]:
        # Also after a click on another page, which drops the parameter.
        st.query_params[keys.DRAFT_PARAMETER] = st.session_state[keys.DRAFT]


def start() -> Draft:
    """The initial values of newly drawn widgets."""
    found: Draft = st.session_state[keys.START]
    return found


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
    before, known = read(), _with_known_keys(draft)
    _put(known)
    offer_undo(Undo(f"Undo: {sentence}", lambda: _take_back(before, known, sentence)))


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
    if sentence:
        after = read()
        offer_undo(Undo(f"Undo: {sentence}", lambda: _take_back(before, after, sentence)))


def change_comparison(change: Callable[[Comparison], Comparison], sentence: str | None = None) -> None:
    """Change the lanes; call it before they are drawn. With a ``sentence`` it can be undone.

    A quick second click may refer to a lane that the first removed; it changes nothing.
    """
    before = read()
    try:
        changed = change(before.comparison)
    except LookupError:
        return
    if changed == before.comparison:
        return
    st.session_state[keys.COMPARISON] = changed
    if sentence:
        after = read()
        offer_undo(Undo(f"Undo: {sentence}", lambda: _take_back(before, after, sentence)))


def next_turn_id() -> str:
    """A turn id never used in this session, because a widget's text is stored under its key."""
    st.session_state[keys.HIGHEST_TURN] += 1
    return str(st.session_state[keys.HIGHEST_TURN])


def offer_undo(undo: Undo) -> None:
    """Add an undo step, and drop the redo step."""
    st.session_state.pop(keys.REDO, None)
    offered = st.session_state.setdefault(keys.UNDO, [])
    offered.append(undo)
    del offered[:-_MOST_UNDO]


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


def _take_back(before: Draft, after: Draft, sentence: str) -> None:
    """Restore the parts that a change replaced, and offer to redo it."""
    now = read()
    taken_back = _merged(now, after, before)
    _put(taken_back)
    st.session_state[keys.REDO] = Undo(f"Redo: {sentence}", lambda: fill(_merged(read(), taken_back, now), sentence))


def _merged(now: Draft, old: Draft, new: Draft) -> Draft:
    """The current form with the differences from ``old`` to ``new``; later edits of other parts stay."""
    merged = between(old, new, unsent=True).apply(now)
    taken_out = old.settings.keys() - new.settings.keys()
    kept = {field: setting for field, setting in merged.settings.items() if field not in taken_out}
    merged = merged.model_copy(update={"settings": kept})
    return merged if new.comparison == old.comparison else merged.model_copy(update={"comparison": new.comparison})


def keep(draft: Draft) -> None:
    """Store the form under the id in the query parameter, so that a reload or restart finds it again."""
    text = draft.to_text()
    if keys.KEPT_DRAFT not in st.session_state:
        # The default endpoint and model are no edit, and are not stored.
        untouched = start().model_copy(update={"endpoint": draft.endpoint, "model": draft.model})
        st.session_state[keys.KEPT_DRAFT] = untouched.to_text()
    # A quick change of page can lose the values of widgets; redrawn, they start with the last ones.
    st.session_state[keys.START] = draft
    st.session_state[keys.TURNS] = draft.turns
    if text != st.session_state[keys.KEPT_DRAFT]:
        save_draft(own_log(), st.session_state[keys.DRAFT], text)
        st.session_state[keys.KEPT_DRAFT] = text


def draft_of(record: RunRecord, base: Draft | None = None) -> Draft | None:
    """The form of a run's request; None for a body that is not a Tempera request.

    Variables are included if the run had them. ``base`` provides the values of fields that the run omitted.
    """
    if record.draft and (kept := read_draft(record.draft)):
        return kept.model_copy(update={"comparison": base.comparison}) if base else kept
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
    found = available_endpoints().get(endpoint or "")
    return found.profile if found else BEEZY


def _kept_draft(draft_id: str | None) -> Draft | None:
    database = own_log().database
    if draft_id is None or database is None:
        return None
    with shown():
        text = find_draft(database, draft_id)
        return read_draft(text) if text else None
    return None


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


def _value(key: str, otherwise: Any) -> Any:
    """The value of a widget, or its initial value before it is drawn."""
    return st.session_state.get(key, otherwise)


def _setting(profile: Profile, field: str, began: Setting) -> Setting:
    row = profile.field(field).holding(began.value)
    chosen = _value(field_widgets.states_key(row), field_widgets.state_in(row, began))
    held = _value(field_widgets.value_key(row), field_widgets.shown(row, began))
    return field_widgets.setting_in(row, chosen, held, began)


def _as_typed(turn: Turn) -> Turn:
    typed = {
        part: _value(keys.part_key(part, turn.id), getattr(turn, part))
        for part in ("prefix", "name", "tool_call_id", "tool_calls")
    }
    role = Role(_value(keys.part_key("role", turn.id), turn.role))
    return turn.model_copy(update={**typed, "role": role, "content": _value(keys.message_key(turn.id), turn.content)})
