"""Presets: named settings, built in or saved by a visitor, with or without messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from components.drafts import sentences
from components.drafts.change import Change
from components.drafts.comparison import Comparison
from components.drafts.draft import Draft, read_draft
from components.drafts.setting import Setting, sending
from components.user_error import UserError


class PresetProblem(UserError):
    """A preset cannot be saved or read."""


@dataclass(frozen=True)
class BuiltIn:
    """A built-in preset."""

    description: str
    change: Change


def _setting(**settings: Setting) -> Change:
    return Change(settings=settings)


BUILT_IN: Mapping[str, BuiltIn] = MappingProxyType(
    {
        "Precise": BuiltIn("temperature 0.2", _setting(temperature=sending(0.2), top_p=Setting())),
        "Balanced": BuiltIn("the endpoint's own sampling", _setting(temperature=Setting(), top_p=Setting())),
        "Creative": BuiltIn("temperature 0.9", _setting(temperature=sending(0.9), top_p=Setting())),
        "Reproducible": BuiltIn(
            "temperature 0, seed 1337",
            _setting(temperature=sending(0.0), top_p=Setting(), random_seed=sending(1337)),
        ),
        "Safe prompt on": BuiltIn("safe_prompt true", _setting(safe_prompt=sending(True))),
        "Safe prompt off": BuiltIn("safe_prompt false", _setting(safe_prompt=sending(False))),
    }
)


def preset_text(draft: Draft, *, with_messages: bool) -> str:
    """The form's settings as a preset's JSON text, without endpoint and model."""
    left_out: dict[str, object] = {"endpoint": None, "model": None, "comparison": Comparison()}
    names = draft.variable_names if with_messages else []
    left_out["variables"] = {name: value for name, value in draft.variables.items() if name in names}
    if not with_messages:
        left_out["turns"] = ()
    return draft.model_copy(update=left_out).to_text()


def holds_messages(text: str) -> bool:
    """Whether a preset contains messages."""
    preset = read_draft(text)
    return preset is not None and bool(preset.turns)


def change_of(text: str, fields: Collection[str] = ()) -> Change:
    """The change that applies a preset. It omits those of the form's ``fields`` that the preset lacks.

    Raises PresetProblem for an unreadable preset.
    """
    preset = read_draft(text)
    if preset is None:
        raise PresetProblem(sentences.PRESET_UNREADABLE)
    settings = dict.fromkeys(fields, Setting()) | preset.settings
    change = Change(settings=settings, stream=preset.stream, extra_body=preset.extra_body)
    return change.model_copy(update={"turns": preset.turns, "variables": preset.variables}) if preset.turns else change
