"""One optional field of a form: whether it is sent, and what stands in it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, JsonValue


class FieldState(StrEnum):
    """What the request says of an optional field."""

    OMIT = "omit"
    NULL = "null"
    VALUE = "value"


class Setting(BaseModel):
    """One optional field of the form. ``value`` stays while it is not sent; a change may have none for such a field."""

    model_config = ConfigDict(frozen=True)

    state: FieldState = FieldState.OMIT
    value: JsonValue = None

    def says_the_same_as(self, other: Setting) -> bool:
        """Whether both are omitted, null or the same value, whatever stands in a field that is not sent."""
        return self.state is other.state and (self.state is not FieldState.VALUE or self.value == other.value)


def sending(value: JsonValue) -> Setting:
    """A field that is sent, with this value; None stands for null."""
    return Setting(state=FieldState.NULL if value is None else FieldState.VALUE, value=value)
