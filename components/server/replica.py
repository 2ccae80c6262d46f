"""Which replica a request reaches: a page compares it with the replica that draws it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from components.server.options import route_path
from components.server.process import service

PATH = "replica"


def replica() -> str:
    """The name of this process."""
    return service().experiments.process


def routes() -> list[BaseRoute]:
    """The route, under the path of the pages."""
    return [Route(route_path(PATH), _name)]


def _name(_request: Request) -> PlainTextResponse:
    return PlainTextResponse(replica(), headers={"Cache-Control": "no-store"})
