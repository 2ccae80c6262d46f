"""Refuses WebSockets of foreign pages before Streamlit, and explains the setting when no page could open one.

Streamlit itself asks a server on the internet for this machine's address whenever a foreign page connects, blocks all
visitors during this request, and accepts the pages of every port of this machine.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from components.server.hosts import ONLY_HERE, is_named, is_own_host, public_origin
from components.server.options import allowed_origins

_POLICY_VIOLATION = 1008
_MISDIRECTED = 421


def is_own_page(origin: str | None, host: str | None) -> bool:
    """Whether a connection comes from Tempera's own page, or from an origin that the operator allows.

    A browser always sends the origin.
    """
    if not origin or not is_own_host(host):
        return False
    is_same = origin.partition("://")[2] == host
    return is_same or origin == public_origin() or origin in allowed_origins()


class SameOrigin:
    """Closes WebSockets that a browser opens from a foreign page. Other clients send no origin.

    Without a configured host, a page requested under another name than the loopback's is answered with a sentence.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        headers = Headers(scope=scope) if scope["type"] in ("http", "websocket") else Headers()
        origin, host = headers.get("origin"), headers.get("host")
        if scope["type"] == "websocket":
            if not (is_own_page(origin, host) if origin is not None else is_own_host(host)):
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
                return
            if origin and origin == public_origin():
                # A proxy may have changed the host, which Streamlit compares with the origin.
                scope = {**scope, "headers": [*scope["headers"]]}
                MutableHeaders(scope=scope)["host"] = origin.partition("://")[2]
        elif "text/html" in headers.get("accept", "") and not is_named() and not is_own_host(host):
            await PlainTextResponse(f"{ONLY_HERE}\n", _MISDIRECTED)(scope, receive, send)
            return
        await self._app(scope, receive, send)
