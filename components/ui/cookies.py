"""Gives each visitor of a demo a signed cookie, with the first page that they load."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.demo.visitors import COOKIE_DAYS, new_visitor_id, signed, visitor_in
from components.ui.sharing.address import public_url_of_operator
from components.ui.visitor import COOKIE, cookie_secret

_DAY_S = 86_400


class VisitorCookie:
    """Sets the cookie on pages of the server where ``is_demo`` says so, and on nothing else."""

    def __init__(self, app: ASGIApp, is_demo: Callable[[], bool]) -> None:
        self._app = app
        self._is_demo = is_demo

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] != "http" or not self._is_demo() or visitor_in(cookie_secret(), _cookie_of(scope)):
            await self._app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("Set-Cookie", _new_cookie(scope))
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def _cookie_of(scope: Scope) -> str | None:
    return Request(scope).cookies.get(COOKIE)


def _new_cookie(scope: Scope) -> str:
    response = Response()
    response.set_cookie(
        COOKIE,
        signed(cookie_secret(), new_visitor_id()),
        max_age=COOKIE_DAYS * _DAY_S,
        httponly=True,
        samesite="lax",
        secure="https" in (scope["scheme"], urlsplit(public_url_of_operator()).scheme),
    )
    return str(response.headers["Set-Cookie"])
