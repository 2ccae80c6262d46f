"""Two replicas on one PostgreSQL: a run of the first on a page of the second, and a proxy without sticky sessions."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.browser.conftest import free_port, serve_app
from tests.browser.pages import open_playground, settled
from tests.browser.source import Source
from tests.log.conftest import _postgresql_server, postgresql_url
from tests.prefix_proxy import prefix_proxy
from tests.streaming.endpoint import serve

__all__ = ["_postgresql_server", "postgresql_url"]


@pytest.fixture
def source() -> Source:
    return Source()


def test_a_run_of_another_replica_grows_on_the_page_without_a_script_and_can_be_stopped(
    fresh_page: Page, postgresql_url: str, source: Source, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        endpoint = stack.enter_context(serve(source.play))
        replicas = []
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            environment = {"TEMPERA_DATABASE_URL": postgresql_url, "TEMPERA_BASE_URL": endpoint.base_url}
            replicas.append(stack.enter_context(serve_app(tmp_path / name, free_port(), **environment)))
        stack.callback(source.finish)
        page = fresh_page
        open_playground(page, replicas[0])
        source.begin("First words. ")
        page.locator(".st-key-run button").first.click()
        expect(page.locator(".st-key-answer .live-text")).to_contain_text("First words.")
        page.wait_for_url(re.compile("run="))  # the text may arrive before the page is drawn
        run = page.url.partition("?")[2]
        script: list[str | bytes] = []

        def listen(socket: WebSocket) -> None:
            if socket.url.endswith("/_stcore/stream"):
                socket.on("framereceived", lambda frame: script.append(frame))

        page.on("websocket", listen)
        page.goto(f"{replicas[1]}/?{run}")
        answer, status = page.locator(".st-key-answer .live-text"), page.locator(".st-key-run_status")
        expect(answer).to_contain_text("First words.")
        expect(status).to_contain_text("running")
        settled(page)
        script.clear()
        source.send("More of them. ")
        expect(answer).to_contain_text("More of them.")
        source.send("And the last.")
        expect(answer).to_contain_text("And the last.")
        assert sum(map(len, script)) < 5_000
        page.locator(".st-key-stop button").first.click()
        expect(status).to_contain_text("cancelled")
        expect(answer).to_contain_text("And the last.")
        expect(page.locator("[data-testid=stAlert]")).to_have_count(0)
        ports = [int(replica.rpartition(":")[2]) for replica in replicas]
        with prefix_proxy(ports[0], "/", takes_turns_with=ports[1]) as proxy:
            open_playground(page, f"http://127.0.0.1:{proxy}")
            expect(page.get_by_text("This page's requests reach several replicas")).to_be_visible()
