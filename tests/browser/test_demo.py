"""A demo in a browser: a cookie says whose things are whose, a closed page ends its run, the queue has places."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from components.demo.visitors import signed
from tests.browser.conftest import serve_app
from tests.pages.conftest import Chat
from tests.streaming.endpoint import serve
from tests.waiting import wait_for

SECRET = "what the operator signs with"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def chat() -> Iterator[Chat]:
    chat = Chat()
    with serve(chat.play) as server:
        chat.server = server
        yield chat
        chat.go_on.set()


@pytest.fixture(scope="module")
def app(folder: Path, chat: Chat) -> Iterator[str]:
    (folder / "secrets.toml").write_text(
        '[demo]\nenabled = true\nslots = 1\ngone_after_s = 2\nendpoints = ["environment"]\n'
    )
    own = {
        "TEMPERA_BASE_URL": chat.server.base_url,
        "TEMPERA_MODEL": "alpha",
        "STREAMLIT_SERVER_COOKIE_SECRET": SECRET,
    }
    with serve_app(folder, **own) as address:
        yield address


def page_of(chromium: Browser) -> Page:
    context = chromium.new_context()
    context.set_default_timeout(30_000)
    return context.new_page()


def statuses(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "runs.sqlite3")) as log:
        return [status for (status,) in log.execute("select status from runs order by created_at")]


def test_a_cookie_comes_with_the_page_and_with_nothing_else(app: str) -> None:
    with requests.Session() as browser:
        browser.trust_env = False
        first = browser.get(app, timeout=10)
        cookie = first.headers["Set-Cookie"]
        assert re.match(r"tempera_visitor=[0-9a-f]{32}\.\S+; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax$", cookie)
        assert "tempera_visitor" not in browser.get(app, timeout=10).headers.get("Set-Cookie", "")
    for path in ("/healthz", "/_stcore/health", "/robots.txt"):
        assert "tempera_visitor" not in requests.get(app + path, timeout=10).headers.get("Set-Cookie", "")


@pytest.mark.parametrize("cookie", ["x", "f" * 32, signed("another secret", "f" * 32), "f" * 32 + ".x.y", "é" * 500])
def test_a_forged_cookie_is_replaced(app: str, cookie: str) -> None:
    answer = requests.get(app, headers={"Cookie": f"tempera_visitor={cookie}".encode()}, timeout=10)
    assert "tempera_visitor=" in answer.headers["Set-Cookie"]


def test_a_visitor_finds_their_runs_again_and_others_do_not(chromium: Browser, app: str) -> None:
    one, other = page_of(chromium), page_of(chromium)
    one.goto(app)
    expect(one.get_by_text("This is a demo:", exact=False)).to_be_visible()
    one.get_by_role("button", name="Run").first.click()
    expect(one.get_by_text("Hello you").first).to_be_visible()
    again = one.context.new_page()
    again.goto(f"{app}/runs")
    expect(again.get_by_text("1 run.", exact=False).first).to_be_visible()
    other.goto(f"{app}/runs")
    expect(other.get_by_text("No runs yet.", exact=False)).to_be_visible()
    for page in (one, other):
        page.context.close()


def test_the_second_waits_in_the_queue_and_who_leaves_makes_room(
    chromium: Browser, app: str, chat: Chat, folder: Path
) -> None:
    before = len(statuses(folder))
    chat.go_on.clear()
    first, second = page_of(chromium), page_of(chromium)
    first.goto(app)
    first.get_by_role("button", name="Run").first.click()
    expect(first.get_by_text("Hello").first).to_be_visible()
    second.goto(app)
    second.get_by_role("button", name="Run").first.click()
    expect(second.get_by_text("In the queue, place 1", exact=False).first).to_be_visible()
    time.sleep(3)  # longer than a run goes on that nobody looks at: both are looked at
    assert statuses(folder)[before:] == ["running", "running"]
    first.context.close()
    wait_for(lambda: statuses(folder)[before] == "cancelled", 20)
    expect(second.get_by_text("Hello").first).to_be_visible()
    chat.go_on.set()
    wait_for(lambda: statuses(folder)[before:] == ["cancelled", "ok"], 20)
    second.context.close()
