"""Streamlit's options of the server, from its configuration file, environment and flags."""

from __future__ import annotations

from collections.abc import Collection

from streamlit import config


def cookie_secret() -> str:
    """The secret that signs cookies; all replicas must share it. Empty when there is none."""
    return str(config.get_option("server.cookieSecret") or "")


def allowed_hosts() -> Collection[str]:
    """The host names that the operator allows; empty for no such list."""
    return list(config.get_option("server.allowedHosts") or ())


def allowed_origins() -> Collection[str]:
    """The further origins whose pages may connect."""
    return list(config.get_option("server.corsAllowedOrigins"))


def listening_address() -> str | None:
    """The address that the server listens on, None for every address."""
    address: str | None = config.get_option("server.address")
    return address


def base_path() -> str:
    """The path below which Streamlit serves the pages, without slashes around it."""
    return str(config.get_option("server.baseUrlPath")).strip("/")


def is_set(option: str) -> bool:
    """Whether the operator set an option."""
    return bool(config.is_manually_set(option))
