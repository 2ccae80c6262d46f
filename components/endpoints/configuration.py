"""Reads the endpoints from the secrets file and the environment. A mistake disables only its own endpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from components.contract.fields import FIELDS, PROBABILITY_FIELDS
from components.contract.profile import BEEZY, OPENAI, profile_named
from components.embedded.process import EmbeddedModel
from components.endpoints import sentences
from components.endpoints.endpoint import Address, AnyEndpoint, EmbeddedEndpoint, Endpoint, Prices
from components.endpoints.own_fields import Declared, declared_fields, with_declared
from components.settings import Settings, variable_name
from components.streaming.session import ApiKey, check_api_key, check_base_url

EMBEDDED = "embedded"
ENVIRONMENT = "environment"

_SETTINGS = frozenset({"base_url", "dialect", "api_key", "default_model", "prices"})
_FURTHER_SETTINGS = frozenset({"fields", "openapi"})
_DOCUMENT = "/openapi.json"
_EMBEDDED_PROFILE = with_declared(
    BEEZY, {name: Declared(FIELDS[name], OPENAI.fields[name]) for name in PROBABILITY_FIELDS}
)
"""llama.cpp can return the probabilities of tokens, beyond the contract."""


@dataclass(frozen=True)
class Configuration:
    """The endpoints by name, the default first, and a sentence for each one that could not be read."""

    endpoints: Mapping[str, AnyEndpoint]
    problems: tuple[str, ...] = ()


def read_configuration(
    secrets: Mapping[str, object],
    settings: Settings,
    model: EmbeddedModel,
    added: Mapping[str, object] = MappingProxyType({}),
) -> Configuration:
    """The endpoint of the environment, those of the secrets, those added on the page, and always the embedded model.

    ``secrets`` holds ``[endpoints.NAME]`` tables with base_url, dialect, api_key and default_model,
    ``fields`` of their own and ``openapi``.
    """
    endpoints: dict[str, AnyEndpoint] = {}
    problems: list[str] = []
    if settings.base_url:
        of_environment = {
            "base_url": settings.base_url,
            "dialect": settings.dialect,
            "api_key": settings.api_key,
            "default_model": settings.model,
        }
        try:
            endpoints[ENVIRONMENT] = _endpoint(ENVIRONMENT, of_environment)
        except ValueError as error:
            problems.append(sentences.ENVIRONMENT_UNUSABLE.format(variable=variable_name("base_url"), error=error))
    tables = secrets.get("endpoints", {})
    if not isinstance(tables, Mapping):
        problems.append(sentences.ENDPOINTS_NOT_TABLES)
        tables = {}
    for name, table in {**tables, **{name: table for name, table in added.items() if name not in tables}}.items():
        try:
            if name in (EMBEDDED, ENVIRONMENT):
                raise ValueError(sentences.NAME_RESERVED)
            endpoints[name] = _endpoint(name, table)
        except ValueError as error:
            problems.append(sentences.ENDPOINT_UNUSABLE.format(name=name, error=error))
    endpoints[EMBEDDED] = EmbeddedEndpoint(EMBEDDED, _EMBEDDED_PROFILE, model, model.state.model)
    return Configuration(endpoints, tuple(problems))


def _endpoint(name: str, settings: object) -> Endpoint:
    """The endpoint of a table. Raises ValueError; its sentence never holds a value which could be a key."""
    if not isinstance(settings, Mapping):
        raise ValueError(sentences.NOT_A_TABLE.format(name=name))
    known = _SETTINGS | _FURTHER_SETTINGS
    if unknown := sorted(set(settings) - known):
        raise ValueError(sentences.SETTING_UNKNOWN.format(setting=unknown[0], known=", ".join(sorted(known))))
    values = {setting: settings.get(setting, "") for setting in _SETTINGS}
    for setting, value in values.items():
        if not isinstance(value, str):
            raise ValueError(sentences.NOT_A_TEXT.format(setting=setting))
    if not values["base_url"]:
        raise ValueError(sentences.BASE_URL_MISSING)
    base_url = check_base_url(str(values["base_url"]))
    secret = check_api_key(str(values["api_key"]))
    declared = declared_fields(settings.get("fields", {}))
    return Endpoint(
        name=name,
        profile=with_declared(profile_named(str(values["dialect"] or BEEZY.name)), declared),
        fixed_address=Address(base_url, ApiKey(secret, base_url) if secret else None),
        default_model=str(values["default_model"]) or None,
        prices=_prices(str(values["prices"])),
        declared=tuple(declared),
        openapi=_document(base_url, settings.get("openapi", False)),
    )


def _document(base_url: str, setting: object) -> str | None:
    """The address of the endpoint's OpenAPI document, at its own origin. Raises ValueError."""
    if setting is False:
        return None
    path = _DOCUMENT if setting is True else setting
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("//") or not path.isprintable():
        raise ValueError(sentences.OPENAPI_UNREADABLE.format(path=_DOCUMENT))
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}{path}"


def _prices(text: str) -> Prices | None:
    """The prices in a text such as ``2.50 10.00 EUR``. Raises ValueError."""
    if not text.strip():
        return None
    try:
        prompt, answer, currency = text.split()
        prices = Prices(float(prompt), float(answer), currency)
    except ValueError:
        prices = None
    if prices is None or not all(math.isfinite(price) and price >= 0 for price in (prices.prompt, prices.answer)):
        raise ValueError(sentences.PRICES_UNREADABLE)
    return prices
