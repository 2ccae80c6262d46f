"""The address of a caller, by the socket and the headers of the operator's proxies."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.demo.visitors import UNKNOWN, new_visitor_id, signed
from tests import forks
from tests.browser.conftest import ROOT, free_port, serve_app, wait_until_it_answers
from tests.pages.conftest import Chat
from tests.security.open_page import OpenPage
from tests.security.session import Answer, ask, session
from tests.streaming.endpoint import serve
from tests.waiting import wait_for

SECRET = "what the operator signs with"
PLAIN, HTTPS = "tempera_visitor", "__Host-tempera_visitor"


@dataclass(frozen=True)
class Demo:
    address: str
    folder: Path
    hops: int

    def networks(self, *callers: dict[str, str]) -> list[str]:
        """The networks counted for runs of these callers, each with a page and headers of its own."""
        before = len(self._counted())
        for headers in callers:
            with session(self.address, **headers) as connection:
                page = OpenPage(connection)
                page.send("run")
                page.learn()
        return wait_for(lambda: len(found := self._counted()) >= before + len(callers) and found)[before:]

    def _counted(self) -> list[str]:
        with closing(sqlite3.connect(self.folder / "runs.sqlite3")) as log:
            return [network for (network,) in log.execute("select network from reservations order by created_at")]


@contextmanager
def by_streamlit(folder: Path, **environment: str) -> Iterator[str]:
    """Start by ``streamlit run app.py``, with uvicorn trusting every proxy."""
    with serve_app(folder, FORWARDED_ALLOW_IPS="*", **environment) as address:
        yield address


@contextmanager
def by_uvicorn(folder: Path, **environment: str) -> Iterator[str]:
    """Start as an ASGI application by uvicorn, which trusts every proxy."""
    port = free_port()
    # Settings are read from the folder in which uvicorn starts.
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").symlink_to(folder / "secrets.toml")
    for name in ("app.py", "components", "pages", ".streamlit/config.toml"):
        (folder / name).symlink_to(ROOT / name)
    own = {"TEMPERA_DATABASE_URL": f"sqlite:///{folder / 'runs.sqlite3'}", "HOME": str(folder)}
    command = ["uvicorn", "app:app", "--port", str(port), "--forwarded-allow-ips", "*"]
    process = forks.start(command, folder, {**os.environ, **own, **environment}, folder / "app.log")
    try:
        wait_until_it_answers(f"http://127.0.0.1:{port}/healthz", folder / "app.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.join()


@pytest.fixture(
    scope="module",
    params=[(by_uvicorn, 0), (by_streamlit, 2)],
    ids=["uvicorn", "behind_two_proxies"],
)
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    start, hops = request.param
    folder, chat = tmp_path_factory.mktemp("callers"), Chat()
    (folder / "secrets.toml").write_text(f"[demo]\nenabled = true\nproxy_hops = {hops}\n")
    with serve(chat.play) as chat.server:
        own = {"TEMPERA_BASE_URL": chat.server.base_url, "TEMPERA_MODEL": "alpha"}
        with start(folder, STREAMLIT_SERVER_COOKIE_SECRET=SECRET, **own) as address:
            yield Demo(address, folder, hops)


def test_forwarded_addresses_count_only_as_far_as_the_operators_proxies_wrote_them(demo: Demo) -> None:
    behind_both = {"X_Forwarded_For": "6.6.6.6, 203.0.113.7, 10.0.0.1"}
    forged = [{"X_Forwarded_For": address} for address in ("198.51.100.1", "198.51.100.2:4711")]
    found = demo.networks({}, *forged, behind_both)
    # A socket address of this machine is no network.
    assert found == [UNKNOWN, UNKNOWN, UNKNOWN, "203.0.113.7" if demo.hops else UNKNOWN]


def cookie_of(answer: Answer) -> tuple[str, str] | None:
    """The name and the visitor's id of the cookie that was set."""
    found = re.match(rf"((?:__Host-)?{PLAIN})=([0-9a-f]{{32}})\.", answer.headers.get("set-cookie", ""))
    return (found[1], found[2]) if found else None


def test_over_plain_http_the_cookie_has_its_plain_name(demo: Demo) -> None:
    answer = ask(demo.address, "/")
    assert cookie_of(answer)
    assert re.fullmatch(rf"{PLAIN}=\S+; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax", answer.headers["set-cookie"])


def test_only_the_operators_proxies_can_report_https(demo: Demo) -> None:
    answer = ask(demo.address, "/", X_Forwarded_Proto="https")
    cookie = answer.headers["set-cookie"]
    if demo.hops:
        assert re.fullmatch(rf"{HTTPS}=\S+; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax; Secure", cookie)
    else:
        assert cookie.startswith(f"{PLAIN}=")
    forged = ask(demo.address, "/", X_Forwarded_Proto="https, http, http")
    assert forged.headers["set-cookie"].startswith(f"{PLAIN}=")


def test_a_cookie_set_over_http_keeps_its_visitor_over_https(demo: Demo) -> None:
    visitor = new_visitor_id()
    old = f"{PLAIN}={signed(SECRET, visitor)}"
    assert cookie_of(ask(demo.address, "/", Cookie=old)) is None
    over_https = cookie_of(ask(demo.address, "/", Cookie=old, X_Forwarded_Proto="https"))
    assert over_https == ((HTTPS, visitor) if demo.hops else None)
    both = f"{HTTPS}={signed(SECRET, visitor)}; {PLAIN}={signed(SECRET, new_visitor_id())}"
    assert cookie_of(ask(demo.address, "/", Cookie=both, X_Forwarded_Proto="https")) is None


def test_the_https_cookie_determines_the_owner_of_runs(demo: Demo) -> None:
    host, old, plain = new_visitor_id(), new_visitor_id(), new_visitor_id()
    demo.networks(
        {"Cookie": f"{PLAIN}={signed(SECRET, old)}; {HTTPS}={signed(SECRET, host)}"},
        {"Cookie": f"{PLAIN}={signed(SECRET, plain)}; {HTTPS}=forged"},
    )
    with closing(sqlite3.connect(demo.folder / "runs.sqlite3")) as log:
        owners = [owner for (owner,) in log.execute("select owner from runs order by created_at")]
    assert owners[-2:] == [f"visitor {host}", f"visitor {plain}"]
