"""The playground as hands and eyes meet it: keys, a long paste, what stays after a restart, what fits on a screen."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import free_port, serve_app
from tests.browser.test_first_run import LONG, answer, open_playground, set_number
from tests.waiting import wait_for


def leave_field(page: Page) -> None:
    """Click beside the fields, so that what was typed counts."""
    page.locator(".st-key-run_bar").click(position={"x": 400, "y": 5})


def test_keys_run_stop_and_continue(page: Page, app: str) -> None:
    open_playground(page, app)
    prompt = page.locator(".st-key-message_1 textarea")
    prompt.fill(LONG)
    prompt.press("Control+Enter")
    wait_for(lambda: len(answer(page)) > 80)
    prompt.press("Escape")
    expect(page.locator(".st-key-run_status")).to_contain_text("cancelled")
    begun = answer(page)
    expect(page.locator(".st-key-continue button").first).to_be_visible()
    page.keyboard.press("Alt+k")
    expect(page.locator(".st-key-messages textarea")).to_have_count(2)
    wait_for(lambda: len(answer(page)) > len(begun) + 20 and answer(page).startswith(begun[:40]))
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-run_status")).to_contain_text("cancelled")
    expect(page.locator(".st-key-add_answer button").first).to_be_visible()
    page.keyboard.press("Alt+m")
    expect(page.locator(".st-key-messages textarea")).to_have_count(3)


def test_a_long_paste_is_quick_and_scrolls_in_its_own_field(page: Page, app: str) -> None:
    open_playground(page, app)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", "A line that somebody found somewhere else.\n" * 2400)
    prompt = page.locator(".st-key-messages textarea").first
    prompt.click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Control+V")
    wait_for(lambda: len(prompt.input_value()) > 100_000)
    page.keyboard.type(" and more")
    assert prompt.input_value().endswith(" and more")
    assert prompt.bounding_box()["height"] < 400
    assert prompt.evaluate("area => area.scrollHeight > 5 * area.clientHeight")
    expect(page.locator(".st-key-run button")).to_be_in_viewport()


def test_the_preview_follows_each_change_and_stale_answers_are_greyed(page: Page, app: str) -> None:
    open_playground(page, app)
    set_number(page, "max_tokens", "12")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".st-key-run_status")).to_contain_text("finish reason", timeout=30_000)
    expect(page.locator(".st-key-answer_actions")).to_be_visible()
    set_number(page, "temperature", "0.2")
    expect(page.locator(".st-key-stale_notice")).to_contain_text("temperature omitted → 0.2")
    assert float(page.locator(".st-key-answer").evaluate("box => getComputedStyle(box).opacity")) < 1
    page.get_by_role("radio", name="Request").click()
    preview = page.locator(".st-key-preview")
    expect(preview).to_contain_text('"temperature": 0.2')
    expect(preview).to_contain_text("Authorization: Bearer •••")
    page.locator(".st-key-temperature_reset button").first.click()
    expect(preview).not_to_contain_text("temperature")
    page.get_by_role("radio", name="Events").click()
    expect(page.get_by_text("Gap between two: median")).to_be_visible()
    page.get_by_role("radio", name="Answer").click()
    expect(page.locator(".st-key-stale")).to_have_count(0)


def test_a_conversation_that_was_never_run_survives_a_restart_and_a_new_window(page: Page, tmp_path: Path) -> None:
    port = free_port()
    with serve_app(tmp_path, port) as app:
        open_playground(page, app)
        page.locator(".st-key-add_system button").first.click()
        page.locator(".st-key-message_2 textarea").fill("Speak {{language}}.")
        leave_field(page)
        page.locator(".st-key-variable_language input").fill("French")
        page.locator(".st-key-variable_language input").press("Enter")
        page.locator(".st-key-message_1 textarea").fill("Half a thought")
        leave_field(page)
        wait_for(lambda: "draft=" in page.url)
        page.wait_for_timeout(700)
        address = page.url
    page.close()
    with serve_app(tmp_path, port):
        other = page.context.new_page()
        other.goto(address)
        expect(other.locator(".st-key-message_1 textarea")).to_have_value("Half a thought")
        expect(other.locator(".st-key-message_2 textarea")).to_have_value("Speak {{language}}.")
        expect(other.locator(".st-key-variable_language input")).to_have_value("French")
        roles = other.locator(".st-key-messages [role=combobox]")
        assert [role.input_value() for role in roles.all()] == ["system", "user"]


def test_a_tap_on_another_page_right_after_typing_loses_no_word_and_switches_no_field_on(
    chromium: Browser, app: str
) -> None:
    context = chromium.new_context(viewport={"width": 1024, "height": 768}, has_touch=True)
    page = context.new_page()
    open_playground(page, app)
    page.wait_for_timeout(500)
    page.locator(".st-key-message_1 textarea").tap()
    page.locator(".st-key-message_1 textarea").fill("Just typed")
    page.get_by_role("link", name="Runs").tap()
    page.wait_for_timeout(1000)
    page.get_by_role("link", name="Runs").tap()
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    page.get_by_role("link", name="Playground").tap()
    expect(page.locator(".st-key-messages textarea").first).to_have_value("Just typed")
    expect(page.locator(".st-key-reset_all button").first).to_be_disabled()
    context.close()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_nothing_stands_beyond_the_edge_and_the_first_screen_holds_the_work(
    page: Page, app: str, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    open_playground(page, app)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".stMain").evaluate("main => main.scrollWidth <= main.clientWidth")
    for key in ("message_1", "run", "answer"):
        expect(page.locator(f".st-key-{key}").first).to_be_in_viewport()
    if width > 1000:
        for field in ("temperature", "top_p", "max_tokens", "random_seed", "safe_prompt", "stream"):
            expect(page.locator(f".st-key-{field}").first).to_be_in_viewport()


def test_every_control_has_a_name_and_the_keyboard_reaches_the_run_button(page: Page, app: str) -> None:
    open_playground(page, app)
    page.locator(".st-key-add_user button").first.click()
    expect(page.locator(".st-key-messages textarea")).to_have_count(2)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll(".stMain :is(button, input, textarea, [role=combobox])")]
            .filter(control => control.checkVisibility() && !(control.innerText || control.getAttribute("aria-label")
                || control.getAttribute("aria-labelledby") || control.title || control.labels?.length))
            .map(control => control.outerHTML.slice(0, 200))"""
    )
    assert nameless == []
    page.locator(".st-key-messages textarea").last.click()
    deadline = time.monotonic() + 15
    while page.evaluate("document.activeElement.innerText").split("\n")[0].strip() != "play_arrow":
        page.keyboard.press("Tab")
        assert time.monotonic() < deadline, "Tab never reached Run"
