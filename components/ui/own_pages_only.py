"""Turns WebSockets of foreign pages away before Streamlit sees them.

Streamlit itself asks a server on the internet for this machine's address whenever a foreign page connects, waits for it
with everybody else, and lets in the pages of every port of this machine.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from components.ui.sharing.address import public_url_of_operator

_POLICY_VIOLATION = 1008


def is_own_page(origin: str | None, host: str | None) -> bool:
    """Whether a connection comes from a page of ours, or of an origin that whoever runs Tempera has named.

    A browser always tells the origin.
    """
    if not origin or not is_host_allowed(host):
        return False
    asked = urlsplit(origin)
    ours = urlsplit(public_url_of_operator())
    if ours.netloc and (asked.scheme, asked.netloc) == (ours.scheme, ours.netloc):
        return True
    return asked.netloc == host or origin in config.get_option("server.corsAllowedOrigins")


class OwnPagesOnly:
    """Closes what a browser opens from a page that is not ours. What is no browser says no origin, and passes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "websocket":
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin is not None and not is_own_page(origin, headers.get("host")):
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
                return
        await self._app(scope, receive, send)
