"""The host names that the server answers, directly, under a public address and behind proxies."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from streamlit import config

from components.server import hosts
from components.server.same_origin import is_own_page
from components.settings import read_settings, variable_name
from components.ui.share.address import first_page_of
from tests.browser.conftest import serve_app
from tests.prefix_proxy import prefix_proxy
from tests.security.conftest import App
from tests.security.session import ask, status_of_socket

PUBLIC_URL = variable_name("public_url")
PUBLIC = "https://playground.example"
PREFIX = "/~/+/"
SOCKETS = ("_stcore/stream", "live")


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app with a public address and no other setting."""
    with serve_app(tmp_path_factory.mktemp("public"), TEMPERA_PUBLIC_URL=f"{PUBLIC}/lab") as address:
        yield address


@pytest.mark.parametrize("path", SOCKETS)
def test_a_page_under_the_public_address_opens_sockets_and_others_do_not(public: str, path: str) -> None:
    port = urlsplit(public).port
    assert status_of_socket(public, f"/{path}", PUBLIC, "playground.example") == 101
    assert status_of_socket(public, f"/{path}", f"http://localhost:{port}", f"localhost:{port}") == 101
    refused = [
        ("https://evil.example", "playground.example"),
        ("https://evil.example", "evil.example"),
        (PUBLIC, "evil.example"),
        ("http://playground.example.evil.example", "playground.example.evil.example"),
    ]
    assert {(each, status_of_socket(public, f"/{path}", *each)) for each in refused} == {(one, 403) for one in refused}


@pytest.mark.parametrize("path", SOCKETS)
def test_a_proxy_may_add_a_path_and_call_the_server_by_its_own_name(public: str, path: str) -> None:
    port = urlsplit(public).port
    assert port
    for host in ("playground.example", f"127.0.0.1:{port}"):
        with prefix_proxy(port, PREFIX, host) as proxy:
            address = f"http://127.0.0.1:{proxy}"
            assert status_of_socket(address, f"{PREFIX}{path}", PUBLIC) == 101
            assert status_of_socket(address, f"{PREFIX}{path}", "https://evil.example") == 403


def test_without_a_configured_host_a_page_under_another_name_names_the_setting(running: App) -> None:
    page = {"Accept": "text/html,*/*;q=0.8"}
    for path in ("/", "/runs", "/shared?c=x"):
        response = ask(running.address, path, Host="192.168.0.7:8501", **page)
        assert (response.status, response.headers["content-type"]) == (421, "text/plain; charset=utf-8")
        assert response.body.decode().strip() == hosts.ONLY_HERE
        assert PUBLIC_URL in hosts.ONLY_HERE
        assert ask(running.address, path, **page).status == 200
    # Health checks may use any host name.
    assert ask(running.address, "/healthz", Host="10.1.2.3:8501").status == 200


def test_with_a_configured_host_pages_are_served_under_any_name(public: str) -> None:
    # A proxy may set its own host, and sockets are checked by their origin.
    assert ask(public, "/", Host="inside:8501", Accept="text/html").status == 200


def test_a_socket_without_an_origin_needs_an_allowed_name(public: str) -> None:
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    headers["Sec-WebSocket-Key"] = "AAAAAAAAAAAAAAAAAAAAAA=="
    for path in SOCKETS:
        assert ask(public, f"/{path}", Host="evil.example", **headers).status == 403


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://Playground.example:443/lab/", "https://playground.example"),
        ("http://playground.example:80", "http://playground.example"),
        ("http://[2001:db8::1]:9000", "http://[2001:db8::1]:9000"),
        ("", ""),
    ],
)
def test_the_public_origin_is_that_of_a_browser(given: str, origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PUBLIC_URL, given)
    assert not read_settings().problems
    assert hosts.public_origin() == origin
    assert is_own_page(origin, "localhost") is bool(origin)


@pytest.mark.parametrize(
    "given", ["playground.example", "ftp://playground.example", "https://", "https://a b", "https://x/?y", "http://["]
)
def test_an_invalid_public_address_is_named(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PUBLIC_URL, given)
    assert PUBLIC_URL in read_settings().problems["public_url"][0]


def test_in_a_hugging_face_space_its_host_is_the_public_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_HOST", "anna-playground.hf.space")
    assert is_own_page("https://anna-playground.hf.space", "anna-playground.hf.space")
    assert not is_own_page("https://evil-playground.hf.space", "evil-playground.hf.space")
    monkeypatch.setenv(PUBLIC_URL, PUBLIC)
    assert hosts.public_origin() == PUBLIC


@pytest.mark.parametrize("origin", ["http://[", "://localhost", "http://localhost\n", "localhost"])
def test_an_invalid_origin_is_refused(origin: str) -> None:
    assert not is_own_page(origin, "localhost:8501")


def test_listening_to_others_without_allowed_names_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"server.address": "127.0.0.1", "server.allowedHosts": []}
    monkeypatch.setattr(config, "get_option", found.__getitem__)
    assert not hosts.lacks_public_url()
    found["server.address"] = "0.0.0.0"
    assert hosts.lacks_public_url()
    monkeypatch.setenv(PUBLIC_URL, PUBLIC)
    assert not hosts.lacks_public_url()


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://a.example", "https://a.example"),
        ("https://a.example/", "https://a.example"),
        ("https://a.example/runs", "https://a.example"),
        ("https://a.example/~/+", "https://a.example/~/+"),
        ("https://a.example/~/+/runs", "https://a.example/~/+"),
        ("https://a.example/lab/runs?find=x#y", "https://a.example/lab"),
        ("https://a.example/my-runs", "https://a.example/my-runs"),
    ],
)
def test_the_first_page_is_found_below_any_path(url: str, base: str) -> None:
    assert first_page_of(url, ["", "runs", "shared"]) == base
