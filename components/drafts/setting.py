"""One optional field of a form: whether it is sent, and what stands in it."""

from __future__ import annotations

import json
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, JsonValue

from components.streaming.guard import safe_text

LARGEST_WHOLE = 2**53 - 1
"""Beyond it JavaScript cannot count in whole numbers (ECMAScript's MAX_SAFE_INTEGER)."""


class FieldState(StrEnum):
    """The state of an optional field in the request."""

    OMIT = "omit"
    NULL = "null"
    VALUE = "value"


class Setting(BaseModel):
    """One optional field of the form. ``value`` stays while it is not sent; a change may have none for such a field.

    ``typed`` is a text that is to become the value and is no JSON yet.
    """

    model_config = ConfigDict(frozen=True)

    state: FieldState = FieldState.OMIT
    value: JsonValue = None
    typed: str | None = None

    @property
    def sent(self) -> JsonValue:
        """The value on the wire unless the field is omitted."""
        return None if self.state is FieldState.NULL else self.value

    def says_the_same_as(self, other: Setting) -> bool:
        """Whether both are omitted, null or the same value, whatever stands in a field that is not sent."""
        if self.state is not other.state:
            return False
        return self.state is not FieldState.VALUE or (self.value, self.typed) == (other.value, other.typed)


def sending(value: JsonValue) -> Setting:
    """A field that is sent, with this value; None stands for null."""
    return Setting(state=FieldState.NULL if value is None else FieldState.VALUE, value=value)


def can_be_shown(value: JsonValue) -> bool:
    """Whether a page can hold the value as text and give it back unchanged."""
    text = json.dumps(value, ensure_ascii=False)
    return safe_text(text) == text
