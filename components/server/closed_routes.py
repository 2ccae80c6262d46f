"""Closes Streamlit's routes that reveal the server's state. Operators read ``/metrics`` instead."""

from __future__ import annotations

import re

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_CLOSED = re.compile(r"/_stcore/metrics/?$")


class ClosedRoutes:
    """Answers those routes as if they did not exist."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http" and _CLOSED.search(scope["path"]):
            await PlainTextResponse("Not found.\n", 404)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
