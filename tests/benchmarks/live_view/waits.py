"""The waits of a user: for the first word, a page, another page, and the text after a reload.

All views are served at the same time and take turns, so that other load affects all of them alike.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.benchmarks.live_view.figures import both, markdown
from tests.benchmarks.live_view.measurement import ON_SCREEN, make_ready, open_page
from tests.benchmarks.live_view.rivals import BARE_PAGE, COMPARE, FORM, TEMPERA, WRITE_STREAM, Case, Rival, Served
from tests.waiting import wait_for

_SHORT = Case(tokens=20, rate=100)
_LONG = Case(tokens=100_000, rate=50)
_REST_MS = 1_000
_SWITCHES = {"Compare": ".st-key-lanes", "Playground": ".st-key-settings"}

Waits = dict[str, list[float]]
"""Milliseconds of each wait, by the name of the view."""


def waits_table(browser: Browser, lanes: int, times: int) -> str:
    """Measure all of it; the tables in Markdown."""
    tables = [_table("Run to first text", first_texts(browser, lanes, times))]
    if lanes == 1:
        tables.append(_table("Address to a page that is ready", ready_pages(browser, times)))
        tables.append(_table("Another page", switched_pages(browser, times)))
    tables.append(_table("Reload to text, while it streams", reloaded_pages(browser, lanes, times)))
    return "\n\n".join(tables)


def first_texts(browser: Browser, lanes: int, times: int) -> Waits:
    """From the click on Run to the frame in which every lane has its first word."""
    case = replace(_SHORT, lanes=lanes)
    rivals = [BARE_PAGE, WRITE_STREAM, TEMPERA] if lanes == 1 else [BARE_PAGE, COMPARE]
    with ExitStack() as stack:
        pages: list[tuple[Rival, Served, Page]] = []
        for rival, served in stack.enter_context(_all_served(rivals, case)):
            page = open_page(browser, served.address)
            stack.callback(page.close)
            make_ready(page, rival)
            page.evaluate("selector => onScreen.watch(selector)", rival.answer)
            pages.append((rival, served, page))
        # The first run of a server does not count.
        _in_turn(pages, 1, _first_text)
        return _in_turn(pages, times, _first_text)


def _first_text(rival: Rival, served: Served, page: Page) -> float:
    page.evaluate("onScreen.awaitClick()")
    begun = len(served.source.ended())
    page.locator(rival.run).first.click()
    wait_for(lambda: len(ended := served.source.ended()) > begun and all(ended))
    streams = {stream.name for stream in served.source.streams()[begun:]}
    wait_for(lambda: streams <= {stream for stream, *_ in page.evaluate("onScreen.seen")})
    page.wait_for_timeout(_REST_MS)
    first: dict[str, float] = {}
    for stream, _number, at in page.evaluate("onScreen.seen"):
        first.setdefault(stream, at)
    return max(first[stream] for stream in streams) - float(page.evaluate("onScreen.clickedAt"))


def ready_pages(browser: Browser, times: int) -> Waits:
    """From the address to the frame that shows the button Run, in a browser that has seen nothing before."""

    def ready(rival: Rival, served: Served) -> float:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        try:
            page = context.new_page()
            page.add_init_script(ON_SCREEN)
            page.add_init_script(f"onScreen.awaitElement({json.dumps(rival.run)})")
            page.goto(served.address)
            found: float = wait_for(lambda: page.evaluate("onScreen.readyAt"))
            page.wait_for_timeout(_REST_MS)
            return found
        finally:
            context.close()

    with _all_served([FORM, TEMPERA], _SHORT) as served:
        _in_turn(served, 1, ready)
        return _in_turn(served, times, ready)


def switched_pages(browser: Browser, times: int) -> Waits:
    """From the click on another page's name to the first frame that shows it."""
    with _all_served([TEMPERA], _SHORT) as ((rival, served),):
        page = open_page(browser, served.address)
        make_ready(page, rival)
        found: Waits = {f"Tempera, {name}": [] for name in _SWITCHES}
        for number in range(times + 1):
            for name, shown in _SWITCHES.items():
                page.evaluate(
                    "shown => onScreen.watchEffect('click', () => document.querySelector(shown)?.clientHeight)", shown
                )
                page.get_by_role("link", name=name).first.click()
                took = wait_for(lambda: page.evaluate("onScreen.took"))
                page.wait_for_timeout(_REST_MS)
                if number:
                    found[f"Tempera, {name}"].append(took)
        page.close()
        return found


def reloaded_pages(browser: Browser, lanes: int, times: int) -> Waits:
    """From a reload to the frame in which every lane has text again."""
    rival = TEMPERA if lanes == 1 else COMPARE
    with _all_served([rival], replace(_LONG, lanes=lanes)) as ((_, served),):
        page = open_page(browser, served.address)
        make_ready(page, rival)
        page.add_init_script(f"onScreen.watch({json.dumps(rival.answer)})")
        page.locator(rival.run).first.click()
        page.wait_for_timeout(2 * _REST_MS)
        found = []
        for _ in range(times):
            page.reload()
            seen = wait_for(
                lambda: (
                    len({stream for stream, *_ in page.evaluate("onScreen.seen")}) == lanes
                    and page.evaluate("onScreen.seen")
                )
            )
            first: dict[str, float] = {}
            for stream, _number, at in seen:
                first.setdefault(stream, at)
            found.append(max(first.values()) - float(page.evaluate("performance.timeOrigin")))
            page.wait_for_timeout(_REST_MS)
        page.close()
        return {"Tempera" if lanes == 1 else f"Tempera, {lanes} lanes": found}


@contextmanager
def _all_served(rivals: Sequence[Rival], case: Case) -> Iterator[list[tuple[Rival, Served]]]:
    with ExitStack() as stack:
        served = []
        for rival in rivals:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            served.append((rival, stack.enter_context(rival.serve(case, folder))))
        yield served


def _in_turn(views: Sequence[tuple[Rival, *tuple[object, ...]]], times: int, measured: Callable[..., float]) -> Waits:
    found: Waits = {view[0].name: [] for view in views}
    for _ in range(times):
        for view in views:
            found[view[0].name].append(measured(*view))
    return found


def _table(title: str, waits: Mapping[str, list[float]]) -> str:
    first = next(iter(waits.values()))
    rows = [
        [name, both(took), f"× {statistics.median(took) / statistics.median(first):.1f}", str(len(took))]
        for name, took in waits.items()
    ]
    return "\n".join(markdown([[title, "median / 95th percentile", "to the first row", "times"], *rows]))
