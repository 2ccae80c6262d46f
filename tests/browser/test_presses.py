"""Keys and clicks while the page is still being drawn, in Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import Scripted
from tests.browser.pages import choose_state, open_playground, prompt, settled
from tests.streaming.endpoint import Endpoint
from tests.waiting import wait_for

_RUN_BUTTON = re.compile(rb"[0-9a-f]{32}-run\b")


def completions(endpoint: Endpoint) -> list[bytes]:
    return [request for request in endpoint.requests if request.startswith(b"POST")]


@pytest.fixture
def quick(scripted: Scripted) -> tuple[str, Endpoint]:
    """The app on an endpoint that answers at once, and that endpoint."""
    scripted.source.begin("Yes.")
    scripted.source.finish()
    return scripted.address, scripted.endpoint


class HeldBack:
    """Messages of the server, held back from the first that has these bytes: by default, that draws the Run button."""

    def __init__(self, page: Page, first: re.Pattern[bytes] = _RUN_BUTTON) -> None:
        self.holds = True
        self.holds_presses = False
        self._first = first
        self._presses: list[tuple[WebSocketRoute, str | bytes]] = []
        self._held: list[tuple[WebSocketRoute, str | bytes]] = []
        page.route_web_socket("**/_stcore/stream", self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def press(message: str | bytes) -> None:
            if self.holds_presses:
                self._presses.append((server, message))
            else:
                server.send(message)

        def pass_on(message: str | bytes) -> None:
            if self.holds and (self._held or (isinstance(message, bytes) and self._first.search(message))):
                self._held.append((socket, message))
            else:
                socket.send(message)

        socket.on_message(press)
        server.on_message(pass_on)

    def let_through(self) -> None:
        self.holds = False
        for socket, message in self._held:
            socket.send(message)
        self._held.clear()

    def let_presses_through(self) -> None:
        self.holds_presses = False
        for server, message in self._presses:
            server.send(message)
        self._presses.clear()


def test_ctrl_enter_before_the_run_button_appears_runs_once(fresh_page: Page, quick: tuple[str, Endpoint]) -> None:
    page = fresh_page
    app, endpoint = quick
    held_back = HeldBack(page)
    for path, many in (("/", 1), ("/compare", 2)):
        before = len(completions(endpoint))
        page.goto("about:blank")  # so that late messages to the previous page are not held back
        held_back.holds = True
        page.goto(app + path)
        message = prompt(page)
        message.fill(f"Early on {path}")
        message.press("Control+Enter")
        expect(page.locator(".st-key-run")).to_have_count(0)
        held_back.let_through()
        wait_for(lambda wanted=before + many: page.wait_for_timeout(10) or len(completions(endpoint)) >= wanted)
        page.wait_for_timeout(500)
        sent = completions(endpoint)[before:]
        assert [f'Early on {path}"'.encode() in request for request in sent] == [True] * many


def test_ctrl_enter_as_the_run_button_appears_runs_once_and_so_does_the_next_press(
    fresh_page: Page, quick: tuple[str, Endpoint]
) -> None:
    page = fresh_page
    app, endpoint = quick
    # The fields of the messages may be drawn after the button.
    page.add_init_script(
        """new MutationObserver((_changes, observer) => {
          const messages = document.querySelector(".st-key-messages");
          if (!messages || !document.querySelector(".st-key-run button")) return;
          observer.disconnect();
          messages.dispatchEvent(
            new KeyboardEvent("keydown", { key: "Enter", keyCode: 13, ctrlKey: true, bubbles: true, cancelable: true }),
          );
        }).observe(document, { subtree: true, childList: true })"""
    )
    before = len(completions(endpoint))
    open_playground(page, app)
    wait_for(lambda: page.wait_for_timeout(10) or len(completions(endpoint)) > before)
    page.wait_for_timeout(500)
    assert len(completions(endpoint)) == before + 1

    prompt(page).fill("At once.")
    prompt(page).press("Control+Enter")
    wait_for(lambda: page.wait_for_timeout(10) or len(completions(endpoint)) > before + 1)
    page.wait_for_timeout(500)
    (sent,) = completions(endpoint)[before + 1 :]
    assert b"At once." in sent
    for number in range(2):
        page.wait_for_timeout(500)  # the end of the last run draws the page once more
        choose_state(page, "temperature", "omit")
        page.locator(".st-key-temperature input").fill(f"0.{number + 1}")
        page.locator(".st-key-run button").click()
        wait_for(lambda wanted=before + 2 + number: page.wait_for_timeout(10) or len(completions(endpoint)) > wanted)
        assert f'"temperature": 0.{number + 1}'.encode() in completions(endpoint)[-1]


def test_an_answer_begins_before_the_page_is_drawn(fresh_page: Page, quick: tuple[str, Endpoint]) -> None:
    page = fresh_page
    held_back = HeldBack(page)
    held_back.holds = False
    open_playground(page, quick[0])
    answer, without_answer = page.locator(".st-key-answer"), "The answer appears here"
    expect(answer).to_contain_text(without_answer)
    held_back.holds = True
    prompt(page).fill("Before.")
    prompt(page).press("Control+Enter")
    expect(answer.locator(".live-text")).to_have_text("Yes.")
    expect(answer).to_contain_text(without_answer)
    held_back.let_through()
    expect(answer).not_to_contain_text(without_answer)
    expect(answer.locator(".live-text")).to_have_text("Yes.")


@pytest.mark.parametrize("path", ["/", "/compare"])
def test_escape_before_the_stop_button_is_enabled_stops_the_run(
    fresh_page: Page, scripted: Scripted, path: str
) -> None:
    page = fresh_page
    scripted.source.begin("It")
    page.goto(scripted.address + path)
    prompt(page).fill("Stop at once.")
    expect(page.locator(".st-key-run button")).to_be_enabled()
    prompt(page).press("Control+Enter")
    page.keyboard.press("Escape")
    status = page.locator(":is(.st-key-run_status, [class*=st-key-lane_run_status_])").first
    expect(status).to_contain_text("cancelled")


@pytest.mark.parametrize("title", ["Runs", "Compare"])
def test_a_press_right_after_a_link_counts_and_so_does_the_link(
    fresh_page: Page, quick: tuple[str, Endpoint], title: str
) -> None:
    page = fresh_page
    app, endpoint = quick
    held_back = HeldBack(page, re.compile(b""))
    for waits_ms in (0, 500):  # the script of the other page is about to begin, and has ended
        held_back.let_through()
        open_playground(page, app)
        settled(page)
        before = len(completions(endpoint))
        held_back.holds = True
        page.evaluate(
            """([title, waitsMs]) => {
              const links = [...document.querySelectorAll("a")];
              links.find((element) => element.textContent.includes(title)).click();
              setTimeout(() => document.querySelector(".st-key-run button").click(), waitsMs);
            }""",
            [title, waits_ms],
        )
        wait_for(lambda wanted=before + 1: page.wait_for_timeout(10) or len(completions(endpoint)) == wanted)
        held_back.let_through()
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        page.wait_for_timeout(500)
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        page.get_by_role("link", name="Playground").first.click()
        expect(page.locator(".st-key-answer .live-text")).to_have_text("Yes.")


def test_a_press_that_travels_while_its_page_forgets_elements_is_handled(
    fresh_page: Page, quick: tuple[str, Endpoint]
) -> None:
    # The browser forgets elements that three scripts in a row did not draw.
    page = fresh_page
    network = HeldBack(page, re.compile(b""))
    network.holds = False
    open_playground(page, quick[0])
    page.locator(".st-key-run button").click()
    answer = page.locator(".st-key-answer .live-text")
    expect(answer).to_have_text("Yes.")
    views = {name: page.get_by_role("radio", name=name, exact=True) for name in ("Answer", "Request", "Events")}
    page.wait_for_timeout(200)
    settled(page)
    views["Request"].click()
    page.wait_for_timeout(200)
    settled(page)
    network.holds = True
    views["Events"].click()
    page.wait_for_timeout(500)  # until its script has ended
    network.holds_presses = True
    views["Answer"].click()
    page.wait_for_timeout(100)
    network.let_through()
    expect(answer).to_have_count(0)
    page.wait_for_timeout(200)
    network.let_presses_through()
    expect(answer).to_have_text("Yes.")


def test_a_press_counts_for_a_button_that_a_growing_answer_moves_away(page: Page, quick: tuple[str, Endpoint]) -> None:
    app, _ = quick
    page.goto(f"{app}/compare")
    page.locator(".st-key-run button").click()
    answer = page.locator("[class*=st-key-lane_answer_] .live-text").first
    expect(answer).to_have_attribute("aria-busy", "false")
    settings, numbers = page.get_by_role("radio", name="Settings"), page.get_by_role("radio", name="Numbers")
    expect(page.locator('[data-testid="stVegaLiteChart"]')).to_be_visible()
    settings.hover()
    page.mouse.down()
    answer.evaluate("element => element.style.paddingTop = '100px'")
    page.mouse.up()
    expect(page.get_by_text("Settings that are equal in all lanes are not shown.")).to_be_visible()
    # A press that the pointer leaves does not count, even if its button moves.
    numbers.hover()
    page.mouse.down()
    answer.evaluate("element => element.style.paddingTop = '0'")
    page.mouse.move(5, 5)
    page.mouse.up()
    expect(settings).to_be_checked()
    numbers.click()
    expect(numbers).to_be_checked()
