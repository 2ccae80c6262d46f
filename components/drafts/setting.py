"""The setting of an optional field: its state and its value."""

from __future__ import annotations

import json
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, JsonValue

from components.streaming.guard import safe_text

LARGEST_WHOLE = 2**53 - 1
"""The largest whole number that JavaScript represents exactly (ECMAScript's MAX_SAFE_INTEGER)."""


class FieldState(StrEnum):
    """The state of an optional field in the request."""

    OMIT = "omit"
    NULL = "null"
    VALUE = "value"


class Setting(BaseModel):
    """One optional field of the form. ``value`` stays while the field is not sent; a change may then have None.

    ``typed`` is the typed text of a value that is not valid JSON yet.
    """

    model_config = ConfigDict(frozen=True)

    state: FieldState = FieldState.OMIT
    value: JsonValue = None
    typed: str | None = None

    @property
    def sent(self) -> JsonValue:
        """The value on the wire unless the field is omitted."""
        return None if self.state is FieldState.NULL else self.value

    def sends_same_as(self, other: Setting) -> bool:
        """Whether both are omitted, null or the same value; values that are not sent are ignored."""
        if self.state is not other.state:
            return False
        return self.state is not FieldState.VALUE or (self.value, self.typed) == (other.value, other.typed)


def sending(value: JsonValue) -> Setting:
    """The setting that sends this value; None stands for null."""
    return Setting(state=FieldState.NULL if value is None else FieldState.VALUE, value=value)


def can_be_shown(value: JsonValue) -> bool:
    """Whether a page can show the value as text and return it unchanged."""
    text = json.dumps(value, ensure_ascii=False)
    return safe_text(text) == text
