from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.waiting import wait_for


def test_the_embedded_model_is_started_and_its_context_stands_in_the_table(page: Page, app: str) -> None:
    page.goto(f"{app}/endpoints")
    expect(page.get_by_role("heading", name="Endpoints", exact=True)).to_be_visible()
    embedded = page.locator(".st-key-endpoint_embedded")
    start, restart = (
        embedded.get_by_role("button", name="Start", exact=True),
        embedded.get_by_role("button", name="Restart"),
    )
    expect(start.or_(restart)).to_be_visible()
    # Another scenario may have used the model before.
    if start.is_visible():
        start.click()
    # No reload: the page fills in by itself. The first start may have to fetch the model's weights.
    expect(embedded.get_by_text("ready")).to_be_visible(timeout=90_000)
    expect(embedded.get_by_text("checked at")).to_be_visible()
    expect(restart).to_be_visible()
    embedded.get_by_text("Models (1)").click()
    # The grid is a canvas; the table inside it is what a screen reader is given.
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
