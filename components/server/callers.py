"""The caller of a request, for limits, outside of a page: visitor by signed cookie, and network."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import Scope

from components.demo.settings import DemoSettings
from components.demo.visitors import network_of
from components.server.cookies import visitor_of


def caller_of(scope: Scope, demo: DemoSettings | None) -> tuple[str | None, str | None]:
    """The visitor of a demo and their network; None for an unknown one, and outside of a demo."""
    if demo is None:
        return None, None
    connection = HTTPConnection(scope)
    remote = connection.client.host if connection.client else None
    forwarded_for = ",".join(connection.headers.getlist("X-Forwarded-For"))
    network = network_of(remote, forwarded_for, demo.proxy_hops)
    return visitor_of(connection.cookies), network
