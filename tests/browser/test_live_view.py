"""The live view as a person sees it: it follows, can be copied while it streams, is heard, replays, falls back."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, WebSocket, WebSocketRoute, expect

from tests.browser.conftest import serve_app
from tests.streaming.endpoint import DONE, chunk, document, head, serve
from tests.waiting import wait_for

USAGE = {"prompt_tokens": 9, "completion_tokens": 214, "total_tokens": 223}
FALLBACK = "Drawn without the live connection"


class Source:
    """An endpoint whose pieces the test lets go, one after the other."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._sent = 0
        self._more = threading.Condition()
        self._over = False
        self._turn = 0

    def begin(self) -> None:
        """Whatever is still being played for an earlier test is over."""
        with self._more:
            self.pieces, self._sent, self._over = [], 0, False
            self._turn += 1
            self._more.notify_all()

    def send(self, *pieces: str) -> None:
        with self._more:
            self.pieces.extend(pieces)
            self._more.notify_all()

    def finish(self) -> None:
        with self._more:
            self._over = True
            self._more.notify_all()

    def play(self, connection, request: bytes) -> None:
        if request.startswith(b"GET"):
            connection.sendall(document({"data": [{"id": "m"}]}))
            return
        connection.sendall(head())
        turn = self._turn
        while True:
            with self._more:
                self._more.wait_for(lambda: turn != self._turn or self._over or self._sent < len(self.pieces), 60)
                if turn != self._turn:
                    return
                ready = self.pieces[self._sent :]
                self._sent += len(ready)
                over = self._over and not ready
            for piece in ready:
                connection.sendall(chunk(piece))
            if over:
                break
        connection.sendall(chunk("", "length", usage=USAGE) + DONE)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@pytest.fixture(scope="module")
def source() -> Source:
    return Source()


@pytest.fixture(scope="module")
def live_app(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with (
        serve(source.play) as server,
        serve_app(tmp_path_factory.mktemp("live"), TEMPERA_BASE_URL=server.base_url) as app,
    ):
        yield app
        source.begin()  # or what a test that failed has left would be played for ever


def start(page: Page, app: str, source: Source) -> None:
    """Open the playground and run."""
    source.begin()
    page.goto(app)
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
    page.locator(".st-key-answer_actions").get_by_text("As written").click()
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


def test_a_field_changed_while_it_streams_leaves_the_answer_where_it_stands(
    page: Page, live_app: str, source: Source
) -> None:
    start(page, live_app, source)
    source.send("Some words")
    wait_for(lambda: text(page) == "Some words")
    page.evaluate("window.kept = document.querySelector('.st-key-answer .live-text')")
    page.locator(".st-key-stream label").click()
    expect(page.locator(".st-key-answer")).to_have_css("opacity", "0.55")
    assert page.evaluate("window.kept.isConnected")
    end(page, source)
    assert page.evaluate("window.kept.isConnected")


HOSTILE = [
    "<script>window.__xss = 1</script>",
    '<img src=x onerror="window.__xss = 1">',
    "<svg onload=window.__xss=1><style>*{display:none}</style></svg>",
    "[click](javascript:window.__xss=1) [data](data:text/html,<script>window.__xss=1</script>)",
    "![leak](http://127.0.0.1:9/leak) ![ref][r]\n\n[r]: http://127.0.0.1:9/leak",
    "```\n</code></pre><script>window.__xss = 1</script>\n```",
    '```"><img src=x onerror=window.__xss=1>\ncode\n```',
    "$\\href{javascript:window.__xss=1}{x}$ $\\text{<img src=x onerror=window.__xss=1>}$",
    "| <iframe srcdoc='<script>top.__xss=1</script>'> |\n|---|\n| <a href=//e.org onclick=window.__xss=1>x</a> |",
    'https://e.org/"onmouseover="window.__xss=1 <https://e.org/<script>window.__xss=1</script>>',
]


def test_nothing_that_a_model_writes_runs_or_loads_at_any_piece_of_it(
    page: Page, live_app: str, source: Source
) -> None:
    foreign: list[str] = []
    own = (live_app, "data:", "blob:")
    page.on("request", lambda request: request.url.startswith(own) or foreign.append(request.url))
    page.on("dialog", lambda dialog: foreign.append(dialog.message))
    start(page, live_app, source)
    for text_ in HOSTILE:
        source.send(*(text_[at : at + 7] for at in range(0, len(text_), 7)), "\n\n")
        time.sleep(0.1)
    source.send("The end of it")
    wait_for(lambda: "The end of it" in text(page))
    assert page.locator(".live-view").locator("img, script, iframe, svg, style, object, form").count() == 0
    for link in page.locator(".st-key-answer .live-text a").all():
        assert re.match("https?://|mailto:", link.get_attribute("href") or "")
    assert "<script>window.__xss = 1</script>" in text(page)
    end(page, source)
    assert page.evaluate("window.__xss") is None
    assert foreign == []


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
    top = "() => document.querySelector('.stMain').scrollTop"
    before = settled(lambda: page.evaluate(top))
    source.send(*[paragraph] * 40)
    wait_for(lambda: page.locator(".st-key-answer .live-text p").count() == 80)
    time.sleep(0.1)
    assert page.evaluate(top) == before
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
        time.sleep(0.05)
    end(page, source)
    page.locator(".st-key-answer_actions").get_by_text("Replay").click()
    expect(page.locator(".live-words")).to_contain_text("of 32")
    frames.clear()
    player = page.locator(".live-player")
    play = player.locator(".live-play")
    expect(play).to_have_attribute("aria-label", "Play", timeout=15_000)
    assert text(page).split() == [f"word{number}" for number in range(30)]
    player.locator(".live-place").fill("0")
    wait_for(lambda: text(page) == "")
    for shown in (["word0"], ["word0", "word1"]):
        player.get_by_text("Next token").click()
        wait_for(lambda shown=shown: text(page).split() == shown)
    expect(page.locator(".live-words")).to_have_text(re.compile(r"event 2 of 32 · \d\.\d\d s · gap \d+\.\d ms"))

    def seconds_to_play() -> float:
        player.locator(".live-place").fill("0")
        began = time.monotonic()
        play.click()
        wait_for(lambda: "word29" in text(page))
        return time.monotonic() - began

    true_speed = seconds_to_play()
    expect(play).to_have_attribute("aria-label", "Play")
    player.locator(".live-pace").click()
    player.locator(".live-pace").click()
    assert player.locator(".live-pace").inner_text() == "4×"
    assert seconds_to_play() < true_speed / 2
    strip = player.locator(".live-strip")
    box = strip.bounding_box()
    strip.hover(position={"x": box["width"] / 2, "y": 10})
    expect(page.locator(".live-words")).to_have_text(re.compile(r"event 1\d of 32"))
    strip.click(position={"x": box["width"] / 2, "y": 10})
    wait_for(lambda: 5 < len(text(page).split()) < 25)
    assert frames == []


def test_a_blocked_socket_brings_the_other_view_within_two_seconds_and_says_so(
    page: Page, live_app: str, source: Source
) -> None:
    def refuse(socket: WebSocketRoute) -> None:
        socket.close()

    page.route_web_socket(re.compile("/live$"), refuse)
    source.begin()
    page.goto(live_app)
    expect(page.get_by_text(FALLBACK)).to_have_count(0)
    page.locator(".st-key-run button").first.click()
    began = time.monotonic()
    source.send("Words **in** the other view")
    expect(page.get_by_text(FALLBACK)).to_be_visible(timeout=2_500)
    wait_for(lambda: "Words in the other view" in page.locator(".st-key-answer").inner_text())
    assert time.monotonic() - began < 3
    source.send(" go on")
    wait_for(lambda: "go on" in page.locator(".st-key-answer").inner_text())
    source.finish()
    expect(page.locator(".st-key-run_status")).to_contain_text("cut at max_tokens")
    assert "Words in the other view go on" in page.locator(".st-key-answer").inner_text()
    expect(page.get_by_text("Replay")).to_have_count(0)


def assert_the_other_view_draws(page: Page, app: str, source: Source) -> None:
    source.begin()
    page.goto(app)
    page.locator(".st-key-run button").first.click()
    source.send("Words")
    expect(page.get_by_text(FALLBACK)).to_be_visible(timeout=2_500)
    wait_for(lambda: "Words" in page.locator(".st-key-answer").inner_text())
    source.finish()
    expect(page.locator(".st-key-run_status")).to_contain_text("cut at max_tokens")


def test_a_silent_socket_brings_the_other_view_too(page: Page, live_app: str, source: Source) -> None:
    page.route_web_socket(re.compile("/live$"), lambda socket: None)
    assert_the_other_view_draws(page, live_app, source)


def test_a_proxy_that_passes_only_streamlits_own_addresses_brings_the_other_view(
    page: Page, live_app: str, source: Source
) -> None:
    page.route(re.compile("/live/"), lambda route: route.abort())
    assert_the_other_view_draws(page, live_app, source)


def test_a_cut_connection_is_taken_up_again_where_it_was(page: Page, live_app: str, source: Source) -> None:
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


def test_widgets_answer_while_text_streams(page: Page, live_app: str, source: Source) -> None:
    start(page, live_app, source)
    over = threading.Event()

    def feed() -> None:
        number = 0
        while not over.wait(0.01):
            source.send(f" word{number}")
            number += 1

    feeding = threading.Thread(target=feed)
    feeding.start()
    try:
        wait_for(lambda: "word20" in text(page))
        page.get_by_role("radio", name="Request").click()
        expect(page.locator(".st-key-preview").first).to_be_visible()
        page.get_by_role("radio", name="Answer").click()
        wait_for(lambda: "word60" in text(page))
    finally:
        over.set()
        feeding.join()
    end(page, source)
    wait_for(lambda: text(page).split() == source.text.split())


def test_what_is_still_on_its_way_of_an_old_run_does_not_reach_the_new_one(
    page: Page, live_app: str, source: Source
) -> None:
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
