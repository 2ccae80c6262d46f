"""Limits the number of open pages: each holds a session, with its memory, while it is connected."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from components.demo.settings import DemoSettings
from components.protection.places import Places
from components.server import sentences
from components.server.callers import caller_of


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
        with self._places().held(*caller_of(scope, self._demo())) as held:
            if held:
                await self._app(scope, receive, send)
            else:
                await PlainTextResponse(sentences.TOO_MANY_PAGES, 429)(scope, receive, send)
