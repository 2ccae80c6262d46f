"""Sweeps in Chromium: a data set from a file."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect


def test_a_file_fills_the_variables_and_a_file_that_is_too_large_is_refused(
    page: Page, live_app: str, tmp_path: Path
) -> None:
    rows = tmp_path / "topics.csv"
    rows.write_text("topic\n" + "".join(f"number {number}\n" for number in range(300)))
    (tmp_path / "large.csv").write_text("topic\n" + "x" * 6_000_000)
    page.goto(f"{live_app}/sweep")
    message = page.locator(".st-key-messages textarea").first
    message.fill("Say {{topic}}.")
    message.press("Control+Enter")
    page.locator(".st-key-data_set_box summary").click()
    page.locator(".st-key-data_file input").set_input_files(tmp_path / "large.csv")
    expect(page.locator(".st-key-data_file")).to_contain_text("File must be 4.0MB or smaller.")
    page.locator(".st-key-data_file input").set_input_files(rows)
    expect(page.locator(".st-key-data_set_box")).to_contain_text("Data set: 300 × topic")
    expect(page.locator(".st-key-run_bar")).to_contain_text("7,200 requests")
    page.get_by_role("spinbutton", name="Sample size").fill("2")
    page.get_by_role("spinbutton", name="Sample size").press("Enter")
    expect(page.locator(".st-key-run_bar")).to_contain_text("48 requests")
    page.reload()
    expect(page.locator(".st-key-data_set_box")).to_contain_text("Data set: 2 × topic")
