"""Access to sessions, forged identities, and the separation of sessions."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from components.ui.runs import keys
from tests.security.conftest import MINE, THEIRS, TITLE, App
from tests.security.session import session, status_of_socket

PAGES = ["", "compare", "sweep", "runs", "endpoints", "shared"]
FOREIGN = ["http://evil.example", "null", "http://127.0.0.1.evil.example", "file://", "chrome-extension://x"]


@pytest.mark.parametrize("path", ["/_stcore/stream", "/live"])
def test_a_page_of_another_site_opens_no_socket(running: App, path: str) -> None:
    assert status_of_socket(running.address, path, running.address) == 101
    assert {origin: status_of_socket(running.address, path, origin) for origin in [*FOREIGN, ""]} == dict.fromkeys(
        [*FOREIGN, ""], 403
    )


def test_a_page_of_another_program_on_this_machine_opens_no_session(running: App) -> None:
    assert status_of_socket(running.address, "/_stcore/stream", "http://localhost:3000") == 403


def test_a_refused_request_causes_no_request(running: App) -> None:
    before = len(running.outside.requests)
    status_of_socket(running.address, "/_stcore/stream", "http://evil.example")
    assert running.outside.requests[before:] == []


@pytest.mark.parametrize("path", ["/_stcore/stream", "/live"])
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "192.168.0.1", "[::ffff:7f00:1]"]
)
def test_a_name_that_resolves_here_is_not_allowed(running: App, path: str, host: str) -> None:
    # DNS rebinding gives a page of another site the same origin as this server.
    port = running.address.rpartition(":")[2]
    assert status_of_socket(running.address, path, f"http://{host}:{port}", f"{host}:{port}") == 403


@pytest.mark.parametrize("page", PAGES)
def test_no_claim_of_a_visitor_changes_the_owner(running: App, page: str) -> None:
    forged = {"X_User": "them", "X_Forwarded_User": "them", "Remote_User": "them", "X_Owner": "them"}
    forged |= {"X_Streamlit_User": "them", "X_IP_Token": "them", "Authorization": "Bearer them", "X_Auth_Email": "them"}
    cookies = "tempera_visitor=them; _streamlit_user=them; owner=them; user=them"
    with session(running.address, Cookie=cookies, **forged) as visitor:
        seen = visitor.open(page, f"owner=them&user=them&visitor=them&admin=1&sub=them&run={running.their_run}")
    assert THEIRS.encode() not in seen
    # Own runs are shown, so the session did read the log.
    if page in ("runs", "shared"):
        assert MINE.encode() in seen


def test_a_run_of_another_owner_is_not_found_by_its_id(running: App) -> None:
    with session(running.address) as visitor:
        for page, name in (("", "run"), ("", "open"), ("runs", "run"), ("runs", "find"), ("compare", "open")):
            assert THEIRS.encode() not in visitor.open(page, f"{name}={running.their_run}"), (page, name)
        assert MINE.encode() in visitor.open("runs", f"run={running.my_run}")


def test_a_capsule_opens_with_its_id_and_only_its_owner_revokes_it(running: App) -> None:
    with session(running.address) as visitor:
        assert THEIRS.encode() in visitor.open("shared", f"c={running.their_capsule}")
        mine = visitor.open("shared")
    assert f"revoke_{running.my_capsule}".encode() in mine
    assert running.their_capsule.encode() not in mine


def test_no_header_changes_created_links(running: App) -> None:
    port = running.address.rpartition(":")[2]
    forged = {"X_Forwarded_Host": "evil.example", "X_Forwarded_Proto": "https", "Forwarded": "host=evil.example"}
    forged |= {"X_Host": "evil.example", "X_Original_Url": "/evil.example", "Referer": "http://evil.example/"}
    with session(running.address, f"localhost:{port}", **forged) as visitor:
        seen = visitor.open("shared", url=f"http://127.0.0.1:{port}/shared")
    assert f"http://127.0.0.1:{port}/shared?c={running.my_capsule}".encode() in seen
    assert b"evil.example" not in seen
    assert f"localhost:{port}/shared?c=".encode() not in seen


def test_a_frame_that_is_too_large_ends_its_own_session_only(running: App) -> None:
    limit = (
        max(running.settings()["server.maxWidgetStateSize"], running.settings()["server.maxMessageSize"]) * 1_000_000
    )
    with session(running.address) as other, session(running.address) as large:
        other.open()
        with suppress(ConnectionClosed):
            large.connection.send(b"\x00" * (limit + 1))
            for _ in large.connection:
                pass
        assert large.connection.close_code in (1006, 1009)
        assert TITLE.encode() in other.open("shared")
    with session(running.address) as next_one:
        assert MINE.encode() in next_one.open("runs")


@pytest.mark.parametrize("frame", [b"\xff" * 100, b"", b"\x00" * 100_000, b'{"token": "x"}'])
def test_a_malformed_frame_does_not_end_other_sessions(running: App, frame: bytes) -> None:
    with session(running.address) as other, session(running.address) as odd:
        with suppress(ConnectionClosed):
            odd.connection.send(frame)
        assert MINE.encode() in other.open("runs")


def test_concurrent_sessions_see_only_their_own_data(running: App) -> None:
    """Each session sends its own input and never receives that of the other."""
    seen: dict[str, bytes] = {}

    def visit(name: str) -> None:
        with session(running.address) as visitor:
            seen[name] = b"".join(visitor.open("runs", f"{keys.FIND}={name}") for _ in range(5))

    names = ["canary-of-anna", "canary-of-bert"]
    threads = [threading.Thread(target=visit, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, other in (names, names[::-1]):
        assert name.encode() in seen[name]
        assert other.encode() not in seen[name]


def test_the_id_of_a_session_is_in_no_log_no_database_and_no_answer(running: App) -> None:
    with session(running.address) as visitor:
        for page in PAGES:
            visitor.open(page)
        assert len(visitor.id) > 30
        files = [path for path in running.folder.rglob("*") if path.is_file()]
        found = {file.name for file in files if visitor.id.encode() in file.read_bytes()}
        assert found == set()
        assert not [request for request in running.endpoint.requests if visitor.id.encode() in request]


def test_opening_every_page_sends_no_external_request(running: App) -> None:
    before = len(running.outside.requests), len(running.posts())
    with session(running.address) as visitor:
        for page in PAGES:
            visitor.open(page)
        visitor.open("shared", f"c={running.their_capsule}")
        visitor.open("", f"run={running.my_run}")
    assert (len(running.outside.requests), len(running.posts())) == before
