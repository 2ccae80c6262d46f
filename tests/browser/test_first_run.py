from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import free_port, serve_app
from tests.waiting import wait_for

LONG = "Write a very long story about the sea, a dragon, a city and a child."


def open_playground(page: Page, app: str) -> None:
    page.goto(app)
    # The first visit may have to fetch the model's weights.
    expect(page.locator(".st-key-run button")).to_be_visible()
    expect(page.get_by_text("The embedded model is being")).to_have_count(0, timeout=90_000)


def set_number(page: Page, field: str, value: str) -> None:
    number = page.locator(f".st-key-{field} input")
    number.fill(value)
    number.press("Enter")
    expect(page.locator(f".st-key-{field}_state button[aria-checked=true]")).to_have_text("value")


def answer(page: Page) -> str:
    return page.locator(".st-key-answer .live-text").inner_text()


def status(page: Page) -> str:
    return page.locator(".st-key-run_status").inner_text()


def growing_lengths(page: Page, count: int) -> list[int]:
    """The next ``count`` different lengths of the answer on the screen."""
    lengths = [len(answer(page))]
    while len(lengths) < count:
        wait_for(lambda: len(answer(page)) > lengths[-1])
        lengths.append(len(answer(page)))
    return lengths


def test_a_first_run_streams_survives_a_click_and_a_second_one_is_stopped(page: Page, app: str) -> None:
    open_playground(page, app)
    page.locator(".st-key-message_1 textarea").fill(LONG)
    set_number(page, "temperature", "0.4")
    set_number(page, "max_tokens", "150")
    set_number(page, "random_seed", "7")
    page.locator(".st-key-run button").click()
    wait_for(lambda: len(answer(page)) > 80)
    before = growing_lengths(page, 3)
    page.locator(".st-key-stream label").click()
    assert growing_lengths(page, 3)[0] >= before[-1]
    expect(page.locator(".st-key-run_status")).to_contain_text("cut at max_tokens", timeout=60_000)
    assert re.search(r"tokens\s+\d+ \+ 150", status(page))
    page.locator(".st-key-stream label").click()

    page.locator(".st-key-max_tokens_state").get_by_role("radio", name="omit").click()
    # The keyboard alone must do: the prompt that is still in the field is what runs.
    prompt = page.locator(".st-key-message_1 textarea")
    prompt.fill(LONG + " Begin with the child.")
    prompt.press("Control+Enter")
    expect(page.locator(".st-key-run_status")).to_contain_text("Streaming")
    growing_lengths(page, 3)
    stopped = time.monotonic()
    page.locator(".st-key-stop button").click()
    expect(page.locator(".st-key-run_status")).to_contain_text("cancelled")
    assert time.monotonic() - stopped < 2
    kept = answer(page)
    assert len(kept) > 20

    page.get_by_role("link", name="Runs").click()
    # The grid is a canvas; the table inside it is what a screen reader is given.
    rows = page.locator('[data-testid="stDataFrame"] table tbody tr')
    wait_for(lambda: rows.count() >= 2)
    first, second = rows.nth(0).text_content() or "", rows.nth(1).text_content() or ""
    assert "cancelled" in first
    assert "ok" in second
    assert "length" in second
    assert "150" in second

    page.get_by_role("link", name="Playground").click()
    wait_for(lambda: answer(page) == kept)
    expect(prompt).to_have_value(LONG + " Begin with the child.")


def test_a_reload_in_mid_stream_finds_the_answer_and_goes_on_painting(page: Page, app: str) -> None:
    open_playground(page, app)
    page.locator(".st-key-message_1 textarea").fill(LONG)
    page.locator(".st-key-run button").click()
    wait_for(lambda: len(answer(page)) > 80)
    before = answer(page)
    page.reload()
    wait_for(lambda: answer(page).startswith(before[:60]))
    growing_lengths(page, 3)
    expect(page.locator(".st-key-message_1 textarea")).to_have_value(LONG)
    page.locator(".st-key-stop button").click()
    expect(page.locator(".st-key-run_status")).to_contain_text("cancelled")


@pytest.mark.parametrize("path", ["/", "/runs", "/?run=nothing", "/runs?run=nothing"])
def test_a_deep_link_opens_its_page_and_brings_nothing_from_elsewhere(page: Page, app: str, path: str) -> None:
    foreign: list[str] = []
    own = (app, "data:", "blob:")
    page.on("request", lambda request: request.url.startswith(own) or foreign.append(request.url))
    page.goto(app + path)
    expect(page.get_by_role("heading", name="Runs") if "runs" in path else page.locator(".st-key-run")).to_be_visible()
    assert foreign == []


def test_a_server_that_comes_back_finds_what_was_typed(page: Page, tmp_path: Path) -> None:
    """A restart, or a sleep longer than the server remembers a session: the page is all that is left."""
    port = free_port()
    with serve_app(tmp_path, port) as app:
        open_playground(page, app)
        set_number(page, "temperature", "0.35")
        set_number(page, "max_tokens", "20")
        page.locator(".st-key-message_1 textarea").fill("Half a thought")
        page.locator(".st-key-message_1 textarea").press("Control+Enter")
        expect(page.locator(".st-key-run_status")).to_contain_text(
            re.compile("finish reason (stop|length)"), timeout=60_000
        )
        set_number(page, "top_p", "0.45")
        page.locator(".st-key-message_1 textarea").fill("Half a thought, and more")
        page.locator(".st-key-run_bar").click(position={"x": 400, "y": 5})
        page.wait_for_timeout(500)
    with serve_app(tmp_path, port):
        page.wait_for_timeout(500)
        expect(page.locator('[data-testid="stConnectionStatus"]')).to_have_count(0, timeout=30_000)
        # The page that came back is drawn by the new server: a click goes through.
        page.locator(".st-key-stream label").click()
        expect(page.locator(".st-key-top_p_state button[aria-checked=true]")).to_have_text("value")
        expect(page.locator(".st-key-message_1 textarea")).to_have_value("Half a thought, and more")
        expect(page.locator(".st-key-temperature input")).to_have_value("0.35")
        expect(page.locator(".st-key-top_p input")).to_have_value("0.45")
