"""The form as one value: read from the widgets, put into them, kept so that a reload finds it again.

Widgets begin with defaults, and not with values set in their place: when a browser comes back to a server that has
forgotten its session, after a long sleep or a restart, what was typed in the page counts.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from components.contract.messages import Role
from components.contract.profile import profile_named
from components.contract.request import OPTIONAL_FIELDS, from_bytes
from components.drafts.conversation import Turn, Turns, highest_id, renumbered
from components.drafts.draft import Draft, FieldState, Setting, new_draft, read_draft
from components.drafts.store import find_draft, save_draft
from components.runs.query import QueryFailed
from components.runs.run import RunRecord
from components.service import service
from components.ui import state

_DECIMAL_FIELDS = ("temperature", "top_p")


@dataclass(frozen=True)
class Undo:
    """What the last change of the form took away: ``sentence`` says what happened, ``undo`` brings it back."""

    sentence: str
    undo: Callable[[], None]


def begin(record: RunRecord | None) -> None:
    """Begin a new session's form with the draft that the URL names, else with what the run in it was asked."""
    if state.START in st.session_state:
        if state.DRAFT in st.session_state:
            # A click on another page drops the parameter, and a reload would not find the draft again.
            st.query_params[state.DRAFT_PARAMETER] = st.session_state[state.DRAFT]
        return
    draft = _kept_draft(st.query_params.get(state.DRAFT_PARAMETER)) or (draft_of(record) if record else None)
    start = draft or new_draft()
    st.session_state[state.START] = start
    st.session_state[state.TURNS] = start.turns
    st.session_state[state.HIGHEST_TURN] = highest_id(start.turns)


def start() -> Draft:
    """The draft that this session's widgets began with."""
    found: Draft = st.session_state[state.START]
    return found


def read() -> Draft:
    """The form as it stands now."""
    began = start()
    draft = Draft(
        endpoint=_value(state.ENDPOINT, began.endpoint),
        model=_value(state.MODEL, began.model),
        turns=current_turns(),
        settings={field: _setting(field, began.settings[field]) for field in OPTIONAL_FIELDS},
        stream=_value(state.STREAM, began.stream),
        extra_body=_value(state.EXTRA_BODY, began.extra_body),
    )
    names = dict.fromkeys([*draft.variable_names, *began.variables])
    values = {name: _value(state.variable_key(name), began.variables.get(name, "")) for name in names}
    return draft.model_copy(update={"variables": {name: value for name, value in values.items() if value}})


def current_turns() -> Turns:
    """The turns with what is typed in them now."""
    turns: Turns = st.session_state[state.TURNS]
    return tuple(map(_as_typed, turns))


def fill(draft: Draft, sentence: str) -> None:
    """Put a draft into the form; call it before the widgets are drawn. ``sentence`` says what happened, for Undo."""
    before = read()
    _put(draft)
    st.session_state[state.UNDO] = Undo(sentence, lambda: _put(before))


def fill_from(record: RunRecord) -> None:
    """Put what a run was asked into the form; a body that is no request of ours leaves it as it is."""
    if draft := draft_of(record, read()):
        fill(draft, "run opened")


def change_turns(change: Callable[[Turns], Turns]) -> None:
    """Change the conversation; call it before the widgets are drawn."""
    st.session_state[state.TURNS] = change(current_turns())


def next_turn_id() -> str:
    """An id that no turn of this session has ever had: what is typed in a widget is kept under its key."""
    st.session_state[state.HIGHEST_TURN] += 1
    return str(st.session_state[state.HIGHEST_TURN])


def can_undo() -> str | None:
    """What the last change was that can be undone, as a sentence."""
    last = st.session_state.get(state.UNDO)
    return last.sentence if last else None


def undo() -> None:
    """Bring back what the last change took away."""
    last: Undo | None = st.session_state.pop(state.UNDO, None)
    if last:
        last.undo()


def keep(draft: Draft) -> None:
    """Keep the form as it stands, under an id that the URL then names: a reload, or a restart, finds it again.

    A draft that came by the URL is never written to: two tabs, or two people, do not overwrite each other's text.
    """
    text = draft.to_text()
    if state.KEPT_DRAFT not in st.session_state:
        # Which endpoint and model come first is nobody's doing, and nothing to be kept.
        untouched = start().model_copy(update={"endpoint": draft.endpoint, "model": draft.model})
        st.session_state[state.KEPT_DRAFT] = untouched.to_text()
    if text == st.session_state[state.KEPT_DRAFT]:
        return
    draft_id = st.session_state.setdefault(state.DRAFT, uuid.uuid4().hex)
    save_draft(service().log, draft_id, text)
    st.session_state[state.KEPT_DRAFT] = text
    st.query_params[state.DRAFT_PARAMETER] = draft_id


def draft_of(record: RunRecord, base: Draft | None = None) -> Draft | None:
    """The form that asks what a run was asked; None for a body that is no request of ours.

    With its variables, where it had some. ``base`` gives the values of fields that the run omitted.
    """
    if record.draft and (kept := read_draft(record.draft)):
        return kept
    try:
        request = from_bytes(record.request_body, profile_named(record.dialect))
    except ValueError:
        return None
    return (base or new_draft()).asking(request, endpoint=record.endpoint).model_copy(update={"variables": {}})


def choice_of(setting: Setting) -> str:
    """What the control of a field that is true or false shows: omit, true or false."""
    return FieldState.OMIT.value if setting.state is FieldState.OMIT else str(bool(setting.value)).lower()


def number_of(field: str, setting: Setting) -> float | int:
    """The number in a field, of the type that its widget takes."""
    return float(setting.value) if field in _DECIMAL_FIELDS else int(setting.value)


def _kept_draft(draft_id: str | None) -> Draft | None:
    database = service().log.database
    if draft_id is None or database is None:
        return None
    try:
        text = find_draft(database, draft_id)
    except QueryFailed as failure:
        st.error(str(failure))
        return None
    return read_draft(text) if text else None


def _put(draft: Draft) -> None:
    turns = renumbered(draft.turns, st.session_state[state.HIGHEST_TURN])
    st.session_state[state.START] = draft
    st.session_state[state.TURNS] = turns
    st.session_state[state.HIGHEST_TURN] = highest_id(turns)
    values: dict[str, Any] = {
        state.ENDPOINT: draft.endpoint,
        state.MODEL: draft.model,
        state.STREAM: draft.stream,
        state.EXTRA_BODY: draft.extra_body,
        **{state.variable_key(name): value for name, value in draft.variables.items()},
    }
    for field, setting in draft.settings.items():
        if field == state.SAFE_PROMPT:
            values[field] = choice_of(setting)
        else:
            values[state.state_key(field)] = setting.state.value
            values[field] = number_of(field, setting)
    st.session_state.update(values)


def _value(key: str, otherwise: Any) -> Any:
    """What the widget of that key holds; where it is not drawn yet, what it begins with."""
    return st.session_state.get(key, otherwise)


def _setting(field: str, began: Setting) -> Setting:
    if field == state.SAFE_PROMPT:
        chosen = _value(field, choice_of(began))
        if chosen == FieldState.OMIT:
            return Setting(value=began.value)
        return Setting(state=FieldState.VALUE, value=chosen == "true")
    value = _value(field, began.value)
    # An empty number field says nothing: what stood in it goes on.
    return Setting(state=_value(state.state_key(field), began.state), value=began.value if value is None else value)


def _as_typed(turn: Turn) -> Turn:
    typed = {
        part: _value(state.part_key(part, turn.id), getattr(turn, part))
        for part in ("prefix", "name", "tool_call_id", "tool_calls")
    }
    role = Role(_value(state.part_key("role", turn.id), turn.role))
    return turn.model_copy(update={**typed, "role": role, "content": _value(state.message_key(turn.id), turn.content)})
