"""A proxy with a path prefix: every file and socket is found below it."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.browser.conftest import Scripted
from tests.browser.test_live_view import FALLBACK
from tests.prefix_proxy import prefix_proxy


def test_an_answer_streams_and_its_run_is_exported(fresh_page: Page, scripted: Scripted) -> None:
    # Host names behind proxies: tests/security/test_hosts.py.
    page, port = fresh_page, urlsplit(scripted.address).port
    assert port
    scripted.source.begin("Hello ", "behind it")
    scripted.source.finish()
    with prefix_proxy(port, "/~/+/") as proxy:
        page.goto(f"http://127.0.0.1:{proxy}/~/+/runs")
        page.get_by_role("link", name="Playground").first.click()
        page.locator(".st-key-run button").first.click()
        expect(page.locator(".st-key-answer .live-text")).to_have_text("Hello behind it")
        expect(page.get_by_text(FALLBACK)).to_have_count(0)
        page.get_by_role("link", name="Runs").first.click()
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as download:
            page.get_by_role("link", name="JSON Lines").click()
        assert "Hello behind it" in download.value.path().read_text()
        page.goto("about:blank")
