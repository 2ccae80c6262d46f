"""Draws the pictures of the README and docs on the app with the embedded model: ``python -m tests.pictures [NAME…]``.

Without names, all of them are drawn; later ones use the runs of earlier ones.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import ROOT, serve_app
from tests.browser.pages import open_playground, set_number
from tests.chromium import CHROMIUM_FLAGS, program
from tests.summaries import as_github, as_gitlab, summaries

FOLDER = ROOT / "docs" / "images"
LAPTOP = {"width": 1440, "height": 900}
SUMMARY = {"width": 1012, "height": 100}
PHONE = {"width": 390, "height": 844}
COLOURS = 192
SECONDS = 500
"""The longest wait: the embedded model shares the processors."""


def playground(page: Page, app: str) -> None:
    open_playground(page, app)
    set_number(page, "temperature", "0.3")
    set_number(page, "max_tokens", "160")
    ask(page, "Write a short story about a lighthouse keeper who finds an old map.")
    ask(page, "Explain in three sentences why the sky is blue.")


def conversation(page: Page, app: str) -> None:
    open_playground(page, app)
    set_number(page, "max_tokens", "60")
    page.get_by_role("radio", name="Conversation").click()
    for text in ("Name a colour of the sea.", "And one of the sky?", "Which of the two is darker?"):
        composer = page.locator(".st-key-composer textarea")
        composer.fill(text)
        composer.press("Enter")
        page.wait_for_timeout(1_000)
        ended(page)


def probabilities(page: Page, app: str) -> None:
    open_playground(page, app)
    page.locator(".st-key-token_probabilities label").first.click()
    set_number(page, "max_tokens", "60")
    ask(page, "Write a short story about a lighthouse keeper who finds an old map.")
    page.locator(".lens-least").last.click()


def compare_four(page: Page, app: str) -> None:
    lanes(page, app, "Temperature 0 / 0.3 / 0.7 / 1", "Write two sentences about the sea.")
    lanes_ended(page)


def compare_phone(page: Page, app: str) -> None:
    lanes(page, app, "Base twice", "Write two sentences about a forest.")
    lanes_ended(page)


def sweep_running(page: Page, app: str) -> None:
    sweep(page, app)
    expect(page.locator(".st-key-sweep_progress")).to_contain_text(re.compile(r"\b([89]|1\d) of 24 runs ended"))


def sweep_says(page: Page, app: str) -> None:
    sweep(page, app)
    expect(page.get_by_role("button", name="Run all again")).to_be_visible()
    page.get_by_role("tab", name="Results").click()
    chart(page)


def sweep_dark(page: Page, app: str) -> None:
    page.emulate_media(color_scheme="dark")
    last_sweep(page, app)


def sweep_phone(page: Page, app: str) -> None:
    last_sweep(page, app)


def runs(page: Page, app: str) -> None:
    page.goto(f"{app}/runs")
    row = page.locator(".runs-list tbody tr").nth(2)
    expect(row).to_be_visible()
    row.click(position={"x": 120, "y": 10})
    expect(page.locator(".st-key-run_drawer .live-text").first).not_to_be_empty()


def endpoints(page: Page, app: str) -> None:
    page.goto(f"{app}/endpoints")
    expect(page.locator(".st-key-endpoint_embedded")).to_contain_text("Models (")
    page.locator(".st-key-add_endpoint button").first.click()
    expect(page.locator(".st-key-endpoint_form")).to_be_visible()


def summary_github(page: Page, _app: str) -> None:
    page.set_content(as_github(summaries()[0]))


def summary_gitlab(page: Page, _app: str) -> None:
    page.set_content(as_gitlab(summaries()[1]))


def phone(page: Page, app: str) -> None:
    open_playground(page, app)
    ask(page, "Explain in one sentence why the sky is blue.")


def share_dialog(page: Page, app: str) -> None:
    open_playground(page, app)
    set_number(page, "max_tokens", "80")
    set_number(page, "random_seed", "7")
    ask(page, "Explain in three sentences why the sky is blue.")
    share(page)


def shared(page: Page, app: str) -> None:
    page.goto(f"{app}/shared")
    page.goto(page.locator("[class*=st-key-link_] code").first.inner_text())
    page.get_by_role("button", name="Reproduce").click()
    expect(page.locator(".st-key-reproduction")).to_contain_text("Reproduced")


def collection(page: Page, app: str) -> None:
    lanes(page, app, "Temperature 0 / 0.3 / 0.7 / 1", "Write two sentences about the sea.")
    lanes_ended(page)
    share(page)
    page.goto(f"{app}/shared")
    page.get_by_role("button", name="New collection").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("What a seed and a temperature do")
    for _ in range(2):
        dialog.locator(".st-key-collected input").click()
        page.get_by_role("option").last.click()
        settled(page)
    notes = (
        "With a *seed*, this model repeats its answer **to the character**.",
        "Without one, it parts sooner the warmer it is.",
    )
    for place, note in enumerate(notes):
        dialog.locator("textarea").nth(place).fill(note)
    page.keyboard.press("Tab")
    settled(page)
    page.goto(create_link(page))
    expect(page.locator(".st-key-collection_entry_2")).to_contain_text("temperature")


PICTURES: dict[str, tuple[Callable[[Page, str], None], dict[str, int]]] = {
    "playground": (playground, LAPTOP),
    "conversation": (conversation, LAPTOP),
    "probabilities": (probabilities, LAPTOP),
    "compare-four": (compare_four, LAPTOP),
    "compare-phone": (compare_phone, PHONE),
    "sweep-running": (sweep_running, LAPTOP),
    "sweep-says": (sweep_says, LAPTOP),
    "sweep-dark": (sweep_dark, LAPTOP),
    "sweep-phone": (sweep_phone, PHONE),
    "runs": (runs, LAPTOP),
    "endpoints": (endpoints, LAPTOP),
    "share-dialog": (share_dialog, LAPTOP),
    "shared": (shared, LAPTOP),
    "collection": (collection, {**LAPTOP, "height": 1_400}),
    "phone": (phone, PHONE),
    "summary-github": (summary_github, SUMMARY),
    "summary-gitlab": (summary_gitlab, SUMMARY),
}


def ask(page: Page, text: str) -> None:
    """Run a prompt, and wait for the end of its answer."""
    page.locator(".st-key-messages textarea").first.fill(text)
    before = page.url
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: url != before)  # it has the run's id
    ended(page)


def ended(page: Page) -> None:
    """Wait until the shown answer is complete."""
    expect(page.locator(".st-key-run_status").last).to_contain_text("tokens/s")
    expect(page.locator('.live-text[aria-busy="true"]')).to_have_count(0)


def share(page: Page) -> str:
    """Share what is shown; returns the link."""
    page.locator(".st-key-share button").first.click()
    settled(page)
    return create_link(page)


def create_link(page: Page) -> str:
    """Press the button of the open dialog; returns the link."""
    page.locator(".st-key-publish button").first.click()
    return page.get_by_role("dialog").locator("code", has_text="shared?c=").inner_text()


def lanes(page: Page, app: str, template: str, text: str) -> None:
    """Run lanes of a template."""
    page.goto(f"{app}/compare")
    expect(page.locator(".st-key-run button").first).to_be_visible()
    page.locator(".st-key-lane_set button").first.click()
    page.get_by_text(template).click()
    page.locator(".st-key-messages textarea").first.fill(text)
    if page.viewport_size == LAPTOP:  # a phone has no room for the number of an omitted field
        limit(page, "40")
    page.keyboard.press("Control+Enter")


def lanes_ended(page: Page) -> None:
    """Wait until no lane runs."""
    expect(page.locator(".st-key-stop_all button").first).to_be_enabled()
    expect(page.locator(".st-key-stop_all button").first).to_be_disabled()


def sweep(page: Page, app: str) -> None:
    """Start a sweep of short answers."""
    page.goto(f"{app}/sweep")
    run = page.get_by_role("button", name="Run the sweep")
    expect(run).to_be_enabled()
    page.locator(".st-key-messages textarea").first.fill("Describe the sea.")
    limit(page, "16")
    run.click()


def limit(page: Page, tokens: str) -> None:
    """Type max_tokens in the drawer of the base."""
    field = page.locator(".st-key-max_tokens input").first
    field.fill(tokens)
    field.press("Enter")
    expect(page.locator(".st-key-base_summary")).to_contain_text(f"max_tokens {tokens}")


def last_sweep(page: Page, app: str) -> None:
    """Open the sweep that ran last."""
    page.goto(f"{app}/sweep")
    page.locator(".st-key-earlier button").first.click()
    page.locator("[class*=st-key-earlier_] button").first.click()
    page.get_by_role("tab", name="Results").click()
    chart(page)


def chart(page: Page) -> None:
    """Wait for the chart of the results."""
    expect(page.locator('[data-testid="stVegaLiteChart"] :is(canvas, svg)').first).to_be_visible()


def settled(page: Page) -> None:
    """Wait until the page is drawn, and moves no more."""
    expect(page.locator('[data-testid="stApp"]')).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.locator('[data-testid="stSkeleton"]')).to_have_count(0)
    if (run := page.locator(".st-key-run button").first).is_visible():
        run.scroll_into_view_if_needed()  # on a phone, its row scrolls sideways
    page.mouse.move(720, 2)
    page.wait_for_timeout(800)


def draw(browser: Browser, app: str, name: str) -> None:
    act, size = PICTURES[name]
    context = browser.new_context(viewport=size, reduced_motion="reduce", locale="en-GB")  # type: ignore[arg-type]
    context.set_default_timeout(SECONDS * 1_000)
    page = context.new_page()
    act(page, app)
    if size is not SUMMARY and name != "sweep-running":
        settled(page)
    picture = Image.open(BytesIO(page.screenshot(full_page=size is SUMMARY))).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)
    context.close()


def main() -> None:
    names = sys.argv[1:] or list(PICTURES)
    expect.set_options(SECONDS * 1_000)
    with tempfile.TemporaryDirectory() as folder, serve_app(Path(folder)) as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=list(CHROMIUM_FLAGS))
        for name in names:
            draw(browser, app, name)
            print(name, flush=True)  # noqa: T201 - a program
        browser.close()


if __name__ == "__main__":
    main()
