"""Runs as files: the page says which, the browser fetches them from a route that streams, whatever their size."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import streamlit as st
from sqlalchemy import ColumnElement, and_, true
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from components.log.database import Database
from components.log.export import export_runs
from components.log.owned import OwnLog
from components.log.parquet import write_parquet
from components.log.query import QueryFailed
from components.log.search import MOST_COUNTED, View, conditions
from components.log.spreadsheet import csv_pieces
from components.log.tickets import LIFE_S
from components.service import service
from components.ui import state
from components.ui.share.address import route_of
from components.ui.visitor import owner

_PACKET_BYTES = 262_144
_PATH = "take-away"

_KINDS = {
    "csv": ("CSV", "For spreadsheets. Texts that a spreadsheet would compute begin with an apostrophe."),
    "jsonl": ("JSON Lines", "Exact, and can be imported again."),
    "parquet": ("Parquet", "Typed columns, for pandas, Polars and DuckDB."),
}


def routes() -> list[BaseRoute]:
    """The route that the server needs."""
    return [Route(route_of(f"{_PATH}/{{token}}/runs.{{kind}}"), _send)]


def draw_take_away(view: View) -> None:
    """Draw a link for each kind of file, all with the runs that the view finds and that have ended."""
    with st.popover("Take away", icon=":material/download:"):
        newest = f" Of more than {MOST_COUNTED:,} that have the words, the newest ones." if view.words else ""
        st.caption(f"All runs of this view that have ended, oldest first.{newest}")
        token = _token(view)
        for kind, (label, what) in _KINDS.items():
            st.link_button(label, f"{_PATH}/{token}/runs.{kind}", help=what, width="stretch")


def _token(view: View) -> str:
    """The same one while the page is drawn again and again: a link must not change under the pointer."""
    known: tuple[View, str, float] | None = st.session_state.get(state.TICKET)
    if known is None or known[0] != view or time.monotonic() > known[2]:
        known = view, service().tickets.issue(view, owner()), time.monotonic() + LIFE_S / 2
        st.session_state[state.TICKET] = known
    return known[1]


def _send(request: Request) -> Response:
    known, kind = service().tickets.find(request.path_params["token"]), request.path_params["kind"]
    if known is None or kind not in _KINDS:
        return PlainTextResponse("This link has expired. Open Take away on the Runs page again.", 404)
    view, whose = known
    # The token says whose they are: no session stands behind this request.
    database = OwnLog(service().log, whose).database
    if database is None:
        return PlainTextResponse("There is no log now.", 503)
    where = and_(true(), *conditions(database, view))
    name = {"Content-Disposition": f'attachment; filename="runs.{kind}"', "Cache-Control": "no-store"}
    if kind == "csv":
        return _streamed(csv_pieces(database, where), "text/csv; charset=utf-8", name)
    if kind == "jsonl":
        lines = (line.encode("utf-8", "surrogatepass") for line in export_runs(database, where))
        return _streamed(lines, "application/jsonl", name)
    return _streamed(_parquet_pieces(database, where), "application/vnd.apache.parquet", name)


def _parquet_pieces(database: Database, where: ColumnElement[bool]) -> Iterator[bytes]:
    # A Parquet file ends with what tells where its parts are, so it is made whole before it goes out.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.parquet"
        write_parquet(database, path, where)
        with path.open("rb") as file:
            while piece := file.read(_PACKET_BYTES):
                yield piece


def _streamed(pieces: Iterator[bytes], media_type: str, headers: dict[str, str]) -> Response:
    """The pieces as they come; a log that cannot be read at the first one is a sentence, later the file is cut."""
    try:
        first = next(pieces, b"")
    except (QueryFailed, OSError) as failure:
        return PlainTextResponse(str(failure), 503)

    def packets() -> Iterator[bytes]:
        # Each one goes through a thread of its own: a line would cost more on its way than it took to make.
        packet, size = [first], len(first)
        for piece in pieces:
            packet.append(piece)
            size += len(piece)
            if size >= _PACKET_BYTES:
                yield b"".join(packet)
                packet, size = [], 0
        yield b"".join(packet)

    return StreamingResponse(packets(), headers=headers, media_type=media_type)
