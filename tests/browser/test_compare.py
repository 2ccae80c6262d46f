"""Compare in Chromium: lanes side by side that stream and stop independently, on a wide screen and a phone."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.source import Source
from tests.chromium import VIEWPORT
from tests.waiting import wait_for


def open_compare(page: Page, app: str) -> None:
    page.goto(f"{app}/compare")
    expect(page.locator(".st-key-run button").first).to_be_visible()


def answers(page: Page) -> list[str]:
    return page.locator("[class*=st-key-lane_answer_] .live-text").all_inner_texts()


def experiment_in(url: str) -> str | None:
    found = re.search("experiment=([0-9a-f]{32})", url)
    return found and found[1]


def status(page: Page, lane: int) -> str:
    return page.locator(f".st-key-lane_run_status_{lane}").inner_text()


def test_lanes_stream_side_by_side_and_stop_independently(page: Page, live_app: str, source: Source) -> None:
    source.begin(growing=True)
    open_compare(page, live_app)
    page.keyboard.press("Control+Enter")
    wait_for(lambda: len(answers(page)) == 2 and all(len(text) > 40 for text in answers(page)))
    boxes = [box.bounding_box() for box in page.locator("[class*=st-key-lane_card_]").all()]
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    # A widget used while both lanes stream loses no text.
    page.evaluate("window.kept = [...document.querySelectorAll('[class*=st-key-lane_answer_] .live-text')]")
    page.get_by_role("radio", name="Settings").click()
    expect(page.get_by_text("Settings that are equal in all lanes are not shown.")).to_be_visible()
    assert page.evaluate("window.kept.every(element => element.isConnected && element.textContent.length > 40)")
    page.locator(".st-key-lane_stop_1 button").first.click()
    wait_for(lambda: "cancelled" in status(page, 1))
    # The status and the end of the answer come one after the other.
    stopped = page.locator("[class*=st-key-lane_answer_] .live-text").first
    expect(stopped).to_have_attribute("aria-busy", "false")
    kept, before = answers(page)
    wait_for(lambda: len(answers(page)[1]) > len(before) + 20)
    assert answers(page)[0] == kept
    page.reload()
    wait_for(lambda: len(answers(page)) == 2 and answers(page)[0] == kept and len(answers(page)[1]) > len(before))

    # On a phone one lane is visible, and a tab shows the other.
    page.set_viewport_size({"width": 390, "height": 844})
    first, second = page.locator("[class*=st-key-lane_card_]").all()
    expect(first).to_be_visible()
    expect(second).not_to_be_visible()
    page.locator(".st-key-lane_tabs").get_by_text("B", exact=True).click()
    expect(second).to_be_visible()
    expect(first).not_to_be_visible()
    page.set_viewport_size(VIEWPORT)

    page.locator(".st-key-stop_all button").first.click()
    wait_for(lambda: "cancelled" in status(page, 2))
    page.get_by_role("radio", name="Numbers").click()
    expect(page.locator('[data-testid="stTable"]')).to_contain_text("concurrency 2")
    expect(page.locator('[data-testid="stVegaLiteChart"]')).to_be_visible()


def test_lanes_are_edited_added_and_deleted_and_fast_answers_are_shown(
    page: Page, live_app: str, source: Source
) -> None:
    open_compare(page, live_app)
    page.locator(".st-key-lane_form_2 button").first.click()
    name = page.locator(".st-key-lane_name_2 input")
    name.fill("Colder")
    name.press("Enter")
    expect(page.locator(".st-key-lane_card_2")).to_contain_text("B · Colder")
    temperature = page.locator(".st-key-lane_temperature_2 input")
    temperature.fill("0.15")
    temperature.press("Enter")
    expect(page.locator(".st-key-lane_card_2")).to_contain_text("temperature 0.15")
    page.locator(".st-key-lane_random_seed_state_2").get_by_role("radio", name="null").click()
    expect(page.locator(".st-key-lane_card_2")).to_contain_text("random_seed null")
    page.reload()
    expect(page.locator(".st-key-lane_card_2")).to_contain_text("B · Colder")
    expect(page.locator(".st-key-lane_card_2")).to_contain_text("temperature 0.15, random_seed null")

    page.locator(".st-key-lane_set button").first.click()
    page.get_by_text("Temperature 0 / 0.3").click()
    cards = page.locator("[class*=st-key-lane_card_]")
    expect(cards).to_have_count(4)
    # More than four lanes scroll sideways.
    sideways = "[box => box.scrollWidth > box.clientWidth][0](document.querySelector('.st-key-lanes'))"
    assert not page.evaluate(sideways)
    page.locator(".st-key-add_lane button").first.click()
    expect(cards).to_have_count(5)
    assert page.evaluate(sideways)
    main = "document.querySelector('[data-testid=stMain]')"
    assert page.evaluate(f"{main}.scrollWidth <= {main}.clientWidth")
    page.locator("[class*=st-key-lane_menu_] button").last.click()
    page.get_by_text("Delete", exact=True).click()
    expect(cards).to_have_count(4)
    expect(page.get_by_text("Something went wrong")).to_have_count(0)
    page.locator(".st-key-undo button").first.click()
    expect(cards).to_have_count(5)

    shown = []
    for number in range(2):
        source.begin("Quick", f" answer {number}")
        source.finish()
        page.locator(".st-key-run button").first.click()
        wait_for(lambda number=number: answers(page) == [f"Quick answer {number}"] * 5)
        expect(page.locator("[class*=st-key-lane_check_]")).to_have_count(5)
        # The answers may end before the page is drawn with their address.
        page.wait_for_url(lambda url: experiment_in(url) not in [None, *shown])
        shown.append(experiment_in(page.url))
    # The page checks its lanes once a second and would undo a Back before it has seen their end.
    page.wait_for_timeout(2_500)
    page.go_back()
    wait_for(lambda: answers(page) == ["Quick answer 0"] * 5)
    expect(page.locator("[class*=st-key-lane_check_]")).to_have_count(5)
    page.locator("[class*=st-key-lane_check_] button").first.click()
    expect(page.get_by_text("Sent again:")).to_have_count(1)
    assert shown[0] in page.url
