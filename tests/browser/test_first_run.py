"""The whole app on the embedded model, as a new user sees it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Request, expect

from tests.browser.pages import answer, choose_state, growing_lengths, prompt, set_number
from tests.chromium import VIEWPORT
from tests.waiting import wait_for

LONG = "Write a very long story about the sea, a dragon, a city and a child."


def status(page: Page) -> str:
    return page.locator(".st-key-run_status").inner_text()


def the_model_starts(page: Page) -> None:
    page.get_by_role("link", name="Endpoints").click()
    expect(page.get_by_role("heading", name="Endpoints", exact=True)).to_be_visible()
    embedded = page.locator(".st-key-endpoint_embedded")
    start, restart = (
        embedded.get_by_role("button", name="Start", exact=True),
        embedded.get_by_role("button", name="Restart"),
    )
    expect(start.or_(restart)).to_be_visible()
    # An earlier test may have used the model.
    if start.is_visible():
        start.click()
    # The page updates without a reload. The first start may download the model's weights.
    expect(embedded.get_by_text("ready")).to_be_visible(timeout=90_000)
    expect(embedded.get_by_text("checked at")).to_be_visible()
    expect(restart).to_be_visible()
    embedded.get_by_text("Models (1)").click()
    # The grid is a canvas with a table for screen readers.
    row = embedded.locator('[data-testid="stDataFrame"] table tbody tr').first
    wait_for(lambda: (row.text_content() or "").startswith("smollm2-135m-instruct2048"))

    embedded.get_by_role("button", name="Check again").click()
    expect(embedded.get_by_text("checking")).to_have_count(0)
    expect(embedded.get_by_text("ready")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    embedded.get_by_text("What the beezy dialect allows").click()
    expect(embedded.get_by_text("any whole number")).to_be_visible()
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("element => element.scrollWidth") <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size(VIEWPORT)


def test_a_first_run_streams_survives_a_click_and_loads_nothing_from_elsewhere(page: Page, embedded_app: str) -> None:
    foreign: list[str] = []
    own = (embedded_app, "data:", "blob:")

    def note(request: Request) -> None:
        if not request.url.startswith(own):
            foreign.append(request.url)

    page.on("request", note)
    # A deep link opens its page although the run does not exist.
    page.goto(f"{embedded_app}/runs?run=nothing")
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    the_model_starts(page)
    page.get_by_role("link", name="Playground").click()
    prompt(page).fill(LONG)
    set_number(page, "temperature", "0.4")
    set_number(page, "max_tokens", "200")
    set_number(page, "random_seed", "7")
    page.locator(".st-key-run button").click()
    before = growing_lengths(page, 3)
    page.locator(".st-key-stream label").click()
    assert growing_lengths(page, 2)[0] >= before[-1]
    expect(page.locator(".st-key-run_status")).to_contain_text("cut at max_tokens")
    assert re.search(r"\d+ \+ 200 tokens", status(page))
    page.locator(".st-key-stream label").click()

    choose_state(page, "max_tokens", "omit")
    # The keyboard is enough: it runs the prompt still in the field.
    prompt(page).fill(LONG + " Begin with the child.")
    prompt(page).press("Control+Enter")
    expect(page.locator(".st-key-run_status")).to_contain_text("Streaming")
    growing_lengths(page, 3)
    page.locator(".st-key-stop button").click()
    expect(page.locator(".st-key-run_status")).to_contain_text("cancelled")
    kept = answer(page)
    assert len(kept) > 5

    page.get_by_role("link", name="Runs").click()
    rows = page.locator(".runs-list tbody tr")
    wait_for(lambda: rows.count() >= 2)
    first, second = rows.nth(0).text_content() or "", rows.nth(1).text_content() or ""
    assert "cancelled" in first
    assert "ok" in second
    assert "200" in second

    page.get_by_role("link", name="Playground").click()
    wait_for(lambda: answer(page) == kept)
    expect(prompt(page)).to_have_value(LONG + " Begin with the child.")
    page.remove_listener("request", note)
    assert foreign == []
