"""The values typed into a form for an endpoint, and the sentences for those that must change."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from components.contract.profile import PROFILES
from components.endpoints import sentences
from components.streaming.session import check_api_key, check_base_url
from components.user_error import UserError


class EndpointField(StrEnum):
    """The fields of the forms."""

    NAME = "name"
    BASE_URL = "base_url"
    KEY = "key"
    DIALECT = "dialect"
    MODEL = "model"


Typed = dict[EndpointField, str]
"""A text for each of some fields."""


class UnusableEndpoint(UserError):
    """The form describes no usable endpoint. ``problems`` has a sentence per field, never with the key."""

    def __init__(self, problems: Mapping[EndpointField, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def check(typed: Mapping[EndpointField, str]) -> tuple[Typed, Typed]:
    """The values without surrounding blanks, and a sentence for each that must change; names are not checked."""
    values, problems = dict(typed), Typed()
    for field, read in ((EndpointField.BASE_URL, check_base_url), (EndpointField.KEY, check_api_key)):
        try:
            values[field] = read(typed[field])
        except ValueError as problem:
            problems[field] = str(problem)
    if typed[EndpointField.DIALECT] not in PROFILES:
        problems[EndpointField.DIALECT] = sentences.DIALECT_UNKNOWN.format(known=", ".join(PROFILES))
    values[EndpointField.MODEL] = typed[EndpointField.MODEL].strip()
    if not values[EndpointField.MODEL].isprintable():
        problems[EndpointField.MODEL] = sentences.MODEL_UNPRINTABLE
    return values, problems
