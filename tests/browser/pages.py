"""Actions of a user on the pages, and the visible results."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.waiting import wait_for


def open_playground(page: Page, app: str) -> None:
    page.goto(app)
    expect(page.locator(".st-key-run button").first).to_be_visible()


def settled(page: Page) -> None:
    """Wait until the server has drawn the page."""
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")


def prompt(page: Page) -> Locator:
    """The text field of a new form's message."""
    return page.locator(".st-key-message_1 textarea")


def set_number(page: Page, field: str, value: str) -> None:
    number = page.locator(f".st-key-{field} input")
    number.fill(value)
    number.press("Enter")
    expect(page.locator(f".st-key-{field}_state input")).to_have_value("value")


def choose_state(page: Page, field: str, state: str) -> None:
    """Choose omit, null or value in the field's menu."""
    settled(page)  # a redrawn menu closes
    page.locator(f".st-key-{field}_state button").click()
    page.get_by_role("option", name=state, exact=True).click()


def leave_field(page: Page) -> None:
    """Click outside the fields, so that the typed text is submitted."""
    page.locator(".st-key-run_bar").click(position={"x": 400, "y": 5})


def answer(page: Page) -> str:
    return page.locator(".st-key-answer .live-text").inner_text()


def growing_lengths(page: Page, count: int) -> list[int]:
    """The next ``count`` distinct lengths of the shown answer."""
    lengths = [len(answer(page))]
    while len(lengths) < count:
        wait_for(lambda: len(answer(page)) > lengths[-1])
        lengths.append(len(answer(page)))
    return lengths


def row(page: Page, number: int) -> Locator:
    """A row of the run log, counted from 1."""
    return page.locator(".runs-list tbody tr").nth(number - 1)


def choose_row(page: Page, number: int) -> None:
    """Tick a row of the run log."""
    row(page, number).get_by_role("checkbox").check()


def open_row(page: Page, number: int) -> None:
    """Open a run of the run log in its drawer."""
    row(page, number).click()
    expect(page.locator(".st-key-run_drawer")).to_be_visible()
