"""A demo in Chromium: visitors are separated, runs queue, and the page's HTML and metrics hold nothing private."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect
from sqlalchemy import insert
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from components.demo.visitors import signed
from components.log.database import Database
from components.log.record import utc_now
from components.log.tables import capsules
from components.server.security_headers import security_headers
from components.settings import read_settings
from components.ui.share.embed import embedding
from tests.browser.conftest import serve_app
from tests.log.test_search import RECORDS, a_record, keep
from tests.pages.conftest import Chat
from tests.security.open_page import OpenPage
from tests.security.session import session
from tests.streaming.endpoint import serve
from tests.waiting import wait_for

SECRET = "what the operator signs with"


@dataclass(frozen=True)
class Demo:
    """A public demo and its endpoint."""

    app: str
    folder: Path
    chat: Chat


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder, chat = tmp_path_factory.mktemp("demo"), Chat()
    fill(folder)
    (folder / "secrets.toml").write_text(
        '[demo]\nenabled = true\nslots = 1\ngone_after_s = 2\nendpoints = ["environment"]\n'
    )
    with serve(chat.play) as chat.server:
        own = {
            "TEMPERA_BASE_URL": chat.server.base_url,
            "TEMPERA_MODEL": "alpha",
            "TEMPERA_FRAME_ANCESTORS": "https://school.example 'none' javascript:x",
            "STREAMLIT_SERVER_COOKIE_SECRET": SECRET,
        }
        with serve_app(folder, **own) as app:
            yield Demo(app, folder, chat)
            chat.go_on.set()


def fill(folder: Path) -> None:
    """Fill a log with runs of other owners, three of them of today, and a capsule."""
    database = Database(f"sqlite:///{folder / 'runs.sqlite3'}")
    lately = [a_record(90 + number, created_at=utc_now(), ttft_ms=100.0 * number) for number in range(1, 4)]
    keep(database, *RECORDS, *lately)
    with database.writer.begin() as connection:
        shared = {"id": "A" * 22, "kind": "run", "title": "A private title", "content": b"x", "owner": "local"}
        moments = {"created_at": utc_now(), "expires_at": utc_now(-1000)}
        connection.execute(insert(capsules), shared | moments)
    database.close()


def get(address: str, **headers: str) -> requests.Response:
    with requests.Session() as browser:
        browser.trust_env = False
        return browser.get(address, headers=headers, timeout=10)


@pytest.mark.parametrize("path", ["/", "/shared?c=" + "A" * 22, "/shared?c=nothing", "/runs?find=secret", "/?s=1.x.y"])
def test_the_html_without_scripts_has_a_title_and_nothing_private(demo: Demo, path: str) -> None:
    answer = get(demo.app + path)
    title = "A shared answer · Tempera" if path.startswith("/shared") else "Tempera"
    assert f"<title>{title}</title>" in answer.text
    assert f'property="og:title" content="{title}"' in answer.text
    for private in ("A private title", "Grey waves", "secret", "A" * 22, "1.x.y"):
        assert private not in answer.text
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert answer.text.rstrip().endswith("</html>")


def test_existing_and_missing_links_have_the_same_html(demo: Demo) -> None:
    assert get(f"{demo.app}/shared?c={'A' * 22}").text == get(f"{demo.app}/shared?c={'B' * 21}A").text


def test_only_sites_that_the_operator_names_may_frame_it(demo: Demo) -> None:
    policy = get(demo.app).headers["Content-Security-Policy"]
    assert re.search(r"frame-ancestors 'self' https://school\.example;", policy)
    for none in ("", "* https://a; x"):
        named = read_settings({"TEMPERA_FRAME_ANCESTORS": none}).frame_ancestors
        assert "frame-ancestors 'self';" in security_headers(named)["Content-Security-Policy"]


def test_a_frame_of_a_named_site_fits_the_shared_page(demo: Demo, fresh_page: Page) -> None:
    snippet = embedding(f"{demo.app}/shared?c=nothing", 'A "title"')
    fresh_page.route("https://school.example/**", lambda route: route.fulfill(body=snippet, content_type="text/html"))
    # The demo is on this machine, whose pages sites on the internet may not frame by default.
    fresh_page.context.grant_permissions(["local-network-access"], origin="https://school.example")
    fresh_page.goto("https://school.example/lesson")
    frame = fresh_page.frame_locator("iframe")
    expect(frame.get_by_text("There is nothing here.")).to_be_visible()
    expect(frame.get_by_role("link", name="Compare")).to_have_count(0)
    expect(fresh_page.locator("iframe")).to_have_attribute("style", re.compile(r"height: \d+px"))


def test_search_engines_are_excluded(demo: Demo) -> None:
    assert get(f"{demo.app}/robots.txt").text == "User-agent: *\nDisallow: /\n"
    for path in ("/", "/healthz", "/metrics", "/robots.txt", "/shared?c=x", "/no/such", "/_stcore/health"):
        assert get(demo.app + path).headers["X-Robots-Tag"] == "noindex, nofollow"


def test_metrics_have_numbers_and_no_texts(demo: Demo) -> None:
    answer = get(f"{demo.app}/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = dict(line.rsplit(" ", 1) for line in answer.text.splitlines())
    assert lines['tempera_runs_last_day{status="ok"}'] == "3"
    assert lines['tempera_ttft_ms{quantile="0.5"}'] == "200.0"
    assert lines['tempera_ttft_ms{quantile="0.95"}'] == "290.0"
    assert lines["tempera_demo_tokens_left"] == "200000"
    assert get(f"{demo.app}/metrics", **{"X-Forwarded-For": "192.0.2.1"}).status_code == 403
    assert not any(word in answer.text for word in ("mine", "Grey", "local", "model"))


def statuses(demo: Demo) -> list[str]:
    """The statuses of the visitors' runs."""
    with closing(sqlite3.connect(demo.folder / "runs.sqlite3")) as log:
        visitors = "select status from runs where owner <> 'local' order by created_at"
        return [status for (status,) in log.execute(visitors)]


def test_only_the_page_sets_a_cookie(demo: Demo) -> None:
    with requests.Session() as browser:
        browser.trust_env = False
        first = browser.get(demo.app, timeout=10)
        cookie = first.headers["Set-Cookie"]
        assert re.match(r"tempera_visitor=[0-9a-f]{32}\.\S+; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax$", cookie)
        assert "tempera_visitor" not in browser.get(demo.app, timeout=10).headers.get("Set-Cookie", "")
    for path in ("/healthz", "/_stcore/health", "/robots.txt"):
        assert "tempera_visitor" not in requests.get(demo.app + path, timeout=10).headers.get("Set-Cookie", "")


@pytest.mark.parametrize(
    "cookie",
    ["f" * 32, signed("another secret", "f" * 32), "é" * 500],
    ids=["unsigned", "another_secret", "long"],
)
def test_a_forged_cookie_is_replaced(demo: Demo, cookie: str) -> None:
    answer = requests.get(demo.app, headers={"Cookie": f"tempera_visitor={cookie}".encode()}, timeout=10)
    assert "tempera_visitor=" in answer.headers["Set-Cookie"]


def test_a_visitor_finds_their_runs_again_and_others_do_not(demo: Demo) -> None:
    before = len(statuses(demo))
    mine, theirs = (f"tempera_visitor={signed(SECRET, letter * 32)}" for letter in "ab")
    with session(demo.app, Cookie=mine) as connection:
        page = OpenPage(connection)
        assert b"This is a demo" in b"".join(connection.received)
        page.send("run", message_1="Say it.")
        page.learn()
        wait_for(lambda: statuses(demo)[before:] == ["ok"])
    with session(demo.app, Cookie=mine) as again:
        assert b"1 run." in again.open("runs")
    with session(demo.app, Cookie=theirs) as other:
        assert b"No runs yet." in other.open("runs")


@contextmanager
def running_page(demo: Demo, letter: str) -> Iterator[ClientConnection]:
    """The live socket of a visitor's page right after a click on Run; it receives the run's status."""
    with session(demo.app, Cookie=f"tempera_visitor={signed(SECRET, letter * 32)}") as connection:
        page = OpenPage(connection)
        page.send("run", message_1="Say it.")
        page.learn()
        token = re.findall(rb'"token": ?"([^"]+)"', b"".join(connection.received))[-1].decode()
        (run,) = set(re.findall(rb'"run": ?"([^"]+)"', b"".join(connection.received)))
        with connect(f"{demo.app.replace('http', 'ws', 1)}/live", origin=Origin(demo.app), proxy=None) as live:
            live.send(json.dumps({"token": token}))
            live.send(json.dumps({"watch": run.decode(), "lane": 1, "part": "status"}))
            live.send(json.dumps({"watch": run.decode(), "lane": 2, "part": "markdown"}))
            yield live


def hear(live: ClientConnection, words: str) -> None:
    wait_for(lambda: words in str(live.recv(timeout=30)))


def test_a_second_visitor_waits_and_a_closed_page_frees_its_slot(demo: Demo) -> None:
    before = len(statuses(demo))
    demo.chat.go_on.clear()
    with ExitStack() as one, ExitStack() as other:
        first = one.enter_context(running_page(demo, "c"))
        hear(first, "Hello")
        second = other.enter_context(running_page(demo, "d"))
        hear(second, "In the queue, place 1")
        time.sleep(3)  # longer than a run continues without an open page: both have one
        assert statuses(demo)[before:] == ["running", "running"]
        one.close()
        wait_for(lambda: statuses(demo)[before] == "cancelled")
        hear(second, "Hello")
        demo.chat.go_on.set()
        wait_for(lambda: statuses(demo)[before:] == ["cancelled", "ok"])
