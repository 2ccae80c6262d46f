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


def route_path(path: str) -> str:
    """The server's path of a route of Tempera's own. A page uses ``path``, relative to its own address.

    All pages are in one folder, which only the browser knows: a proxy may have removed a prefix.
    """
    base = str(config.get_option("server.baseUrlPath")).strip("/")
    return f"/{base}/{path}" if base else f"/{path}"


def is_set(option: str) -> bool:
    """Whether the operator set an option."""
    return bool(config.is_manually_set(option))
