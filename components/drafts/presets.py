"""Settings under a name: a few that come along, and those that people save, with or without messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from components.drafts import sentences
from components.drafts.comparison import Comparison
from components.drafts.draft import Draft, read_draft
from components.drafts.errors import PresetProblem
from components.drafts.setting import FieldState, Setting


@dataclass(frozen=True)
class BuiltIn:
    """A preset that comes along. ``fields`` are those it sets, None for omitted; the others stay as they are."""

    description: str
    fields: Mapping[str, float | int | bool | None]


BUILT_IN: Mapping[str, BuiltIn] = MappingProxyType(
    {
        "Precise": BuiltIn("temperature 0.2", {"temperature": 0.2, "top_p": None}),
        "Balanced": BuiltIn("the endpoint's own sampling", {"temperature": None, "top_p": None}),
        "Creative": BuiltIn("temperature 0.9", {"temperature": 0.9, "top_p": None}),
        "Reproducible": BuiltIn("temperature 0, seed 1337", {"temperature": 0.0, "top_p": None, "random_seed": 1337}),
        "Safe prompt on": BuiltIn("safe_prompt true", {"safe_prompt": True}),
        "Safe prompt off": BuiltIn("safe_prompt false", {"safe_prompt": False}),
    }
)


def with_built_in(draft: Draft, name: str) -> Draft:
    """The form with the fields of a built-in preset; numbers of fields that it omits stay in them."""
    settings = dict(draft.settings)
    for field, value in BUILT_IN[name].fields.items():
        if value is None:
            settings[field] = Setting(value=settings[field].value)
        else:
            settings[field] = Setting(state=FieldState.VALUE, value=value)
    return draft.model_copy(update={"settings": settings})


def preset_text(draft: Draft, *, with_messages: bool) -> str:
    """The form's settings as a preset keeps them; neither endpoint nor model is part of it."""
    left_out: dict[str, object] = {"endpoint": None, "model": None, "comparison": Comparison()}
    names = draft.variable_names if with_messages else []
    left_out["variables"] = {name: value for name, value in draft.variables.items() if name in names}
    if not with_messages:
        left_out["turns"] = ()
    return draft.model_copy(update=left_out).to_text()


def holds_messages(text: str) -> bool:
    """Whether a preset brings messages."""
    kept = read_draft(text)
    return kept is not None and bool(kept.turns)


def with_preset(draft: Draft, text: str) -> Draft:
    """The form with what a preset keeps. Raises PresetProblem for a preset that cannot be read."""
    kept = read_draft(text)
    if kept is None:
        raise PresetProblem(sentences.PRESET_UNREADABLE)
    taken: dict[str, object] = {"settings": kept.settings, "stream": kept.stream, "extra_body": kept.extra_body}
    if kept.turns:
        taken |= {"turns": kept.turns, "variables": kept.variables}
    return draft.model_copy(update=taken)
