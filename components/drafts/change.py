"""What becomes different of a draft: what a lane, a sweep's row, a preset, a link, a fix, a reset and Undo change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from components.contract.fields import first_value
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
    """What parts of a draft become. None, and a field that is not in ``settings``, leaves a part as it is.

    A setting without a value of its own keeps the one that stands in the field. A field that the form does not have is
    added to it, unless it is a key of its extra body. ``extra_body`` is JSON as typed and takes the place of the
    draft's. ``system`` takes the place of all system messages, and an empty one takes them out; ``{{name}}`` in it is
    text and no variable where the change is ``literal``. ``variables`` are set beside the others, or take their place
    together with ``turns``.
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
        """The draft with this change. An extra body that cannot be read keeps its keys."""
        parts: dict[str, Any] = {part: value for part in _PARTS if (value := getattr(self, part)) is not None}
        settings = parts["settings"] = dict(draft.settings)
        extra_body: str = parts.get("extra_body", draft.extra_body)
        typed = _keys_of(extra_body) if self.settings.keys() - settings.keys() else []
        keys: dict[str, Setting] = {}
        for field, setting in self.settings.items():
            if field in typed and field not in settings:
                keys[field] = setting
            elif field in settings or setting.state is not FieldState.OMIT:
                kept = settings[field].value if field in settings else first_value(field)
                settings[field] = setting if setting.value is not None else setting.model_copy(update={"value": kept})
        if keys:
            parts["extra_body"] = with_keys(extra_body, keys)
        parts["turns"] = self._turns(draft.turns)
        parts["variables"] = {**({} if self.turns is not None else draft.variables), **self.variables}
        return draft.model_copy(update=parts)

    def _turns(self, before: Turns) -> Turns:
        turns = before if self.turns is None else self.turns
        if self.system is None:
            return turns
        others = tuple(turn for turn in turns if turn.role is not Role.SYSTEM)
        own = Turn(id="0", role=Role.SYSTEM, content=self.system, literal=self.literal)
        return (own, *others) if self.system.strip() else others


def between(before: Base, after: Base, *, unsent: bool = False) -> Change:
    """What has become different from one draft to another, the values of fields that are not sent only on request."""
    differing = [part for part in _PARTS if getattr(after, part) != getattr(before, part)]
    parts: dict[str, Any] = {part: getattr(after, part) for part in differing}
    settings: dict[str, Setting] = {}
    for field in before.settings | after.settings:
        # A field that a form does not have is omitted.
        was, now = before.settings.get(field, Setting()), after.settings.get(field, Setting())
        if not now.says_the_same_as(was) or (unsent and now != was):
            settings[field] = now
    if renumbered(after.turns, 0) != renumbered(before.turns, 0):
        parts |= {"turns": after.turns, "variables": after.variables}
    return Change(settings=settings, **parts)


def reset(fields: Collection[str]) -> Change:
    """What brings fields back to their defaults; the values that stand in them stay."""
    return Change(
        settings={field: Setting() for field in fields if field not in ("stream", "extra_body")},
        stream=True if "stream" in fields else None,
        extra_body="" if "extra_body" in fields else None,
    )


def _keys_of(extra_body: str) -> list[str]:
    try:
        return [*read_extra_body(extra_body)]
    except ValueError:
        return []


def with_keys(text: str, keys: Mapping[str, Setting]) -> str:
    """An extra body with these keys set or taken out; one that cannot be read as it is."""
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
