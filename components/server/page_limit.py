"""Limits the number of open pages: each holds a session, with its memory, while it is connected."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from components.demo.settings import DemoSettings
from components.demo.visitors import network_of
from components.protection.places import Places
from components.server import sentences
from components.server.cookies import visitor_of


class PageLimit:
    """Refuses a further page's session, with a status and a sentence, when ``places`` has none free."""

    def __init__(self, app: ASGIApp, demo: Callable[[], DemoSettings | None], places: Callable[[], Places]) -> None:
        self._app = app
        self._demo = demo
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] != "websocket" or not scope["path"].endswith("/_stcore/stream"):
            await self._app(scope, receive, send)
            return
        with self._places().held(*_caller_of(scope, self._demo())) as held:
            if held:
                await self._app(scope, receive, send)
            else:
                await PlainTextResponse(sentences.TOO_MANY_PAGES, 429)(scope, receive, send)


def _caller_of(scope: Scope, demo: DemoSettings | None) -> tuple[str | None, str | None]:
    """The visitor of a demo, by signed cookie, and their network; None for an unknown one, and outside of a demo."""
    if demo is None:
        return None, None
    connection = HTTPConnection(scope)
    remote = connection.client.host if connection.client else None
    forwarded_for = ",".join(connection.headers.getlist("X-Forwarded-For"))
    return visitor_of(connection.cookies), network_of(remote, forwarded_for, demo.proxy_hops)
