"""Which names this server answers to: those of its own machine, and those that its operator gives it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from streamlit import config
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from components.settings import read_settings, variable_name

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""They mean the machine that the browser runs on, so no other site can take one of them for its own."""
ONLY_HERE = (
    f"Tempera answers browsers on its own machine alone. Set {variable_name('public_url')} to the address under which "
    "others reach it, such as https://tempera.example.org, and start it again."
)
_HOST = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:]+)\]|(?P<name>[A-Za-z0-9.-]+))(?::\d{1,5})?")


def is_named() -> bool:
    """Whether the operator gave the server any name."""
    return bool(config.get_option("server.allowedHosts") or read_settings().public_address)


def is_own_host(host: str | None) -> bool:
    """Whether a request was made to a name of ours: what stops another site whose name leads to this machine.

    ``server.allowedHosts`` is the whole list where there is one; without it, the loopback's names and the host of the
    public address are ours.
    """
    if config.get_option("server.allowedHosts"):
        return is_host_allowed(host)
    found = _HOST.fullmatch(host or "")
    name = (found["ipv6"] or found["name"]).lower().rstrip(".") if found else ""
    return name in LOOPBACK or (bool(name) and name == urlsplit(read_settings().public_address).hostname)


def public_origin() -> str:
    """The origin of the public address as a browser says it, without the port that goes without saying; or empty."""
    public = urlsplit(read_settings().public_address.lower())
    usual = ":80" if public.scheme == "http" else ":443"
    return f"{public.scheme}://{public.netloc.removesuffix(usual)}" if public.netloc else ""


def listens_in_vain() -> bool:
    """Whether other machines can reach the server, and their browsers would get no answer from it."""
    return config.get_option("server.address") not in LOOPBACK and not is_named()
