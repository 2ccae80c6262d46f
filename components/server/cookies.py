"""Gives each visitor of a demo a signed cookie, with the first page that they load."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

from components.demo.settings import DemoSettings
from components.demo.visitors import COOKIE_DAYS, new_visitor_id, signed, visitor_in
from components.server.forwarded import scheme_of
from components.settings import read_settings

COOKIE = "tempera_visitor"
"""Of visitors of a demo who did not log in. It is set with the page itself."""
HTTPS_COOKIE = f"__Host-{COOKIE}"
"""Its name where the page comes over https: browsers take it from this host alone, and never over plain http."""

_DAY_S = 86_400


class VisitorCookie:
    """Sets the cookie on pages of a demo, and on nothing else."""

    def __init__(self, app: ASGIApp, demo: Callable[[], DemoSettings | None]) -> None:
        """``demo`` gives the demo's settings, or None where this is none."""
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


def cookie_secret() -> str:
    """What cookies are signed with: Streamlit's own, which several replicas must share."""
    return str(config.get_option("server.cookieSecret"))


def visitor_of(cookies: Mapping[str, str]) -> str | None:
    """The id in a visitor's cookies, or None. One of before https counts for those who have no other."""
    found = (visitor_in(cookie_secret(), cookies.get(name)) for name in (HTTPS_COOKIE, COOKIE))
    return next(filter(None, found), None)


def _new_cookie(scope: Scope, demo: DemoSettings) -> str | None:
    """The cookie that this visitor needs; None for one who has it."""
    cookies = Request(scope).cookies
    is_https = _is_https(scope, demo)
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


def _is_https(scope: Scope, demo: DemoSettings) -> bool:
    # A proxy that does not say so may be known from the operator's own address.
    return "https" in (scheme_of(scope, demo.proxy_hops), urlsplit(read_settings().public_address).scheme)
