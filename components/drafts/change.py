"""Changes of a draft: made by a lane, a sweep's row, a preset, a link, a fix, a reset or Undo."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from components.contract.fields import field_named
from components.contract.messages import Role
from components.drafts.conversation import Turn, Turns, renumbered
from components.drafts.extra_body import extra_body_text, read_extra_body
from components.drafts.setting import FieldState, Setting

_PARTS = ("endpoint", "model", "stream", "extra_body")


class Base(BaseModel):
    """A draft without its lanes: the parts that a change can set.

    ``extra_body`` is JSON as typed; ``variables`` holds a value for each ``{{name}}``.
    """

    model_config = ConfigDict(frozen=True)

    endpoint: str | None = None
    model: str | None = None
    turns: Turns
    settings: dict[str, Setting]
    stream: bool = True
    extra_body: str = ""
    variables: dict[str, str] = {}


B = TypeVar("B", bound=Base)


class Change(BaseModel):
    """New values for parts of a draft. None, and a field that is not in ``settings``, changes nothing.

    A setting without a value keeps the field's value. A field that is not in the form is added to it, unless it is a
    key of the extra body. ``extra_body`` is JSON as typed and replaces the draft's. ``system`` replaces all system
    messages, and an empty one removes them; in a ``literal`` change, ``{{name}}`` in it is text and not a variable.
    ``variables`` are added to the others; with ``turns`` they replace them.
    """

    model_config = ConfigDict(frozen=True)

    endpoint: str | None = None
    model: str | None = None
    settings: dict[str, Setting] = {}
    stream: bool | None = None
    extra_body: str | None = None
    system: str | None = None
    literal: bool = False
    turns: Turns | None = None
    variables: dict[str, str] = {}

    def apply(self, draft: B) -> B:
        """The draft with this change. An unreadable extra body stays unchanged."""
        parts: dict[str, Any] = {part: value for part in _PARTS if (value := getattr(self, part)) is not None}
        settings = parts["settings"] = dict(draft.settings)
        extra_body: str = parts.get("extra_body", draft.extra_body)
        typed: Collection[str] = ()
        if self.settings.keys() - settings.keys():
            with suppress(ValueError):
                typed = read_extra_body(extra_body)
        keys: dict[str, Setting] = {}
        for field, setting in self.settings.items():
            if field in typed and field not in settings:
                keys[field] = setting
            elif field in settings or setting.state is not FieldState.OMIT:
                value = settings[field].value if field in settings else field_named(field).begins_with
                settings[field] = setting if setting.value is not None else setting.model_copy(update={"value": value})
        if keys:
            parts["extra_body"] = with_keys(extra_body, keys)
        parts["turns"] = self._turns(draft.turns)
        parts["variables"] = {**({} if self.turns is not None else draft.variables), **self.variables}
        return draft.model_copy(update=parts)

    def _turns(self, before: Turns) -> Turns:
        turns = before if self.turns is None else self.turns
        if self.system is None:
            return turns
        without_system = tuple(turn for turn in turns if turn.role is not Role.SYSTEM)
        system = Turn(id="0", role=Role.SYSTEM, content=self.system, literal=self.literal)
        return (system, *without_system) if self.system.strip() else without_system


def between(before: Base, after: Base, *, unsent: bool = False) -> Change:
    """The change from one draft to another; with ``unsent``, also the values of fields that are not sent."""
    differing = [part for part in _PARTS if getattr(after, part) != getattr(before, part)]
    parts: dict[str, Any] = {part: getattr(after, part) for part in differing}
    settings: dict[str, Setting] = {}
    for field in before.settings | after.settings:
        # A field outside the form is omitted.
        setting_before, setting_after = before.settings.get(field, Setting()), after.settings.get(field, Setting())
        if not setting_after.sends_same_as(setting_before) or (unsent and setting_after != setting_before):
            settings[field] = setting_after
    if renumbered(after.turns, 0) != renumbered(before.turns, 0):
        parts |= {"turns": after.turns, "variables": after.variables}
    return Change(settings=settings, **parts)


def reset(fields: Collection[str]) -> Change:
    """The change that resets fields to their defaults; their widgets keep their values."""
    return Change(
        settings={field: Setting() for field in fields if field not in ("stream", "extra_body")},
        stream=True if "stream" in fields else None,
        extra_body="" if "extra_body" in fields else None,
    )


def with_keys(text: str, keys: Mapping[str, Setting]) -> str:
    """The extra body with these keys set or removed; an unreadable one is returned unchanged."""
    try:
        fields = read_extra_body(text)
    except ValueError:
        return text
    for key, setting in keys.items():
        if setting.state is FieldState.OMIT:
            fields.pop(key, None)
        else:
            fields[key] = setting.sent
    return extra_body_text(fields)
