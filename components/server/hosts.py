"""The host names of this server: those of its own machine, and those that its operator configures."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from components.server.options import allowed_hosts, listening_address
from components.settings import read_settings, variable_name

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names of the browser's own machine; no other site can use one."""
ONLY_HERE = (
    f"Tempera answers browsers on its own machine alone. Set {variable_name('public_url')} to the address under which "
    "others reach it, such as https://tempera.example.org, and start it again."
)
_HOST = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:]+)\]|(?P<name>[A-Za-z0-9.-]+))(?::\d{1,5})?")


def is_named() -> bool:
    """Whether the operator configured a host name."""
    return bool(allowed_hosts() or read_settings().public_address)


def is_own_host(host: str | None) -> bool:
    """Whether a request used a name of this server; stops DNS rebinding by another site.

    ``server.allowedHosts``, if set, is the complete list. Otherwise the names are those of the loopback and the host of
    the public address.
    """
    if allowed_hosts():
        return is_host_allowed(host)
    match = _HOST.fullmatch(host or "")
    name = (match["ipv6"] or match["name"]).lower().rstrip(".") if match else ""
    return name in LOOPBACK or (bool(name) and name == urlsplit(read_settings().public_address).hostname)


def public_origin() -> str:
    """The origin of the public address in a browser's form, without the default port; or empty."""
    public = urlsplit(read_settings().public_address.lower())
    usual = ":80" if public.scheme == "http" else ":443"
    return f"{public.scheme}://{public.netloc.removesuffix(usual)}" if public.netloc else ""


def is_local() -> bool:
    """Whether browsers on this machine alone can reach the server."""
    return listening_address() in LOOPBACK and not is_named()


def lacks_public_url() -> bool:
    """Whether other machines can reach the server, but every browser there would be refused."""
    return listening_address() not in LOOPBACK and not is_named()
