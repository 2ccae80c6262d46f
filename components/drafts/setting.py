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
    """One optional field of the form. ``value`` stays while it is not sent."""

    model_config = ConfigDict(frozen=True)

    state: FieldState = FieldState.OMIT
    value: JsonValue
