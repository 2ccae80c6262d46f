"""What a hand at a widget waits while an answer streams: from the event to the frame that shows the effect."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.benchmarks.live_view.measurement import make_ready, open_page
from tests.benchmarks.live_view.rivals import Case, Rival, Served
from tests.waiting import wait_for

BETWEEN_TOUCHES_MS = 300


@dataclass(frozen=True)
class Touch:
    """One touch of a widget. The clock runs from ``event`` until the script ``shown`` is true after a frame."""

    name: str
    hand: Callable[[Page], None]
    event: str
    shown: str


@dataclass(frozen=True)
class Widget:
    """``reach`` brings the page to where the widget is, unmeasured. ``touches`` are the n-th ones, in this order."""

    reach: Callable[[Page], None]
    touches: Callable[[int], list[Touch]]


@dataclass
class Answers:
    """Milliseconds that touches of one name took."""

    at_rest: list[float] = field(default_factory=list)
    while_streaming: list[float] = field(default_factory=list)


def _show_request(page: Page) -> None:
    page.get_by_role("radio", name="Request").click()
    page.locator(".st-key-preview code").first.wait_for()


def _choose(view: str, container: str) -> Touch:
    return Touch(
        name=f"{view} chosen in place of the other view",
        hand=lambda page: page.get_by_role("radio", name=view).click(),
        event="click",
        shown=f"Boolean(document.querySelector('{container}')?.checkVisibility())",
    )


def _change_temperature(number: int) -> Touch:
    value = f"0.{number % 89 + 11}".rstrip("0")

    def type_number(page: Page) -> None:
        temperature = page.locator(".st-key-temperature input")
        temperature.fill(value)
        temperature.press("Enter")

    return Touch(
        name="a number typed, until the request shows it",
        hand=type_number,
        event="keydown",
        shown=f"document.querySelector('.st-key-preview').innerText.includes('\"temperature\": {value},')",
    )


TEMPERA_WIDGETS = [
    Widget(
        reach=lambda page: None,
        touches=lambda number: [_choose("Request", ".st-key-preview"), _choose("Answer", ".st-key-answer")],
    ),
    Widget(reach=_show_request, touches=lambda number: [_change_temperature(number)]),
]


def measure_widget(browser: Browser, widget: Widget, case: Case, times: int, rival: Rival) -> dict[str, Answers]:
    """What the rival's widget took, so many times at rest and so many times while streams run, by the touch's name."""
    answers: dict[str, Answers] = defaultdict(Answers)
    with tempfile.TemporaryDirectory() as folder, rival.serve(case, Path(folder)) as served:
        page = open_page(browser, served.address)
        make_ready(page, rival)
        widget.reach(page)
        for number in range(times):
            for touch in widget.touches(number):
                answers[touch.name].at_rest.append(_milliseconds(page, touch))
        number = 0
        while number < times:
            _run_to_where(page, widget, rival, served)
            while number < times and not all(served.source.ended()):
                took = {touch.name: _milliseconds(page, touch) for touch in widget.touches(number)}
                if not all(served.source.ended()):
                    for name, milliseconds in took.items():
                        answers[name].while_streaming.append(milliseconds)
                    number += 1
        page.close()
    return dict(answers)


def _run_to_where(page: Page, widget: Widget, rival: Rival, served: Served) -> None:
    """A fresh page on which a stream runs and the widget can be touched."""
    page.goto(served.address)
    make_ready(page, rival)
    before = len(served.source.ended())
    page.locator(rival.run).first.click()
    wait_for(lambda: len(served.source.ended()) > before, 30)
    page.wait_for_timeout(1000)
    widget.reach(page)


def _milliseconds(page: Page, touch: Touch) -> float:
    page.wait_for_timeout(BETWEEN_TOUCHES_MS)
    # What an earlier touch has shown may still be there for a moment.
    wait_for(lambda: not page.evaluate(f"() => {touch.shown}"))
    page.evaluate(f"event => onScreen.watchEffect(event, () => {touch.shown})", touch.event)
    touch.hand(page)
    return float(wait_for(lambda: page.evaluate("onScreen.took"), 30))
