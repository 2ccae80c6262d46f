"""Checks an endpoint that a visitor enters on the page, where the operator allows that.

The endpoint uses the visitor's own key only and calls public addresses only. This module stores nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from urllib.parse import urlsplit

from components.contract.profile import PROFILES
from components.endpoints import sentences
from components.endpoints.address_policy import AddressPolicy, address_in_figures
from components.endpoints.endpoint import Address, Endpoint
from components.settings import Settings
from components.streaming.session import ApiKey, check_api_key, check_base_url
from components.user_error import UserError

OWN_NAME = "my own"


class OwnField(StrEnum):
    """The fields of the visitor's form."""

    BASE_URL = "base_url"
    KEY = "key"
    DIALECT = "dialect"
    MODEL = "model"


class UnusableOwnEndpoint(UserError):
    """The form describes no usable endpoint. ``problems`` has a sentence per field, never with the key."""

    def __init__(self, problems: Mapping[OwnField, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def own_endpoint(
    base_url: str,
    key: str,
    dialect: str,
    model: str,
    settings: Settings,
    taken: Collection[str] = (),
) -> Endpoint:
    """The endpoint entered by a visitor. No lookups and no requests: its address is checked on each connection.

    ``key`` and ``model`` may be empty. ``taken`` are the names of the configured endpoints, none of which it gets.

    Raises UnusableOwnEndpoint, a ValueError with a sentence for each field that must change.
    """
    if not settings.own_endpoints:
        raise UnusableOwnEndpoint({OwnField.BASE_URL: sentences.OWN_NOT_ALLOWED})
    # Public addresses, and the operator's networks.
    policy = AddressPolicy(settings.own_endpoints_networks)
    model = model.strip()
    problems: dict[OwnField, str] = {}
    try:
        base_url = check_base_url(base_url)
        _check_host(base_url, policy)
    except ValueError as problem:
        problems[OwnField.BASE_URL] = str(problem)
    try:
        key = check_api_key(key)
    except ValueError as problem:
        problems[OwnField.KEY] = str(problem)
    if dialect not in PROFILES:
        problems[OwnField.DIALECT] = sentences.DIALECT_UNKNOWN.format(known=", ".join(PROFILES))
    if not model.isprintable():
        problems[OwnField.MODEL] = sentences.MODEL_UNPRINTABLE
    if problems:
        raise UnusableOwnEndpoint(problems)
    return Endpoint(
        name=_name(taken),
        profile=PROFILES[dialect],
        fixed_address=Address(base_url, ApiKey(key, base_url) if key else None, policy.allows),
        default_model=model or None,
    )


def _check_host(base_url: str, policy: AddressPolicy) -> None:
    """Raises ValueError for a numeric address that the policy refuses, so that the form shows it at once."""
    address = address_in_figures(urlsplit(base_url).hostname or "")
    if address and not policy.allows(address):
        raise ValueError(sentences.ADDRESS_NOT_PUBLIC)


def _name(taken: Collection[str]) -> str:
    """The name, or the first free variant of it when an operator's endpoint already has that name."""
    name, number = OWN_NAME, 1
    while name in taken:
        number += 1
        name = f"{OWN_NAME} {number}"
    return name
