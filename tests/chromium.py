"""Debian's Chromium, started once for all tests of a process: a second Playwright in the same process is refused.

Streamlit's scripts are 107 files. A tab that has loaded them loads them again in a third of the time of a new one, so
``page`` is the same tab for every test. A test that changes what cannot be undone in it takes a ``fresh_page``.
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
    # All tabs of a visitor have one process: a further tab finds the scripts compiled.
    "--process-per-site",
)
VIEWPORT = {"width": 1440, "height": 900}
PATIENCE_MS = 30_000
"""The longest wait for anything: the machine may be busy, and what is seen earlier ends the wait."""


def program() -> str | None:
    """The path of the Chromium of this machine."""
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
    """The one visitor of all tests that need no other."""
    context = new_context(chromium)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """The visitor's first tab. Afterwards it is as empty as before, and the tabs that were opened since are closed."""
    first = context.pages[0] if context.pages else context.new_page()
    before = context.pages
    yield first
    with suppress(Error):  # a page of the browser's own has no storage
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
    """A further tab of that visitor, for what stays with a tab: routes, scripts, and who listens to it."""
    return page.context.new_page()


def new_context(chromium: Browser, **options: object) -> BrowserContext:
    """A visitor of their own."""
    # What glimmers while a page is loaded costs more than the page: a person may ask not to see it, and this one does.
    context = chromium.new_context(**{"viewport": VIEWPORT, "reduced_motion": "reduce", **options})  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    return context
