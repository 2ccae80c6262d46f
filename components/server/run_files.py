"""Downloads of runs: a page issues a ticket for a view of the log, and the browser fetches it here, at any size."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from components.log.export import FORMATS
from components.log.owned import OwnLog
from components.log.query import QueryFailed
from components.log.view import conditions
from components.server import sentences
from components.server.options import route_path
from components.server.process import service

_PACKET_BYTES = 262_144
_PATH = "exports"


def routes() -> list[BaseRoute]:
    """The route of the files."""
    return [Route(route_path(f"{_PATH}/{{token}}/runs.{{kind}}"), _send)]


def file_link(token: str, kind: str) -> str:
    """The path of a file of that format, relative to a page's address."""
    return f"{_PATH}/{token}/runs.{kind}"


def _send(request: Request) -> Response:
    ticket, kind = service().tickets.find(request.path_params["token"]), request.path_params["kind"]
    if ticket is None or kind not in FORMATS:
        return PlainTextResponse(sentences.LINK_EXPIRED, 404)
    view, owner = ticket
    try:
        # The ticket names the owner of the runs, because this request has no session.
        database = OwnLog(service().log, owner).readable
        pieces = FORMATS[kind].pieces(database, conditions(database, view))
        first = next(pieces, b"")
    except (QueryFailed, OSError) as failure:
        return PlainTextResponse(str(failure), 503)
    return StreamingResponse(
        _packets(first, pieces),
        headers={"Content-Disposition": f'attachment; filename="runs.{kind}"', "Cache-Control": "no-store"},
        media_type=FORMATS[kind].media_type,
    )


def _packets(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    # Each packet passes through a thread, so lines are batched: one line is cheaper than its hand-over.
    packet, size = [first], len(first)
    for piece in rest:
        packet.append(piece)
        size += len(piece)
        if size >= _PACKET_BYTES:
            yield b"".join(packet)
            packet, size = [], 0
    yield b"".join(packet)
