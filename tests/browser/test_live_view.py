"""The live view as a person sees it: it follows, can be copied while it streams, is heard, replays, falls back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocket, WebSocketRoute, expect

from tests.browser.pages import open_playground
from tests.browser.source import Source
from tests.waiting import wait_for

FALLBACK = "Drawn without the live connection"


def start(page: Page, app: str, source: Source) -> None:
    """Open the playground and run."""
    source.begin()
    open_playground(page, app)
    page.locator(".st-key-run button").first.click()
    expect(page.locator(".st-key-run_status")).to_contain_text("Waiting for the first token")


def text(page: Page) -> str:
    return page.locator(".st-key-answer .live-text").inner_text()


def end(page: Page, source: Source) -> None:
    source.finish()
    expect(page.locator(".st-key-run_status")).to_contain_text("cut at max_tokens")
    expect(page.locator(".st-key-answer_actions")).to_contain_text("Replay")


def test_markdown_is_drawn_as_it_grows_and_plain_text_to_the_character(
    page: Page, live_app: str, source: Source
) -> None:
    start(page, live_app, source)
    source.send("# Head\n\nSome **bo")
    expect(page.locator(".st-key-answer .live-text h1")).to_have_text("Head")
    wait_for(lambda: "Some **bo" in text(page))
    source.send("ld** words & <b>tags</b> ![picture](http://127.0.0.1:9/x.png)\n\n```python\nx = 1\n")
    expect(page.locator(".st-key-answer .live-text strong")).to_have_text("bold")
    expect(page.locator(".st-key-answer .live-text pre")).to_have_text("x = 1")
    assert page.locator(".st-key-answer .live-text :is(img, b)").count() == 0
    source.send("```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n$x^2$ costs $5\n")
    expect(page.locator(".st-key-answer .live-text table td").last).to_have_text("2")
    expect(page.locator(".st-key-answer .live-text math")).to_have_count(1)
    expect(page.locator(".st-key-answer .live-text pre span").first).to_be_visible()
    page.locator(".st-key-answer_actions").get_by_text("Raw").click()
    wait_for(lambda: page.locator(".st-key-answer .live-text").text_content() == source.text)
    source.send(" and more\r\n  with  spaces\t")
    wait_for(lambda: page.locator(".st-key-answer .live-text").text_content() == source.text)
    end(page, source)
    assert page.locator(".st-key-answer .live-text").text_content() == source.text
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".copy-answer").click()
    wait_for(
        lambda: (
            page.evaluate("navigator.clipboard.readText()").replace("\r\n", "\n") == source.text.replace("\r\n", "\n")
        )
    )


def settled(look: Callable[[], float]) -> float:
    """The value once it has stayed the same for a moment."""
    values = [look(), None]
    while values[-1] != values[-2]:
        time.sleep(0.2)
        values.append(look())
    return values[-1]


def test_the_view_follows_until_the_reader_scrolls_up_and_comes_back_by_a_button(
    page: Page, live_app: str, source: Source
) -> None:
    start(page, live_app, source)
    paragraph = "A line of words that fills some of the page.\n\n"
    at_end = "() => document.querySelector('.st-key-answer .live-text').getBoundingClientRect().bottom <= innerHeight"
    source.send(*[paragraph] * 40)
    wait_for(lambda: page.locator(".st-key-answer .live-text p").count() == 40)
    wait_for(lambda: page.evaluate(at_end))
    expect(page.locator(".st-key-answer .live-to-end")).to_be_hidden()
    page.locator(".st-key-answer").hover()
    page.mouse.wheel(0, -300)
    expect(page.locator(".st-key-answer .live-to-end")).to_be_visible()
    # What is read stays in its place: the browser makes up for what grows above it, such as the line of numbers.
    top = "() => document.querySelectorAll('.st-key-answer .live-text p')[30].getBoundingClientRect().top"
    before = settled(lambda: page.evaluate(top))
    source.send(*[paragraph] * 40)
    wait_for(lambda: page.locator(".st-key-answer .live-text p").count() == 80)
    time.sleep(0.1)
    assert abs(page.evaluate(top) - before) < 1  # it does so in whole pixels
    page.locator(".st-key-answer .live-to-end").click()
    assert page.evaluate(at_end)
    source.send(*[paragraph] * 20)
    wait_for(lambda: page.locator(".st-key-answer .live-text p").count() == 100)
    wait_for(lambda: page.evaluate(at_end))
    page.mouse.wheel(0, -300)
    expect(page.locator(".st-key-answer .live-to-end")).to_be_visible()
    page.mouse.wheel(0, 2_000)
    expect(page.locator(".st-key-answer .live-to-end")).to_be_hidden()
    end(page, source)


def test_a_selection_stays_and_code_can_be_copied_while_it_streams(page: Page, live_app: str, source: Source) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    start(page, live_app, source)
    source.send("First words of a paragraph")
    wait_for(lambda: "paragraph" in text(page))
    page.locator(".st-key-answer .live-text p").first.select_text()
    selected = "() => getSelection().toString()"
    assert page.evaluate(selected) == "First words of a paragraph"
    source.send(" that goes on", " and on.\n\n", "```\ncode to copy\n")
    expect(page.locator(".st-key-answer .live-text pre")).to_have_text("code to copy")
    assert page.evaluate(selected).startswith("First words of a paragraph")
    page.locator(".st-key-answer .live-text .code").hover()
    page.locator(".st-key-answer .live-text .copy").click()
    wait_for(lambda: page.evaluate("navigator.clipboard.readText()").strip() == "code to copy")
    end(page, source)


def test_a_screen_reader_hears_the_beginning_and_the_end_and_no_token(
    page: Page, live_app: str, source: Source
) -> None:
    start(page, live_app, source)
    spoken = page.locator(".st-key-answer [aria-live=polite]")
    answer = page.locator(".st-key-answer .live-text")
    expect(answer).to_have_attribute("aria-busy", "true")
    source.send("Some words")
    expect(spoken).to_have_text("Answer started")
    source.send(" and more words")
    wait_for(lambda: "more words" in text(page))
    assert spoken.text_content() == "Answer started"
    end(page, source)
    expect(spoken).to_have_text("Answer finished, 214 tokens, cut at max_tokens (the model's own)")
    expect(answer).to_have_attribute("aria-busy", "false")
    page.reload()
    wait_for(lambda: "more words" in text(page))
    assert spoken.text_content() == ""


def test_a_replay_plays_without_the_server_at_several_speeds_and_steps(
    page: Page, live_app: str, source: Source
) -> None:
    frames: list[str | bytes] = []

    def listen(socket: WebSocket) -> None:
        if socket.url.endswith("/live"):
            socket.on("framereceived", lambda frame: frames.append(frame))
            socket.on("framesent", lambda frame: frames.append(frame))

    page.on("websocket", listen)
    start(page, live_app, source)
    for number in range(30):
        source.send(f" word{number}")
        time.sleep(0.02)
    end(page, source)
    page.locator(".st-key-answer_actions").get_by_text("Replay").click()
    expect(page.locator(".live-words")).to_contain_text("of 32")
    frames.clear()
    player = page.locator(".live-player")
    play = player.locator(".live-play")
    expect(play).to_have_attribute("aria-label", "Play")
    assert text(page).split() == [f"word{number}" for number in range(30)]
    player.locator(".live-place").fill("0")
    wait_for(lambda: text(page) == "")
    for shown in (["word0"], ["word0", "word1"]):
        player.get_by_text("Next token").click()
        wait_for(lambda shown=shown: text(page).split() == shown)
    expect(page.locator(".live-words")).to_have_text(re.compile(r"event 2 of 32 · \d\.\d\d s · gap \d+\.\d ms"))

    player.locator(".live-place").fill("0")
    play.click()
    wait_for(lambda: "word29" in text(page))
    expect(play).to_have_attribute("aria-label", "Play")
    player.locator(".live-pace").click()
    player.locator(".live-pace").click()
    assert player.locator(".live-pace").inner_text() == "4×"
    strip = player.locator(".live-strip")
    box = strip.bounding_box()
    strip.hover(position={"x": box["width"] / 2, "y": 10})
    expect(page.locator(".live-words")).to_have_text(re.compile(r"event ([1-9]|[12]\d) of 32"))
    under = int(page.locator(".live-words").inner_text().split()[1])
    strip.click(position={"x": box["width"] / 2, "y": 10})
    wait_for(lambda: len(text(page).split()) == under)
    page.remove_listener("websocket", listen)
    assert frames == []


def refuse(page: Page) -> None:
    page.route_web_socket(re.compile("/live$"), lambda socket: socket.close())


def say_nothing(page: Page) -> None:
    page.route_web_socket(re.compile("/live$"), lambda socket: None)


def let_only_streamlit_pass(page: Page) -> None:
    page.route(re.compile("/live/"), lambda route: route.abort())


def test_without_its_socket_the_other_view_draws_the_answer_and_says_so(
    fresh_page: Page, live_app: str, source: Source
) -> None:
    page = fresh_page
    for hinder in (refuse, say_nothing, let_only_streamlit_pass):  # what is told a tab last comes first
        hinder(page)
        source.begin()
        open_playground(page, live_app)
        source.send("Words **in** the other view")
        page.locator(".st-key-run button").first.click()
        expect(page.get_by_text(FALLBACK)).to_be_visible()
        expect(page.locator(".st-key-answer")).to_contain_text("Words in the other view")
        source.send(" go on")
        expect(page.locator(".st-key-answer")).to_contain_text("Words in the other view go on")
        source.finish()
        expect(page.locator(".st-key-run_status")).to_contain_text("cut at max_tokens")
        assert page.get_by_text("Replay").count() == 0


def test_a_cut_connection_is_taken_up_again_where_it_was(fresh_page: Page, live_app: str, source: Source) -> None:
    page = fresh_page
    routes: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        routes.append(socket)
        server = socket.connect_to_server()
        socket.on_message(lambda message: server.send(message))
        server.on_message(lambda message: socket.send(message))

    page.route_web_socket(re.compile("/live$"), through)
    start(page, live_app, source)
    for number in range(10):
        source.send(f"Paragraph {number}.\n\n")
        wait_for(lambda number=number: f"Paragraph {number}." in text(page))
        if number % 3 == 2:
            count = len(routes)
            routes[-1].close()
            # The test's own hand in the connection moves only while the browser is asked something.
            wait_for(lambda count=count: page.evaluate("1") and len(routes) > count)
    end(page, source)
    assert text(page).split("\n\n") == [f"Paragraph {number}." for number in range(10)]
    expect(page.get_by_text(FALLBACK)).to_have_count(0)


def test_widgets_answer_while_text_streams_and_the_answer_stays_where_it_stands(
    page: Page, live_app: str, source: Source
) -> None:
    source.begin(growing=True)
    open_playground(page, live_app)
    page.locator(".st-key-run button").first.click()
    wait_for(lambda: "word5" in text(page))
    page.evaluate("window.kept = document.querySelector('.st-key-answer .live-text')")
    page.locator(".st-key-stream label").click()
    expect(page.locator(".st-key-answer")).to_have_css("opacity", "0.55")
    assert page.evaluate("window.kept.isConnected")
    page.get_by_role("radio", name="Request").click()
    expect(page.locator(".st-key-preview").first).to_be_visible()
    page.get_by_role("radio", name="Answer").click()
    further = f"word{len(source.pieces)} "
    wait_for(lambda: further in text(page))
    end(page, source)
    wait_for(lambda: text(page).split() == source.text.split())


def test_what_is_still_on_its_way_of_an_old_run_does_not_reach_the_new_one(
    fresh_page: Page, live_app: str, source: Source
) -> None:
    page = fresh_page
    late: list[tuple[float, WebSocketRoute, str | bytes]] = []

    def through(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        socket.on_message(lambda message: server.send(message))
        server.on_message(lambda message: late.append((time.monotonic() + 0.3, socket, message)))

    def let_through() -> bool:
        while late and late[0][0] < time.monotonic():
            _, socket, message = late.pop(0)
            socket.send(message)
        page.wait_for_timeout(5)
        return True

    page.route_web_socket(re.compile("/live$"), through)
    source.begin()
    page.goto(live_app)
    page.locator(".st-key-run button").first.click()
    source.send(*[f"OLD{number}\n\n" for number in range(30)])
    wait_for(lambda: let_through() and "OLD29" in text(page))
    prompt = page.locator(".st-key-messages textarea").first
    source.send(*[f"OLD{number}\n\n" for number in range(30, 60)])
    prompt.fill("Something else")
    source.begin()
    prompt.press("Control+Enter")
    wait_for(lambda: let_through() and "OLD" not in text(page))
    source.send("NEW answer")
    wait_for(lambda: let_through() and "NEW answer" in text(page))
    assert text(page).strip() == "NEW answer"
    source.finish()
    wait_for(lambda: let_through() and page.locator(".st-key-run_status", has_text="cut at max_tokens").count())


@pytest.mark.clock
def test_a_replay_at_four_times_the_pace_takes_a_quarter_of_the_time(page: Page, live_app: str, source: Source) -> None:
    start(page, live_app, source)
    for number in range(20):
        source.send(f" word{number}")
        time.sleep(0.1)
    end(page, source)
    page.locator(".st-key-answer_actions").get_by_text("Replay").click()
    expect(page.locator(".live-words")).to_contain_text("of 22")
    player = page.locator(".live-player")
    play = player.locator(".live-play")

    def seconds_to_play() -> float:
        expect(play).to_have_attribute("aria-label", "Play")
        player.locator(".live-place").fill("0")
        began = time.monotonic()
        play.click()
        wait_for(lambda: "word19" in text(page))
        return time.monotonic() - began

    true_speed = seconds_to_play()
    player.locator(".live-pace").click()
    player.locator(".live-pace").click()
    assert seconds_to_play() < true_speed / 2
