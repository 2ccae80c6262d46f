"""One stream on one page: driving the page and recording its frames."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.benchmarks.live_view.own_numbers import OwnNumbers, own_numbers
from tests.benchmarks.live_view.processes import cpu_seconds
from tests.benchmarks.live_view.rivals import Case, Rival, Served
from tests.benchmarks.live_view.source import Stream
from tests.waiting import wait_for

ON_SCREEN = (Path(__file__).parent / "on_screen.js").read_text()
LOCAL_ONLY = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
PATIENCE_SECONDS = 20
"""A page that shows nothing new for so long after the source's end shows nothing any more."""


@dataclass(frozen=True)
class Seen:
    """A frame that showed something new of a stream. ``at`` is a wall clock in seconds since 1970."""

    stream: str
    number: int
    at: float


@dataclass(frozen=True)
class Measurement:
    """The result of one rival with one case. Seconds of CPU are None without such a process."""

    rival: str
    case: Case
    streams: list[Stream]
    seen: list[Seen]
    clicked_at: float
    received_bytes: int
    server_seconds: float | None
    renderer_seconds: float
    missing: int
    """The number of words missing in the document at the end."""
    clock_difference: float
    """Seconds by which the page's clock was ahead of the source's, as far as the driver can tell."""
    own_numbers: list[OwnNumbers]
    """Those of each lane; empty where the rival keeps none."""


def measure(browser: Browser, rival: Rival, case: Case) -> Measurement:
    """Serve the rival, run it once, and return the measurement. Raises LeftOut when it cannot be served here."""
    with tempfile.TemporaryDirectory() as folder, rival.serve(case, Path(folder)) as served:
        page = open_page(browser, served.address)
        try:
            return _run(browser, page, rival, case, served)
        finally:
            page.close()


def open_page(browser: Browser, address: str) -> Page:
    """A fresh page of usual size, with the watching script in it."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.add_init_script(ON_SCREEN)
    page.goto(address)
    return page


def make_ready(page: Page, rival: Rival) -> None:
    """Wait until the rival can be run and has come to rest."""
    page.locator(rival.run).first.wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    if rival.prompt:
        page.locator(rival.prompt).first.fill("Count.")
        page.wait_for_timeout(300)


def _run(browser: Browser, page: Page, rival: Rival, case: Case, served: Served) -> Measurement:
    make_ready(page, rival)
    page.evaluate("selector => onScreen.watch(selector)", rival.answer)
    server_before = cpu_seconds(served.server) if served.server else 0.0
    renderers_before = _renderer_seconds(browser)
    page.locator(rival.run).first.click()
    _wait_for_the_end(page, case, served)
    server_seconds = cpu_seconds(served.server) - server_before if served.server else None
    renderers = _renderer_seconds(browser)
    page.wait_for_timeout(1000)
    streams = served.source.streams()
    expected = {f"{stream.name}{number}" for stream in streams for number in range(case.tokens)}
    shown = expected.intersection(page.evaluate("selector => onScreen.words(selector)", rival.answer))
    return Measurement(
        rival=rival.name,
        case=case,
        streams=streams,
        seen=[Seen(stream, number, at / 1000) for stream, number, at in page.evaluate("onScreen.seen")],
        clicked_at=page.evaluate("onScreen.clickedAt") / 1000,
        received_bytes=sum(frame.evaluate("onScreen.bytes") for frame in page.frames),
        server_seconds=server_seconds,
        renderer_seconds=sum(seconds - renderers_before.get(process, 0) for process, seconds in renderers.items()),
        missing=case.tokens * case.lanes - len(shown),
        clock_difference=_clock_difference(page),
        own_numbers=own_numbers(served.database, case.lanes) if served.database else [],
    )


def _wait_for_the_end(page: Page, case: Case, served: Served) -> None:
    """Until every word was seen, or nothing new came for long after the source had sent all."""
    wait_for(lambda: len(served.source.ended()) == case.lanes, 30)
    last: dict[str, int] = {}
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < PATIENCE_SECONDS:
        page.wait_for_timeout(250)
        now: dict[str, int] = page.evaluate("onScreen.last")
        if list(now.values()) == [case.tokens - 1] * case.lanes:
            return
        if now != last or not all(served.source.ended()):
            last, quiet_since = now, time.monotonic()


def _renderer_seconds(browser: Browser) -> dict[int, float]:
    """CPU seconds of each of Chromium's renderers so far."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return {process["id"]: process["cpuTime"] for process in processes if process["type"] == "renderer"}


def _clock_difference(page: Page) -> float:
    """Of several looks at the page's clock, the one that took the least time says the most."""
    looks: list[tuple[float, float]] = []
    for _ in range(20):
        before = time.time()
        there = page.evaluate("onScreen.now()") / 1000
        after = time.time()
        looks.append((after - before, there - (before + after) / 2))
    return min(looks)[1]
