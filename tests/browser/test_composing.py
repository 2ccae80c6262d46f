"""The playground as hands and eyes meet it: keys, a long paste, what stays after a restart, what fits on a screen."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.browser.pages import answer, growing_lengths, open_playground, prompt, set_number
from tests.browser.source import Source
from tests.chromium import new_context
from tests.waiting import wait_for

LONG = "Write a very long story about the sea, a dragon, a city and a child."


def test_keys_run_stop_and_continue_and_a_reload_goes_on_painting(page: Page, live_app: str, source: Source) -> None:
    source.begin(growing=True)
    open_playground(page, live_app)
    prompt(page).fill(LONG)
    prompt(page).press("Control+Enter")
    wait_for(lambda: len(answer(page)) > 80)
    before = answer(page)
    page.reload()
    wait_for(lambda: answer(page).startswith(before[:60]))
    growing_lengths(page, 3)
    expect(prompt(page)).to_have_value(LONG)
    prompt(page).press("Escape")
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


def test_a_long_paste_is_quick_and_scrolls_in_its_own_field(page: Page, live_app: str) -> None:
    open_playground(page, live_app)
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


def test_the_preview_follows_each_change_and_stale_answers_are_greyed(
    page: Page, live_app: str, source: Source
) -> None:
    source.begin("Some", " words")
    source.finish()
    open_playground(page, live_app)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".st-key-run_status")).to_contain_text("finish reason")
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
    expect(page.get_by_text("of the socket")).to_be_visible()
    page.get_by_role("radio", name="Answer").click()
    expect(page.locator(".st-key-stale")).to_have_count(0)


def test_a_tap_on_another_page_right_after_typing_loses_no_word_and_switches_no_field_on(
    chromium: Browser, live_app: str
) -> None:
    context = new_context(chromium, viewport={"width": 1024, "height": 768}, has_touch=True)
    page = context.new_page()
    open_playground(page, live_app)
    prompt(page).tap()
    prompt(page).fill("Just typed")
    page.get_by_role("link", name="Runs").tap()
    # The first tap may only end the typing: a person taps again when nothing has come of it.
    expect(page.get_by_role("heading", name="Runs").or_(page.locator(".st-key-run button").first)).to_be_visible()
    page.get_by_role("link", name="Runs").tap()
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    page.get_by_role("link", name="Playground").tap()
    expect(page.locator(".st-key-messages textarea").first).to_have_value("Just typed")
    expect(page.locator(".st-key-reset_all button").first).to_be_disabled()
    context.close()


def test_the_first_screen_holds_the_work_and_the_keyboard_reaches_every_control_by_its_name(
    page: Page, live_app: str
) -> None:
    open_playground(page, live_app)
    for width, height in ((1440, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        for key in ("message_1", "run", "answer"):
            expect(page.locator(f".st-key-{key}").first).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator(".stMain").evaluate("main => main.scrollWidth <= main.clientWidth")
        if width > 1000:
            for field in ("temperature", "top_p", "max_tokens", "random_seed", "safe_prompt", "stream"):
                expect(page.locator(f".st-key-{field}").first).to_be_in_viewport()
    page.set_viewport_size({"width": 1440, "height": 900})
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
    passed = []
    while not passed or passed[-1] != "play_arrow":
        page.keyboard.press("Tab")
        passed.append(page.evaluate("document.activeElement.innerText").split("\n")[0].strip())
        assert len(passed) < 100, f"Tab never reached Run: {passed}"
