"""Checks an endpoint that a visitor enters on the page, where the operator allows that.

The endpoint uses the visitor's own key only and calls public addresses only. This module stores nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from urllib.parse import urlsplit

from components.contract.profile import PROFILES
from components.endpoints import sentences
from components.endpoints.address_policy import address_in_figures, may_be_called
from components.endpoints.endpoint import Address, Endpoint
from components.endpoints.typed import EndpointField, UnusableEndpoint, check
from components.settings import Settings
from components.streaming.session import ApiKey

OWN_NAME = "my own"


def own_endpoint(typed: Mapping[EndpointField, str], settings: Settings, taken: Collection[str] = ()) -> Endpoint:
    """The endpoint entered by a visitor. No lookups and no requests: its address is checked on each connection.

    A typed key and model may be empty. ``taken`` are the names of the configured endpoints, none of which it gets.

    Raises UnusableEndpoint with a sentence for each field that must change.
    """
    if not settings.own_endpoints:
        raise UnusableEndpoint({EndpointField.BASE_URL: sentences.OWN_NOT_ALLOWED})
    allows = partial(may_be_called, allowed=settings.own_endpoints_networks)
    values, problems = check(typed)
    base_url, key = values[EndpointField.BASE_URL], values[EndpointField.KEY]
    if EndpointField.BASE_URL not in problems:
        # Names are checked on each connection.
        address = address_in_figures(urlsplit(base_url).hostname or "")
        if address and not allows(address):
            problems[EndpointField.BASE_URL] = sentences.ADDRESS_NOT_PUBLIC
    if problems:
        raise UnusableEndpoint(problems)
    return Endpoint(
        name=_name(taken),
        profile=PROFILES[values[EndpointField.DIALECT]],
        fixed_address=Address(base_url, ApiKey(key, base_url) if key else None, allows),
        default_model=values[EndpointField.MODEL] or None,
    )


def _name(taken: Collection[str]) -> str:
    """The name, or the first free variant of it when an operator's endpoint already has that name."""
    name, number = OWN_NAME, 1
    while name in taken:
        number += 1
        name = f"{OWN_NAME} {number}"
    return name
