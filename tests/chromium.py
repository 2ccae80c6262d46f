"""Debian's Chromium, started once per test process, because Playwright allows one instance per process.

Streamlit has 107 script files. A tab that has loaded them reloads in a third of the time of a new tab, so
``page`` is the same tab for every test. Tests that change it irreversibly use ``fresh_page``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first that is there is used: Debian's shell without a window takes two thirds of the processor time."""
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # All tabs of a visitor share one process, so further tabs find the scripts compiled.
    "--process-per-site",
)
VIEWPORT = {"width": 1440, "height": 900}
PATIENCE_MS = 30_000
"""The longest wait for anything on a busy machine; most waits end earlier."""


def program() -> str | None:
    """The path of this machine's Chromium."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = program()
    if path is None:
        pytest.skip("Chromium is not installed")
    expect.set_options(PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """The default visitor of the tests."""
    context = new_context(chromium)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """The visitor's first tab. After each test it is emptied, and other tabs are closed."""
    first = context.pages[0] if context.pages else context.new_page()
    before = context.pages
    yield first
    with suppress(Error):  # the browser's own pages have no storage
        first.evaluate("localStorage.clear(); sessionStorage.clear()")
    for tab in context.pages:
        if tab not in before:
            tab.close()
    first.set_viewport_size(VIEWPORT)
    first.goto("about:blank")
    context.set_offline(False)
    context.clear_cookies()
    context.clear_permissions()


@pytest.fixture
def fresh_page(page: Page) -> Page:
    """Another tab of this visitor, for tests that add routes, scripts or listeners to a tab."""
    return page.context.new_page()


def new_context(chromium: Browser, **options: object) -> BrowserContext:
    """A new visitor."""
    # Reduced motion: the loading animation costs more time than the page itself.
    context = chromium.new_context(**{"viewport": VIEWPORT, "reduced_motion": "reduce", **options})  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    return context
