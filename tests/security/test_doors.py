"""What nobody asked for is not taken in, and what one visitor may hold at once has an end."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from components.streaming.limits import Limits
from tests.security.conftest import App
from tests.security.session import ask, session

_FILE = 1024 * 1024 - 1_000


def put(address: str, session_id: str, file_id: str, size: int = _FILE) -> tuple[int, str]:
    """Upload a file as a browser does; the status and what the server says."""
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


def test_where_no_uploader_stands_no_file_is_taken(running: App) -> None:
    refused = 403, "Your page takes no file now. Reload it, then choose the file again.\n"
    with session(running.address) as visitor:
        visitor.open("sweep")
        assert put(running.address, visitor.id, "of-this-page") == (204, "")
        visitor.open("runs")
        assert put(running.address, visitor.id, "any") == refused
    assert put(running.address, "nobodys-session", "any") == refused


def test_what_a_visitor_uploads_has_an_end_and_a_closed_page_holds_nothing_back(running: App) -> None:
    most = Limits().upload_bytes // _FILE
    with session(running.address) as first, session(running.address) as second:
        first.open("sweep")
        second.open("sweep")
        assert [put(running.address, first.id, f"{number}")[0] for number in range(most)].count(204) >= most - 1
        for visitor in (first, second):
            status, said = put(running.address, visitor.id, "one-more")
            assert status == 413
            assert "hold files of 8 MB already" in said
    with session(running.address) as again:
        again.open("sweep")
        assert put(running.address, again.id, "after-a-reload")[0] == 204


def test_a_file_whose_size_is_not_said_is_not_taken(running: App) -> None:
    with session(running.address) as visitor:
        visitor.open("sweep")
        answer = ask(running.address, f"/_stcore/upload_file/{visitor.id}/x", "PUT", Transfer_Encoding="chunked")
        assert answer.status == 411


def test_figures_of_streamlit_are_not_public(running: App) -> None:
    for path in ("/_stcore/metrics", "/_stcore/metrics/", "/_stcore/metrics?families=cache_memory_bytes"):
        assert ask(running.address, path).status == 404
