"""Which forwarded headers count: as many as proxies of the operator's wrote, and none of uvicorn's own choice."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


def keep_peer_of_socket() -> None:
    """Have uvicorn leave address and scheme of a request as the socket has them, for the whole process.

    Uvicorn stands before every application and takes both from X-Forwarded-For and X-Forwarded-Proto, unless it is
    told otherwise, whenever the peer is on this machine or is listed in FORWARDED_ALLOW_IPS: anybody could have any
    number of addresses.
    """
    ProxyHeadersMiddleware.__call__ = _pass_on  # type: ignore[assignment]


async def _pass_on(uvicorns: ProxyHeadersMiddleware, scope: Any, receive: Any, send: Any) -> None:
    await uvicorns.app(scope, receive, send)


def scheme_of(scope: Scope, hops: int) -> str:
    """The scheme of the visitor's own request: what the outermost of so many proxies said, else that of the socket."""
    said = ",".join(Headers(scope=scope).getlist("X-Forwarded-Proto")).split(",")
    # Most proxies say one scheme for all of them, instead of adding theirs.
    forwarded = said[-min(hops, len(said))].strip().lower() if hops > 0 else ""
    return forwarded or str(scope["scheme"])
