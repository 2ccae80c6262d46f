"""What a person does on the pages, and what they see there."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.waiting import wait_for


def open_playground(page: Page, app: str) -> None:
    page.goto(app)
    expect(page.locator(".st-key-run button").first).to_be_visible()


def prompt(page: Page) -> Locator:
    """The field of the message that a new form has."""
    return page.locator(".st-key-message_1 textarea")


def set_number(page: Page, field: str, value: str) -> None:
    number = page.locator(f".st-key-{field} input")
    number.fill(value)
    number.press("Enter")
    expect(page.locator(f".st-key-{field}_state button[aria-checked=true]")).to_have_text("value")


def leave_field(page: Page) -> None:
    """Click beside the fields, so that what was typed counts."""
    page.locator(".st-key-run_bar").click(position={"x": 400, "y": 5})


def answer(page: Page) -> str:
    return page.locator(".st-key-answer .live-text").inner_text()


def growing_lengths(page: Page, count: int) -> list[int]:
    """The next ``count`` different lengths of the answer on the screen."""
    lengths = [len(answer(page))]
    while len(lengths) < count:
        wait_for(lambda: len(answer(page)) > lengths[-1])
        lengths.append(len(answer(page)))
    return lengths


def choose_row(page: Page, number: int) -> None:
    """Tick a row of the table: it is drawn on a canvas, so a place in it is clicked."""
    table = page.locator(".stDataFrame canvas").first
    expect(table).to_be_visible()
    table.click(position={"x": 20, "y": 17 + 35 * number}, force=True)  # what takes the click lies above the canvas
