from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import app_process, free_port, serve_app
from tests.streaming.endpoint import DONE, Endpoint, chunk, document, head, serve
from tests.waiting import wait_for

WORDS = [f"word{number} " for number in range(150)]
WHOLE = "".join(WORDS).split()


class Slow:
    """An endpoint whose model ``good`` streams for some seconds, and whose model ``bad`` breaks off."""

    server: Endpoint

    def play(self, connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET"):
            connection.sendall(document({"data": [{"id": "good"}, {"id": "bad"}]}))
            return
        connection.sendall(head())
        if b'"bad"' in request:
            connection.sendall(chunk("Half an answer"))
            return
        for word in WORDS:
            connection.sendall(chunk(word))
            time.sleep(0.04)
        connection.sendall(chunk("", "stop") + DONE)


@pytest.fixture
def slow() -> Iterator[Slow]:
    endpoint = Slow()
    with serve(endpoint.play) as endpoint.server:
        yield endpoint


@pytest.fixture
def address(slow: Slow, tmp_path: Path) -> Iterator[str]:
    with serve_app(tmp_path, TEMPERA_BASE_URL=slow.server.base_url) as app:
        yield app


def start(page: Page, address: str, model: str | None = None) -> None:
    page.goto(address)
    expect(page.locator(".st-key-run button")).to_be_visible()
    if model:
        page.locator(".st-key-model input").click()
        page.get_by_role("option", name=model).click()
        page.wait_for_timeout(500)
    page.locator(".st-key-run button").click()


def words(page: Page) -> list[str]:
    return page.locator(".st-key-answer .live-text").inner_text().split()


def test_a_second_sessions_stream_goes_on_while_the_first_one_fails(
    page: Page, chromium: Browser, address: str
) -> None:
    other = chromium.new_page()
    start(other, address, "good")
    wait_for(lambda: "word3" in words(other))
    start(page, address, "bad")
    expect(page.locator(".st-key-run_status")).to_contain_text("interrupted")
    expect(page.get_by_text("The answer is not complete. What arrived is kept.")).to_be_visible()
    assert words(page) == ["Half", "an", "answer"]
    expect(other.locator(".st-key-run_status")).to_contain_text("finish reason stop", timeout=30_000)
    assert words(other) == WHOLE
    other.close()


def test_a_browser_that_was_offline_for_ten_seconds_shows_the_whole_text(page: Page, address: str) -> None:
    start(page, address)
    wait_for(lambda: "word5" in words(page))
    page.context.set_offline(True)
    page.wait_for_timeout(10_000)
    page.context.set_offline(False)
    expect(page.locator(".st-key-run_status")).to_contain_text("finish reason stop", timeout=30_000)
    assert words(page) == WHOLE


def test_a_killed_server_leaves_the_run_and_the_page_says_lost(page: Page, slow: Slow, tmp_path: Path) -> None:
    port = free_port()
    with app_process(tmp_path, port, TEMPERA_BASE_URL=slow.server.base_url) as process:
        start(page, f"http://127.0.0.1:{port}")
        wait_for(lambda: "word40" in words(page))
        url = page.evaluate("location.href")
        process.kill()
    with serve_app(tmp_path, port, TEMPERA_BASE_URL=slow.server.base_url):
        page.goto(url)
        wait_for(lambda: "word30" in words(page))
        # The heartbeat of a process that died is believed for half a minute; then the open page says so by itself.
        expect(page.locator(".st-key-run_status")).to_contain_text("lost", timeout=60_000)
        assert "word30" in words(page)
