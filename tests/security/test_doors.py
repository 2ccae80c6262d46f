"""Uploads, pages and storage are limited per visitor."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pytest
from sqlalchemy import insert
from websockets.exceptions import ConnectionClosed, InvalidStatus

from components.demo.visitors import signed
from components.log.log import Log
from components.log.tables import runs, to_row
from components.streaming.limits import Limits
from tests.browser.conftest import serve_app
from tests.log.test_export import finished
from tests.security.conftest import App
from tests.security.session import ask, session
from tests.waiting import wait_for

SECRET = "what the operator signs with"
_FILE = 1024 * 1024 - 1_000


def put(address: str, session_id: str, file_id: str, size: int = _FILE) -> tuple[int, str]:
    """Upload a file like a browser; return the status and body."""
    cookie = ask(address, "/_stcore/health").headers["set-cookie"].split(";")[0]
    edge = "edge"
    body = f'--{edge}\r\nContent-Disposition: form-data; name="f"; filename="f.csv"\r\n\r\n'.encode()
    body += b"x" * size + f"\r\n--{edge}--\r\n".encode()
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    headers = {
        "Cookie": cookie,
        "X-Xsrftoken": cookie.partition("=")[2],
        "Content-Type": f"multipart/form-data; boundary={edge}",
    }
    try:
        connection.request("PUT", f"/_stcore/upload_file/{session_id}/{file_id}", body, headers)
        with connection.getresponse() as response:
            return response.status, response.read().decode()
    finally:
        connection.close()


def test_files_are_accepted_only_with_an_uploader(running: App) -> None:
    refused = 403, "This page does not accept a file now. Reload it, then choose the file again.\n"
    with session(running.address) as visitor:
        visitor.open("sweep")
        assert put(running.address, visitor.id, "of-this-page") == (204, "")
        visitor.open("runs")
        assert put(running.address, visitor.id, "any") == refused
    assert put(running.address, "nobodys-session", "any") == refused


def test_uploads_are_limited_and_freed_with_the_page(running: App) -> None:
    most = Limits().upload_bytes // _FILE
    with session(running.address) as first, session(running.address) as second:
        first.open("sweep")
        second.open("sweep")
        assert [put(running.address, first.id, f"{number}")[0] for number in range(most)].count(204) >= most - 1
        for visitor in (first, second):
            status, body = put(running.address, visitor.id, "one-more")
            assert status == 413
            assert "already hold files of 8 MB" in body
    with session(running.address) as again:
        again.open("sweep")
        assert put(running.address, again.id, "after-a-reload")[0] == 204


def test_a_file_without_a_size_is_refused(running: App) -> None:
    with session(running.address) as visitor:
        visitor.open("sweep")
        answer = ask(running.address, f"/_stcore/upload_file/{visitor.id}/x", "PUT", Transfer_Encoding="chunked")
        assert answer.status == 411


def test_metrics_of_streamlit_are_not_public(running: App) -> None:
    for path in ("/_stcore/metrics", "/_stcore/metrics/", "/_stcore/metrics?families=cache_memory_bytes"):
        assert ask(running.address, path).status == 404


def test_repeated_errors_are_counted_and_not_logged(running: App) -> None:
    def tracebacks() -> int:
        return (running.folder / "app.log").read_text().count("Traceback")

    before = tracebacks()
    for _ in range(40):
        with session(running.address) as visitor:
            visitor.connection.send("text, which no page sends")
            with suppress(ConnectionClosed):
                visitor.connection.recv(timeout=10)
    assert 0 < tracebacks() - before <= 10


@dataclass(frozen=True)
class Demo:
    address: str
    log: Log

    def cookie(self, visitor_id: str) -> str:
        return f"tempera_visitor={signed(SECRET, visitor_id)}"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo whose visitors may have two pages and one megabyte, and whose networks count as two visitors."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "secrets.toml").write_text("[demo]\npages_at_once = 2\nkept_mb = 1\nvisitors_a_network = 2\n")
    log = Log(f"sqlite:///{folder / 'runs.sqlite3'}")
    with serve_app(folder, TEMPERA_DEMO="1", STREAMLIT_SERVER_COOKIE_SECRET=SECRET) as address:
        yield Demo(address, log)
    log.close()


def test_pages_of_a_demo_are_limited_per_visitor_and_network(demo: Demo) -> None:
    def is_refused(cookie: str) -> bool:
        """Whether another page is refused, with the advice if so."""
        with suppress(InvalidStatus), session(demo.address, Cookie=cookie):
            return False
        with pytest.raises(InvalidStatus) as refused, session(demo.address, Cookie=cookie):
            pass
        return refused.value.response.status_code == 429 and b"Close one" in (refused.value.response.body or b"")

    mine, theirs = demo.cookie("a" * 32), demo.cookie("b" * 32)
    with session(demo.address, Cookie=mine), session(demo.address, Cookie=mine):
        assert is_refused(mine)
        with session(demo.address, Cookie=theirs), session(demo.address):
            # A missing or different cookie does not change the network.
            assert is_refused("")
            assert is_refused(demo.cookie("c" * 32))
    wait_for(lambda: not is_refused(mine))


def test_the_storage_limit_of_a_demo_is_shown_and_enforced(demo: Demo) -> None:
    visitor_id = "d" * 32
    with session(demo.address, Cookie=demo.cookie(visitor_id)) as visitor:
        seen = visitor.open()
        assert b"open at once, and keep 1 MB" in seen
        assert b"You store " not in seen
        for size, words in ((950_000, b"Nothing more is stored beyond that."), (50_000, b"Stored data stays")):
            record = replace(finished().record(), owner=f"visitor {visitor_id}", text="x" * size)
            demo.log.write(lambda connection, record=record: connection.execute(insert(runs), [to_row(record)]))
            assert words in visitor.open()
