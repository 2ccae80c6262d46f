"""Sets a signed cookie for each visitor of a demo, with the first page that they load."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.demo.settings import DemoSettings
from components.demo.visitors import COOKIE_DAYS, new_visitor_id, signed, visitor_in
from components.server.forwarded import scheme_of
from components.server.options import cookie_secret
from components.settings import read_settings

COOKIE = "tempera_visitor"
"""The cookie of a demo's visitors without a login. It is set with the page itself."""
HTTPS_COOKIE = f"__Host-{COOKIE}"
"""The cookie's name over https: browsers accept it from this host alone, and never over plain http."""

_DAY_S = 86_400


class VisitorCookie:
    """Sets the cookie on pages of a demo, and on nothing else."""

    def __init__(self, app: ASGIApp, demo: Callable[[], DemoSettings | None]) -> None:
        """``demo`` returns the demo's settings, or None outside of a demo."""
        self._app = app
        self._demo = demo

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        demo = self._demo() if scope["type"] == "http" else None
        cookie = _new_cookie(scope, demo) if demo else None
        if cookie is None:
            await self._app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("Set-Cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def visitor_of(cookies: Mapping[str, str]) -> str | None:
    """The id in a visitor's cookies, or None. Without an https cookie, the plain http cookie counts."""
    ids = (visitor_in(cookie_secret(), cookies.get(name)) for name in (HTTPS_COOKIE, COOKIE))
    return next(filter(None, ids), None)


def _new_cookie(scope: Scope, demo: DemoSettings) -> str | None:
    """The cookie to set for this visitor; None when they have a valid one."""
    cookies = Request(scope).cookies
    # For a proxy that sends no scheme, the operator's public address reveals it.
    is_https = "https" in (scheme_of(scope, demo.proxy_hops), urlsplit(read_settings().public_address).scheme)
    visitor = visitor_of(cookies)
    if visitor and (not is_https or visitor_in(cookie_secret(), cookies.get(HTTPS_COOKIE))):
        return None
    response = Response()
    response.set_cookie(
        HTTPS_COOKIE if is_https else COOKIE,
        signed(cookie_secret(), visitor or new_visitor_id()),
        max_age=COOKIE_DAYS * _DAY_S,
        httponly=True,
        samesite="lax",
        secure=is_https,
    )
    return str(response.headers["Set-Cookie"])
