"""The delay of widgets while an answer streams: from the event to the frame that shows the effect."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.benchmarks.live_view.measurement import make_ready, open_page
from tests.benchmarks.live_view.rivals import Case, Rival, Served
from tests.waiting import wait_for

BETWEEN_TOUCHES_MS = 300
LAST_TOUCH_BEFORE_END_SECONDS = 2.0


@dataclass(frozen=True)
class Touch:
    """One touch of a widget. The clock runs from ``event`` until the script ``shown`` is true after a frame."""

    name: str
    hand: Callable[[Page], None]
    event: str
    shown: str


@dataclass(frozen=True)
class Widget:
    """``reach`` brings the page to where the widget is, unmeasured. ``touches`` are the n-th ones since, in order."""

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


def _show_dialog(page: Page) -> None:
    page.locator(".st-key-open button").click()
    page.locator(".st-key-in_dialog_button button").wait_for()


def _press(where: str, name: str, number: int) -> Touch:
    return Touch(
        name=f"a button {where}, until its text has changed",
        hand=lambda page: page.locator(f".st-key-{name}_button button").click(),
        event="click",
        shown=f"document.querySelector('.st-key-{name}_text').innerText.includes('touched {number + 1} times')",
    )


TEMPERA_WIDGETS = [
    Widget(
        reach=lambda page: None,
        touches=lambda number: [_choose("Request", ".st-key-preview"), _choose("Answer", ".st-key-answer")],
    ),
    Widget(reach=_show_request, touches=lambda number: [_change_temperature(number)]),
]

OTHER_WIDGETS = [
    Widget(reach=lambda page: None, touches=lambda number: [_press("of the page", "on_page", number)]),
    Widget(reach=lambda page: None, touches=lambda number: [_press("in a fragment", "in_fragment", number)]),
    Widget(reach=_show_dialog, touches=lambda number: [_press("in a dialog", "in_dialog", number)]),
]
"""On a page of the benchmark, since the playground has none of them next to its answer."""


def _look_at(view: str, other: str, caption: str) -> Touch:
    return Touch(
        name=f"{view} chosen in place of {other}",
        hand=lambda page: page.locator(".st-key-look").get_by_role("radio", name=view).click(),
        event="click",
        shown="[...document.querySelectorAll('[data-testid=stCaptionContainer]')]"
        f".some(element => /{caption}/.test(element.textContent))",
    )


def _write(name: str, part: str, is_written: str) -> Touch:
    """``is_written`` is whether the answer ``text`` is shown so; older text may be visible for a moment."""
    return Touch(
        name=f"all answers {name}",
        hand=lambda page: page.locator(".st-key-as_written label").click(),
        event="click",
        shown="[...document.querySelectorAll('[class*=st-key-lane_answer_] .live-view')].every(view => "
        f"view.dataset.part === '{part}' && (text => {is_written})(view.querySelector('.live-text')))",
    )


def _touch_form(name: str, shown: str) -> Touch:
    return Touch(
        name=f"a lane's form {name}",
        hand=lambda page: page.locator(".st-key-lane_form_1 button").first.click(),
        event="click",
        shown=shown,
    )


def _show_form(page: Page) -> None:
    page.locator(".st-key-lane_form_1 button").first.click()
    page.locator(".st-key-lane_name_1 input").wait_for()


def _name_lane(number: int) -> Touch:
    def type_name(page: Page) -> None:
        name = page.locator(".st-key-lane_name_1 input")
        name.fill(f"name {number}")
        name.press("Enter")

    return Touch(
        name="a lane's name typed, until the lane shows it",
        hand=type_name,
        event="keydown",
        shown=f"document.querySelector('.st-key-lane_card_1').textContent.includes('A · name {number}')",
    )


def _set_in_lane(choice: str, shown: str) -> Touch:
    return Touch(
        name=f"a lane's temperature set to {choice}, until the lane shows it",
        hand=lambda page: page.locator(".st-key-lane_temperature_state_1").get_by_role("radio", name=choice).click(),
        event="click",
        shown=f"{shown}document.querySelector('.st-key-lane_card_1').textContent.includes('temperature null')",
    )


def _choose_in_menu(word: str, shown: str) -> Touch:
    def choose(page: Page) -> None:
        page.locator(".st-key-lane_menu_1 button").first.click()
        # By key, so that the clock does not run from the click that opens the menu.
        page.get_by_role("menuitem", name=word).press("Enter")

    return Touch(
        name=f"{word} chosen in a lane's menu, until the lane says so",
        hand=choose,
        event="keydown",
        shown=f"{shown}document.querySelector('.st-key-lane_card_1').textContent.includes('muted')",
    )


_FORM_IS_SHOWN = "Boolean(document.querySelector('.st-key-lane_name_1 input')?.checkVisibility())"

COMPARE_WIDGETS = [
    Widget(
        reach=lambda page: None,
        touches=lambda number: [
            _look_at("Settings", "Numbers", "Settings that are equal in all lanes"),
            _look_at("Numbers", "Settings", "Run the lanes first|The best number of a row"),
        ],
    ),
    Widget(
        reach=lambda page: None,
        touches=lambda number: [
            _write("as written", "plain", "!text.querySelector('p')"),
            _write("as Markdown", "markdown", "!text.firstElementChild?.firstChild || text.querySelector('p')"),
        ],
    ),
    Widget(
        reach=lambda page: None,
        touches=lambda number: [_touch_form("opened", _FORM_IS_SHOWN), _touch_form("closed", f"!{_FORM_IS_SHOWN}")],
    ),
    Widget(reach=_show_form, touches=lambda number: [_name_lane(number)]),
    Widget(reach=_show_form, touches=lambda number: [_set_in_lane("null", ""), _set_in_lane("base", "!")]),
    Widget(
        reach=lambda page: None,
        touches=lambda number: [_choose_in_menu("Mute", ""), _choose_in_menu("Unmute", "!")],
    ),
]
"""Each runs the whole script of the page again, with all its lanes."""


def measure_widget(browser: Browser, widget: Widget, case: Case, times: int, rival: Rival) -> dict[str, Answers]:
    """The delays of the rival's widget at rest and during streams, by the name of the touch."""
    answers: dict[str, Answers] = defaultdict(Answers)
    with tempfile.TemporaryDirectory() as folder, rival.serve(case, Path(folder)) as served:
        page = open_page(browser, served.address)
        make_ready(page, rival)
        widget.reach(page)
        for number in range(times):
            for touch in widget.touches(number):
                answers[touch.name].at_rest.append(_milliseconds(page, touch))
        left = times
        while left:
            ends_at = _run_to_where(page, widget, rival, case, served)
            for number in range(left):
                # The end of a run closes a dialog.
                if time.monotonic() > ends_at - LAST_TOUCH_BEFORE_END_SECONDS:
                    break
                for touch in widget.touches(number):
                    answers[touch.name].while_streaming.append(_milliseconds(page, touch))
                left -= 1
            else:
                assert not all(served.source.ended()), "the stream ended while its page was touched"
        page.close()
    return dict(answers)


def _run_to_where(page: Page, widget: Widget, rival: Rival, case: Case, served: Served) -> float:
    """A fresh page on which a stream runs and the widget can be touched; when it ends, on the monotonic clock."""
    page.goto(served.address)
    make_ready(page, rival)
    before = len(served.source.ended())
    page.locator(rival.run).first.click()
    wait_for(lambda: len(served.source.ended()) == before + case.lanes, 30)
    ends_at = time.monotonic() + case.tokens / case.rate
    page.wait_for_timeout(1000)
    widget.reach(page)
    return ends_at


def _milliseconds(page: Page, touch: Touch) -> float:
    page.wait_for_timeout(BETWEEN_TOUCHES_MS)
    # The effect of an earlier touch may still be visible for a moment.
    wait_for(lambda: not page.evaluate(f"() => {touch.shown}"))
    page.evaluate(f"event => onScreen.watchEffect(event, () => {touch.shown})", touch.event)
    touch.hand(page)
    return float(wait_for(lambda: page.evaluate("onScreen.took"), 30))
