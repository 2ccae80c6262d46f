"""The playground in Chromium: keys, a long paste, drafts after a restart, the first screen."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import answer, growing_lengths, open_playground, prompt, set_number, settled
from tests.browser.source import Source
from tests.chromium import VIEWPORT
from tests.waiting import wait_for

LONG = "Write a very long story about the sea, a dragon, a city and a child."


def test_keys_run_stop_and_continue_and_the_preview_follows_each_change(
    page: Page, live_app: str, source: Source
) -> None:
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
    # Escape closes an open select and stops nothing.
    settled(page)  # a redrawn select closes
    page.locator(".st-key-model input").first.click()
    expect(page.get_by_role("listbox")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    growing_lengths(page, 2)
    prompt(page).press("Escape")
    expect(page.locator(".st-key-run_status")).to_contain_text("cancelled")

    # An answer to another request than that of the form is grey.
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
    expect(page.locator("[data-outdated]")).to_have_count(0)

    begun = answer(page)
    expect(page.locator(".st-key-continue button").first).to_be_visible()
    page.keyboard.press("Alt+k")
    expect(page.locator(".st-key-messages textarea")).to_have_count(2)
    wait_for(lambda: len(answer(page)) > len(begun) + 20 and answer(page).startswith(begun[:40]))
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-run_status")).to_contain_text("cancelled")
    expect(page.locator(".st-key-add_answer button").first).to_be_visible()
    before = prompt(page).input_value()
    page.keyboard.press("Alt+m")
    # Typing waits until the new message is drawn.
    page.keyboard.type("Mort")
    page.keyboard.press("Backspace")
    page.keyboard.type("e")
    expect(page.locator(".st-key-messages textarea")).to_have_count(3)
    new = page.locator(".st-key-messages textarea").last
    expect(new).to_be_focused()
    expect(new).to_have_value("More")
    assert prompt(page).input_value() == before
    new.fill("")
    prompt(page).click()
    page.locator(".st-key-add_user button").first.click()
    expect(page.locator(".st-key-messages textarea").last).to_be_focused()
    expect(page.locator(".st-key-messages textarea")).to_have_count(3)


def tap(page: Page, target: Locator) -> None:
    """Tap it on a touch screen."""
    box = target.bounding_box()
    at = [{"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}]
    screen = page.context.new_cdp_session(page)
    for moment, points in (("touchStart", at), ("touchEnd", [])):
        screen.send("Input.dispatchTouchEvent", {"type": moment, "touchPoints": points})
    screen.detach()


def test_the_first_screen_is_usable_by_keyboard_and_keeps_input(page: Page, live_app: str) -> None:
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
    page.set_viewport_size(VIEWPORT)
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

    # On a touch screen, a tap on another page right after typing loses no text and switches no field on.
    prompt(page).fill("Just typed")
    tap(page, page.get_by_role("link", name="Runs"))
    # The first tap may only end the typing, so a second one may be needed.
    expect(page.get_by_role("heading", name="Runs").or_(page.locator(".st-key-run button").first)).to_be_visible()
    tap(page, page.get_by_role("link", name="Runs"))
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    # On a narrow page, the menu closes after a page is chosen.
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Playground").click()
    expect(page.get_by_test_id("stSidebar")).not_to_be_in_viewport()
    page.set_viewport_size(VIEWPORT)
    expect(prompt(page)).to_have_value("Just typed")
    expect(page.locator(".st-key-reset_all button").first).to_be_disabled()

    # A long paste is quick, and scrolls in its own field.
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", "A line that somebody found somewhere else.\n" * 2400)
    long = prompt(page)
    long.click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Control+V")
    wait_for(lambda: len(long.input_value()) > 100_000)
    page.keyboard.type(" and more")
    assert long.input_value().endswith(" and more")
    assert long.bounding_box()["height"] < 400
    assert long.evaluate("area => area.scrollHeight > 5 * area.clientHeight")
    expect(page.locator(".st-key-run button")).to_be_in_viewport()


def test_a_conversation_works_by_keyboard_with_the_answer_above_the_composer(
    page: Page, live_app: str, source: Source
) -> None:
    open_playground(page, live_app)
    page.get_by_role("radio", name="Conversation").click()
    composer = page.locator(".st-key-composer textarea")
    composer.click()
    turns = page.locator("[class*=st-key-said_]")
    for number, (keys, key) in enumerate((("One", "Enter"), ("Two", "Control+Enter"), ("Three", "Enter"))):
        source.begin(f"Answer {number} ")
        page.keyboard.type(keys)
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("and more")
        page.keyboard.press(key)
        wait_for(lambda number=number: answer(page).startswith(f"Answer {number}"))
        source.finish()
        expect(turns).to_have_count(2 * number + 1)
        expect(page.locator(".st-key-run_status")).to_contain_text("finish reason")
        expect(composer).to_be_focused()
        expect(composer).to_be_in_viewport()
    expect(page.get_by_text("Answer 2")).to_have_count(1)
    # A folded turn opens with the keyboard, and its text has the focus.
    turns.first.get_by_role("button").press("Enter")
    expect(page.locator(".st-key-messages textarea")).to_be_focused()


def test_a_phone_has_its_settings_in_a_sheet_that_closes_automatically(
    page: Page, live_app: str, source: Source
) -> None:
    open_playground(page, live_app)
    page.set_viewport_size({"width": 390, "height": 844})
    temperature, sheet = page.locator(".st-key-temperature_state"), page.locator(".st-key-show_settings button")
    expect(temperature).to_be_hidden()
    for close in (
        lambda: page.mouse.click(380, 100),
        lambda: page.keyboard.press("Escape"),
        lambda: page.keyboard.press("Control+Enter"),
    ):
        sheet.click()
        expect(temperature).to_be_in_viewport()
        close()
        expect(temperature).to_be_hidden()
    page.set_viewport_size(VIEWPORT)
