"""Static files are compressed once for browsers that take gzip; all else passes as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from streamlit.web.server.starlette.starlette_static_routes import create_streamlit_static_handler

from components.server.compressed_files import CompressedFiles

STATIC = Path(streamlit.__file__).parent / "static"
SCRIPT = max((STATIC / "static" / "js").glob("index.*.js"), key=lambda path: path.stat().st_size)
URL = f"/static/js/{SCRIPT.name}"
requested: list[str] = []


async def stream(_request: Request) -> Response:
    async def words() -> AsyncIterator[bytes]:
        yield b"data: one\n\n"
        yield b"data: two\n\n"

    return StreamingResponse(words(), media_type="text/event-stream")


@pytest.fixture
def client() -> TestClient:
    """Streamlit's own static files, and a stream."""
    files = create_streamlit_static_handler(str(STATIC), None)

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        requested.append(scope["path"])
        await files(scope, receive, send)

    requested.clear()
    routes = [Route("/events", stream), Mount("/", counted)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(CompressedFiles)]))


def test_a_file_is_compressed_once_and_cached_by_the_browser_for_a_year(client: TestClient) -> None:
    answers = [client.get(URL, headers={"Accept-Encoding": "br, gzip;q=0.8"}) for _ in range(2)]
    for answer in answers:
        assert answer.content == SCRIPT.read_bytes()
        assert answer.headers["Content-Encoding"] == "gzip"
        assert int(answer.headers["Content-Length"]) < 0.5 * SCRIPT.stat().st_size
        assert answer.headers["Cache-Control"] == "public, immutable, max-age=31536000"
        assert "Accept-Encoding" in answer.headers["Vary"]
    assert requested == [URL]


@pytest.mark.parametrize(
    "headers",
    [{"Accept-Encoding": "identity"}, {"Accept-Encoding": "gzip;q=0"}, {"Range": "bytes=0-9"}],
    ids=["identity", "refused", "range"],
)
def test_a_file_is_sent_uncompressed_without_gzip_support(client: TestClient, headers: dict[str, str]) -> None:
    client.get(URL)  # cached from now on
    answer = client.get(URL, headers=headers)
    assert "Content-Encoding" not in answer.headers
    assert SCRIPT.read_bytes().startswith(answer.content)


def test_pages_missing_files_and_streams_are_unchanged(client: TestClient) -> None:
    page, missing, events = client.get("/"), client.get("/static/js/none.js"), client.get("/events")
    assert {answer.headers.get("Content-Encoding") for answer in (page, missing, events)} == {None}
    assert page.text == (STATIC / "index.html").read_text()
    assert events.text == "data: one\n\ndata: two\n\n"
    for _ in range(2):
        client.get("/static/js/none.js")
    assert requested.count("/static/js/none.js") == 3
