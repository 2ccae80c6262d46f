"""The live view in Chromium: following, copying, screen readers, replay and fallback."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, WebSocket, WebSocketRoute, expect

from tests.browser.conftest import Scripted
from tests.browser.pages import open_playground
from tests.browser.source import Source
from tests.waiting import wait_for

FALLBACK = "Drawn without the live connection"


@pytest.fixture(scope="module")
def frames() -> list[str | bytes]:
    """The frames of the live socket of the shared tab."""
    return []


@pytest.fixture(scope="module")
def tab(context: BrowserContext, scripted_app: Scripted, frames: list[str | bytes]) -> Iterator[Page]:
    """The playground in a tab shared by most tests, each of which starts a run."""

    def listen(socket: WebSocket) -> None:
        if socket.url.endswith("/live"):
            socket.on("framereceived", lambda frame: frames.append(frame))
            socket.on("framesent", lambda frame: frames.append(frame))

    context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    tab.on("websocket", listen)
    open_playground(tab, scripted_app.address)
    yield tab
    tab.close()
    context.clear_permissions()


def start(page: Page, source: Source) -> None:
    source.begin()
    page.locator(".st-key-run button").first.click()
    expect(page.locator(".st-key-run_status")).to_contain_text("Waiting for the first token")


def text(page: Page) -> str:
    return page.locator(".st-key-answer .live-text").inner_text()


def end(page: Page, source: Source) -> None:
    source.finish()
    expect(page.locator(".st-key-run_status")).to_contain_text("cut at max_tokens")
    expect(page.locator(".st-key-answer_actions")).to_contain_text("Replay")


def test_markdown_is_drawn_as_it_grows_and_plain_text_exactly(tab: Page, source: Source) -> None:
    start(tab, source)
    source.send("# Head\n\nSome **bo")
    expect(tab.locator(".st-key-answer .live-text h1")).to_have_text("Head")
    wait_for(lambda: "Some **bo" in text(tab))
    source.send("ld** words & <b>tags</b> ![picture](http://127.0.0.1:9/x.png)\n\n```python\nx = 1\n")
    expect(tab.locator(".st-key-answer .live-text strong")).to_have_text("bold")
    expect(tab.locator(".st-key-answer .live-text pre")).to_have_text("x = 1")
    assert tab.locator(".st-key-answer .live-text :is(img, b)").count() == 0
    source.send("```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n$x^2$ costs $5\n")
    expect(tab.locator(".st-key-answer .live-text table td").last).to_have_text("2")
    expect(tab.locator(".st-key-answer .live-text math")).to_have_count(1)
    expect(tab.locator(".st-key-answer .live-text pre span").first).to_be_visible()
    tab.locator(".st-key-answer_actions").get_by_text("Raw").click()
    wait_for(lambda: tab.locator(".st-key-answer .live-text").text_content() == source.text)
    source.send(" and more\r\n  with  spaces\t")
    wait_for(lambda: tab.locator(".st-key-answer .live-text").text_content() == source.text)
    end(tab, source)
    assert tab.locator(".st-key-answer .live-text").text_content() == source.text
    tab.locator(".copy-answer").click()
    wait_for(
        lambda: (
            tab.evaluate("navigator.clipboard.readText()").replace("\r\n", "\n") == source.text.replace("\r\n", "\n")
        )
    )
    tab.locator(".st-key-answer_actions").get_by_text("Raw").click()
    expect(tab.locator(".st-key-answer .live-text strong")).to_have_text("bold")


def settled(look: Callable[[], float]) -> float:
    """The value once it is stable."""
    values = [look(), None]
    while values[-1] != values[-2]:
        time.sleep(0.2)
        values.append(look())
    return values[-1]


def test_the_view_follows_until_the_reader_scrolls_up_and_a_button_returns_to_the_end(
    tab: Page, source: Source
) -> None:
    start(tab, source)
    paragraph = "A line of words that fills some of the tab.\n\n"
    at_end = "() => document.querySelector('.st-key-answer .live-text').getBoundingClientRect().bottom <= innerHeight"
    source.send(*[paragraph] * 40)
    wait_for(lambda: tab.locator(".st-key-answer .live-text p").count() == 40)
    wait_for(lambda: tab.evaluate(at_end))
    expect(tab.locator(".st-key-answer .live-to-end")).to_be_hidden()
    tab.locator(".st-key-answer").hover()
    tab.mouse.wheel(0, -300)
    expect(tab.locator(".st-key-answer .live-to-end")).to_be_visible()
    # The visible text stays in place: the browser compensates for growth above it, such as the line of numbers.
    top = "() => document.querySelectorAll('.st-key-answer .live-text p')[30].getBoundingClientRect().top"
    before = settled(lambda: tab.evaluate(top))
    source.send(*[paragraph] * 40)
    wait_for(lambda: tab.locator(".st-key-answer .live-text p").count() == 80)
    time.sleep(0.1)
    assert abs(tab.evaluate(top) - before) < 1  # in whole pixels
    tab.locator(".st-key-answer .live-to-end").click()
    assert tab.evaluate(at_end)
    source.send(*[paragraph] * 20)
    wait_for(lambda: tab.locator(".st-key-answer .live-text p").count() == 100)
    wait_for(lambda: tab.evaluate(at_end))
    tab.mouse.wheel(0, -300)
    expect(tab.locator(".st-key-answer .live-to-end")).to_be_visible()
    tab.mouse.wheel(0, 2_000)
    expect(tab.locator(".st-key-answer .live-to-end")).to_be_hidden()
    end(tab, source)


def test_a_selection_stays_and_code_can_be_copied_while_it_streams(tab: Page, source: Source) -> None:
    start(tab, source)
    source.send("First words of a paragraph")
    wait_for(lambda: "paragraph" in text(tab))
    tab.locator(".st-key-answer .live-text p").first.select_text()
    selected = "() => getSelection().toString()"
    assert tab.evaluate(selected) == "First words of a paragraph"
    source.send(" that goes on", " and on.\n\n", "```\ncode to copy\n")
    expect(tab.locator(".st-key-answer .live-text pre")).to_have_text("code to copy")
    assert tab.evaluate(selected).startswith("First words of a paragraph")
    tab.locator(".st-key-answer .live-text .code").hover()
    tab.locator(".st-key-answer .live-text .copy").click()
    wait_for(lambda: tab.evaluate("navigator.clipboard.readText()").strip() == "code to copy")
    end(tab, source)


def test_a_screen_reader_hears_the_beginning_and_the_end_and_no_token(tab: Page, source: Source) -> None:
    start(tab, source)
    spoken = tab.locator(".st-key-answer [aria-live=polite]")
    answer = tab.locator(".st-key-answer .live-text")
    expect(answer).to_have_attribute("aria-busy", "true")
    source.send("Some words")
    expect(spoken).to_have_text("Answer started")
    source.send(" and more words")
    wait_for(lambda: "more words" in text(tab))
    assert spoken.text_content() == "Answer started"
    end(tab, source)
    expect(spoken).to_have_text("Answer finished, 214 tokens, cut at max_tokens (the model's own)")
    expect(answer).to_have_attribute("aria-busy", "false")
    tab.reload()
    wait_for(lambda: "more words" in text(tab))
    assert spoken.text_content() == ""


def seconds_to_play(tab: Page, last_word: str) -> float:
    """The seconds of the replay from its beginning to that word, measured in the page."""
    expect(tab.locator(".live-play")).to_have_attribute("aria-label", "Play")
    tab.locator(".live-place").fill("0")
    wait_for(lambda: text(tab) == "")
    seconds: float = tab.evaluate(
        """word => new Promise((over) => {
            const text = document.querySelector(".st-key-answer .live-text"), began = performance.now();
            new MutationObserver((_changes, observer) => {
                if (!text.textContent.includes(word)) return;
                observer.disconnect();
                over((performance.now() - began) / 1000);
            }).observe(text, { subtree: true, childList: true, characterData: true });
            document.querySelector(".live-play").click();
        })""",
        last_word,
    )
    return seconds


def test_a_replay_plays_without_the_server_at_several_speeds_and_steps(
    tab: Page, source: Source, frames: list[str | bytes]
) -> None:
    start(tab, source)
    for number in range(20):
        source.send(f" word{number}")
        time.sleep(0.05)
        # Events read from the socket at once are one step of a replay.
        wait_for(lambda number=number: f"word{number}" in text(tab))
    end(tab, source)
    tab.locator(".st-key-answer_actions").get_by_text("Replay").click()
    expect(tab.locator(".live-words")).to_contain_text("of 22")
    assert frames
    frames.clear()
    player = tab.locator(".live-player")
    play = player.locator(".live-play")
    expect(play).to_have_attribute("aria-label", "Play")
    assert text(tab).split() == [f"word{number}" for number in range(20)]
    player.locator(".live-place").fill("0")
    wait_for(lambda: text(tab) == "")
    for shown in (["word0"], ["word0", "word1"]):
        player.get_by_text("Next token").click()
        wait_for(lambda shown=shown: text(tab).split() == shown)
    expect(tab.locator(".live-words")).to_have_text(re.compile(r"event 2 of 22 · \d\.\d\d s · gap \d+\.\d ms"))

    at_true_speed = seconds_to_play(tab, "word19")
    expect(play).to_have_attribute("aria-label", "Play")
    player.locator(".live-pace").click()
    player.locator(".live-pace").click()
    assert player.locator(".live-pace").inner_text() == "4×"
    assert seconds_to_play(tab, "word19") < at_true_speed / 2
    strip = player.locator(".live-strip")
    box = strip.bounding_box()
    strip.hover(position={"x": box["width"] / 2, "y": 10})
    expect(tab.locator(".live-words")).to_have_text(re.compile(r"event ([1-9]|1\d|20) of 22"))
    under = int(tab.locator(".live-words").inner_text().split()[1])
    strip.click(position={"x": box["width"] / 2, "y": 10})
    wait_for(lambda: len(text(tab).split()) == under)
    assert frames == []


def test_widgets_respond_while_text_streams_and_the_answer_stays_in_place(tab: Page, source: Source) -> None:
    source.begin(growing=True)
    tab.locator(".st-key-run button").first.click()
    wait_for(lambda: "word5" in text(tab))
    tab.evaluate("window.kept = document.querySelector('.st-key-answer .live-text')")
    tab.locator(".st-key-stream label").click()
    expect(tab.locator(".st-key-answer")).to_have_css("opacity", "0.55")
    assert tab.evaluate("window.kept.isConnected")
    tab.get_by_role("radio", name="Request").click()
    expect(tab.locator(".st-key-preview").first).to_be_visible()
    tab.get_by_role("radio", name="Answer").click()
    further = f"word{len(source.pieces)} "
    wait_for(lambda: further in text(tab))
    end(tab, source)
    wait_for(lambda: text(tab).split() == source.text.split())
    tab.locator(".st-key-stream label").click()
    expect(tab.locator(".st-key-answer")).to_have_css("opacity", "1")


def silence_socket(page: Page) -> None:
    page.route_web_socket(re.compile("/live$"), lambda socket: None)


def let_only_streamlit_pass(page: Page) -> None:
    page.route(re.compile("/live/"), lambda route: route.abort())


def test_without_its_socket_the_fallback_view_draws_each_answer_with_a_note(
    fresh_page: Page, live_app: str, source: Source
) -> None:
    # A refused socket behaves like a silent one; test_hostile has one.
    page = fresh_page
    silence_socket(page)
    source.begin()
    open_playground(page, live_app)
    source.send("Words **in** the other view")
    page.locator(".st-key-run button").first.click()
    expect(page.get_by_text(FALLBACK)).to_be_visible()
    expect(page.locator(".st-key-answer")).to_contain_text("Words in the other view")
    source.send(" go on")
    expect(page.locator(".st-key-answer")).to_contain_text("Words in the other view go on")
    expect(page.locator(".st-key-answer .live-text")).to_have_attribute("aria-busy", "true")
    source.finish()
    expect(page.locator(".st-key-run_status")).to_contain_text("cut at max_tokens")
    expect(page.locator(".st-key-answer .live-text")).to_have_attribute("aria-busy", "false")
    assert page.get_by_text("Replay").count() == 0

    let_only_streamlit_pass(page)
    source.begin("Words **in** a lane")
    page.goto(f"{live_app}/compare")
    page.locator(".st-key-run button").first.click()
    expect(page.get_by_text(FALLBACK)).to_have_count(1)
    answers = page.locator("[class*=st-key-lane_answer_] .live-text")
    expect(answers).to_have_text(["Words in a lane"] * 2)
    source.send(" go on")
    expect(answers).to_have_text(["Words in a lane go on"] * 2)
    page.locator(".st-key-stop_all button").first.click()
    for lane in (1, 2):
        expect(page.locator(f".st-key-lane_run_status_{lane}")).to_contain_text("cancelled")


class LiveConnection:
    """The live connection of a tab; a test can cut it and hold back messages of the server."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.routes: list[WebSocketRoute] = []
        self.delay_s = 0.0
        self._late: list[tuple[float, WebSocketRoute, str | bytes]] = []
        page.route_web_socket(re.compile("/live$"), self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        self.routes.append(socket)
        server = socket.connect_to_server()
        socket.on_message(server.send)
        server.on_message(lambda message: self._late.append((time.monotonic() + self.delay_s, socket, message)))

    def wait_for(self, look: Callable[[], object]) -> None:
        """Like ``wait_for``; Playwright handles the connection only during calls to the browser."""

        def let_through() -> object:
            while self._late and self._late[0][0] < time.monotonic():
                _, socket, message = self._late.pop(0)
                if socket is self.routes[-1]:
                    socket.send(message)
            self.page.wait_for_timeout(5)
            return look()

        wait_for(let_through)


def test_a_connection_that_answers_late_still_carries_the_answer(
    fresh_page: Page, live_app: str, source: Source
) -> None:
    page = fresh_page
    wire = LiveConnection(page)
    wire.delay_s = 2.5
    source.begin("Late words")
    open_playground(page, live_app)
    page.locator(".st-key-run button").first.click()
    wire.wait_for(lambda: text(page) == "Late words")
    expect(page.get_by_text(FALLBACK)).to_have_count(0)


def test_a_lost_connection_is_reopened_and_late_frames_do_not_reach_the_next_run(
    fresh_page: Page, live_app: str, source: Source
) -> None:
    page = fresh_page
    wire = LiveConnection(page)
    source.begin()
    open_playground(page, live_app)
    page.locator(".st-key-run button").first.click()
    for number in range(10):
        source.send(f"Paragraph {number}.\n\n")
        wire.wait_for(lambda number=number: f"Paragraph {number}." in text(page))
        if number % 3 == 2:
            count = len(wire.routes)
            wire.routes[-1].close()
            wire.wait_for(lambda count=count: len(wire.routes) > count)
    wire.wait_for(lambda: text(page).split("\n\n") == [f"Paragraph {number}." for number in range(10)])
    expect(page.get_by_text(FALLBACK)).to_have_count(0)

    wire.delay_s = 0.3
    source.send(*[f"OLD{number}\n\n" for number in range(30)])
    wire.wait_for(lambda: "OLD29" in text(page))
    prompt = page.locator(".st-key-messages textarea").first
    source.send(*[f"OLD{number}\n\n" for number in range(30, 60)])
    prompt.fill("Something else")
    source.begin()
    prompt.press("Control+Enter")
    wire.wait_for(lambda: "OLD" not in text(page))
    source.send("NEW answer")
    wire.wait_for(lambda: "NEW answer" in text(page))
    assert text(page).strip() == "NEW answer"
    source.finish()
    wire.wait_for(lambda: page.locator(".st-key-run_status", has_text="cut at max_tokens").count())
