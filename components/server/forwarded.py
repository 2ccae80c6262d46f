"""Trusts forwarded headers of the operator's own proxies only, instead of uvicorn's own choice."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


def keep_peer_of_socket() -> None:
    """Make uvicorn keep the socket's address and scheme of a request, in the whole process.

    By default, uvicorn takes both from X-Forwarded-For and X-Forwarded-Proto, before any application, when the peer is
    on this machine or listed in FORWARDED_ALLOW_IPS: a client could fake any number of addresses.
    """
    ProxyHeadersMiddleware.__call__ = _pass_on  # type: ignore[assignment]


async def _pass_on(middleware: ProxyHeadersMiddleware, scope: Any, receive: Any, send: Any) -> None:
    await middleware.app(scope, receive, send)


def scheme_of(scope: Scope, hops: int) -> str:
    """The scheme of the visitor's own request: from the outermost of ``hops`` proxies, else from the socket."""
    schemes = ",".join(Headers(scope=scope).getlist("X-Forwarded-Proto")).split(",")
    # Most proxies send one scheme for all proxies, instead of appending theirs.
    forwarded = schemes[-min(hops, len(schemes))].strip().lower() if hops > 0 else ""
    return forwarded or str(scope["scheme"])
