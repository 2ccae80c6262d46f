"""An endpoint's own fields beyond its dialect, declared by the operator in the secrets file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from components.contract.fields import FIELD_NAME, FIELDS, Field, Kind
from components.contract.profile import FieldRules, Profile
from components.endpoints import sentences

RESERVED = ("model", "messages", "stream", "extra_body")

_KINDS = {kind.name.lower(): kind for kind in Kind}
_FIRST_VALUES: Mapping[Kind, JsonValue] = {
    Kind.DECIMAL: 0.0,
    Kind.WHOLE: 0,
    Kind.SWITCH: True,
    Kind.CHOICE: "",
    Kind.TEXTS: [],
    Kind.JSON: {},
}


class Declared(NamedTuple):
    """A field, and its rules at the endpoint."""

    row: Field
    rules: FieldRules


class _Table(BaseModel):
    """One table ``[endpoints.NAME.fields.FIELD]``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: str = ""
    minimum: float | None = None
    maximum: float | None = None
    default: str = "the endpoint's own default"
    nullable: bool = False
    description: str = "Declared by the operator."
    choices: list[str] = []
    begins_with: JsonValue = None


def declared_fields(tables: object) -> dict[str, Declared]:
    """The fields in the tables ``fields.NAME`` of an endpoint. Raises ValueError with a sentence."""
    if not isinstance(tables, Mapping):
        raise ValueError(sentences.FIELDS_NOT_TABLES)
    return {str(name): _declared(str(name), table) for name, table in tables.items()}


def declared(row: Field, rules: FieldRules) -> Declared:
    """A declared field; a known field keeps its row. An initial value that the field cannot hold is replaced."""
    if row.name in FIELDS:
        return Declared(FIELDS[row.name], rules)
    first = row.begins_with
    if first is None or not row.can_hold(first):
        first = row.choices[0] if row.choices else _FIRST_VALUES[row.kind]
        if row.kind.is_number and rules.minimum is not None and rules.range_problem(first):
            first = rules.minimum if row.kind is Kind.DECIMAL else int(rules.minimum)
    return Declared(replace(row, begins_with=first), rules)


def with_declared(profile: Profile, additions: Mapping[str, Declared]) -> Profile:
    """The dialect with these fields added. A key that the dialect uses for another field keeps that field."""
    used_keys = {rules.key for name, rules in profile.fields.items() if rules.key != name}
    new = {name: field for name, field in additions.items() if name not in used_keys}
    if not new:
        return profile
    fields = dict(profile.fields)
    for name, field in new.items():
        fields[name] = replace(field.rules, key=fields[name].key) if name in fields else field.rules
    own = {**profile.own, **{name: field.row for name, field in new.items() if name not in FIELDS}}
    return replace(profile, fields=MappingProxyType(fields), own=MappingProxyType(own))


def _declared(name: str, table: object) -> Declared:
    if not re.match(FIELD_NAME, name) or name in RESERVED:
        raise ValueError(sentences.FIELD_NAME_UNUSABLE.format(name=name[:40]))
    try:
        values = _Table.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"fields.{name}{f', {place}' if place else ''}: {first['msg']}.") from None
    kind = FIELDS[name].kind if name in FIELDS and not values.kind else _KINDS.get(values.kind)
    if kind is None or (name in FIELDS and kind is not FIELDS[name].kind):
        kinds = FIELDS[name].kind.name.lower() if name in FIELDS else f"one of {', '.join(_KINDS)}"
        raise ValueError(sentences.FIELD_KIND_WRONG.format(name=name, known=kinds))
    rules = FieldRules(name, values.default, values.minimum, values.maximum, values.nullable)
    row = Field(name, kind, values.description, values.begins_with, choices=tuple(values.choices))
    return declared(row, rules)
