"""Presses that come while the page is still being drawn, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import serve_app
from tests.streaming.endpoint import DONE, Endpoint, chunk, document, head, serve
from tests.waiting import wait_for

_RUN_BUTTON = re.compile(rb"[0-9a-f]{32}-run\b")
PATIENCE_MS = 20_000
"""The machine may be busy: its slowness is no fault of a page."""
ANSWER = head() + chunk("Yes.", "stop") + DONE


def completions(endpoint: Endpoint) -> list[bytes]:
    return [request for request in endpoint.requests if request.startswith(b"POST")]


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Endpoint]]:
    """The app on an endpoint that answers at once, and that endpoint."""
    models = document({"data": [{"id": "alpha"}]})
    with (
        serve(
            lambda connection, request: connection.sendall(models if request.startswith(b"GET") else ANSWER)
        ) as endpoint,
        serve_app(tmp_path_factory.mktemp("quick"), TEMPERA_BASE_URL=endpoint.base_url) as address,
    ):
        yield address, endpoint


class HeldBack:
    """What the server sends the page, held back from the message on that draws the Run button."""

    def __init__(self, page: Page) -> None:
        self.holds = True
        self._held: list[tuple[WebSocketRoute, str | bytes]] = []
        page.route_web_socket("**/_stcore/stream", self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        socket.on_message(server.send)

        def pass_on(message: str | bytes) -> None:
            if self.holds and (self._held or (isinstance(message, bytes) and _RUN_BUTTON.search(message))):
                self._held.append((socket, message))
            else:
                socket.send(message)

        server.on_message(pass_on)

    def let_through(self) -> None:
        self.holds = False
        for socket, message in self._held:
            socket.send(message)
        self._held.clear()


def test_ctrl_enter_before_the_run_button_is_there_runs_once(fresh_page: Page, quick: tuple[str, Endpoint]) -> None:
    page = fresh_page
    app, endpoint = quick
    held_back = HeldBack(page)
    for path, many in (("/", 1), ("/compare", 2)):
        before = len(completions(endpoint))
        page.goto("about:blank")  # what the page before is still sent is not held back
        held_back.holds = True
        page.goto(app + path)
        message = page.locator(".st-key-messages textarea").first
        message.fill(f"Early on {path}")
        message.press("Control+Enter")
        expect(page.locator(".st-key-run")).to_have_count(0)
        held_back.let_through()
        wait_for(lambda wanted=before + many: page.wait_for_timeout(10) or len(completions(endpoint)) >= wanted)
        page.wait_for_timeout(500)
        sent = completions(endpoint)[before:]
        assert [f'Early on {path}"'.encode() in request for request in sent] == [True] * many


def test_ctrl_enter_in_the_moment_in_which_the_run_button_comes_runs_once(
    fresh_page: Page, quick: tuple[str, Endpoint]
) -> None:
    page = fresh_page
    app, endpoint = quick
    page.add_init_script(
        """new MutationObserver((_changes, observer) => {
          if (!document.querySelector(".st-key-run button")) return;
          observer.disconnect();
          document.querySelector(".st-key-messages textarea").dispatchEvent(
            new KeyboardEvent("keydown", { key: "Enter", keyCode: 13, ctrlKey: true, bubbles: true, cancelable: true }),
          );
        }).observe(document, { subtree: true, childList: true })"""
    )
    before = len(completions(endpoint))
    page.goto(app)
    wait_for(lambda: page.wait_for_timeout(10) or len(completions(endpoint)) > before)
    page.wait_for_timeout(500)
    assert len(completions(endpoint)) == before + 1


def test_a_press_runs_once_on_a_page_that_is_just_there_and_none_after_a_reload(
    page: Page, quick: tuple[str, Endpoint]
) -> None:
    app, endpoint = quick
    before = len(completions(endpoint))
    page.goto(app)
    expect(page.locator(".st-key-run button")).to_be_visible(timeout=PATIENCE_MS)
    message = page.locator(".st-key-messages textarea").first
    message.fill("At once.")
    message.press("Control+Enter")
    expect(page.locator(".st-key-run_status")).to_contain_text("stop", timeout=PATIENCE_MS)
    page.wait_for_timeout(500)
    assert len(completions(endpoint)) == before + 1
    page.reload()
    expect(page.locator(".st-key-run button")).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_timeout(500)
    assert len(completions(endpoint)) == before + 1


def test_a_number_typed_right_before_the_run_button_is_clicked_is_sent(page: Page, quick: tuple[str, Endpoint]) -> None:
    app, endpoint = quick
    page.goto(app)
    expect(page.locator(".st-key-run button")).to_be_visible(timeout=PATIENCE_MS)
    before = len(completions(endpoint))
    for number in range(2):
        page.locator(".st-key-temperature_state").get_by_role("radio", name="omit").click()
        page.locator(".st-key-temperature input").fill(f"0.{number + 1}")
        page.locator(".st-key-run button").click()
        wait_for(lambda wanted=number: page.wait_for_timeout(10) or len(completions(endpoint)) > before + wanted)
        assert f'"temperature": 0.{number + 1}'.encode() in completions(endpoint)[-1]
