"""Behind a proxy that adds a path and may call the app by a name of its own, all is found where the page stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import free_port, serve_app
from tests.browser.pages import open_playground
from tests.browser.test_live_view import FALLBACK
from tests.pages.conftest import Chat
from tests.prefix_proxy import prefix_proxy
from tests.streaming.endpoint import serve


@pytest.mark.parametrize("changed", [False, True], ids=["host_kept", "host_changed"])
def test_an_answer_streams_and_its_run_is_taken_away(fresh_page: Page, tmp_path: Path, changed: bool) -> None:
    page, port, chat = fresh_page, free_port(), Chat()
    host = f"localhost:{port}" if changed else None
    with serve(chat.play) as chat.server, prefix_proxy(port, "/~/+/", host) as proxy:
        public = f"http://127.0.0.1:{proxy}/~/+"
        own = {"TEMPERA_BASE_URL": chat.server.base_url, "TEMPERA_MODEL": "alpha", "TEMPERA_PUBLIC_URL": public}
        with serve_app(tmp_path, port, **own):
            open_playground(page, f"{public}/")
            page.locator(".st-key-run button").first.click()
            expect(page.locator(".st-key-answer .live-text")).to_have_text("Hello you")
            expect(page.get_by_text(FALLBACK)).to_have_count(0)
            page.get_by_role("link", name="Runs").first.click()
            page.get_by_role("button", name="Export").click()
            with page.expect_download() as download:
                page.get_by_role("link", name="JSON Lines").click()
            assert "Hello you" in download.value.path().read_text()
            page.goto(f"{public}/runs")
            expect(page.get_by_role("button", name="Export")).to_be_visible()
