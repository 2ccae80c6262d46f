"""The Runs page in Chromium: a view in the address, its export, and compared runs."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
import requests
from playwright.sync_api import Page, expect

from components.log.database import Database
from tests.browser.conftest import serve_app
from tests.browser.pages import choose_row, open_row, row
from tests.log.test_search import RECORDS, a_record, keep
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def app(folder: Path) -> Iterator[str]:
    """The app on a log of six runs."""
    database = Database(f"sqlite:///{folder / 'runs.sqlite3'}")
    keep(database, *RECORDS)
    database.close()
    with serve_app(folder) as address:
        yield address


def open_a_view(page: Page, app: str) -> None:
    """A link opens the same view, and a filter changes the address."""
    page.goto(f"{app}/runs?sent=temperature+omitted&status=ok")
    expect(page.get_by_text("Settings temperature omitted")).to_be_visible()
    expect(page.get_by_text("1 run.", exact=False).first).to_be_visible()
    find = page.get_by_role("textbox", name="Search")
    find.fill("nowhere")
    find.press("Enter")
    expect(page.get_by_text("No matching runs. Clear a filter.")).to_be_visible()
    assert "find=nowhere" in page.url
    page.get_by_role("button", name="Clear filters").click()
    expect(page.get_by_text("6 runs.", exact=False).first).to_be_visible()
    assert "find" not in page.url
    assert "sent" not in page.url
    page.goto(f"{app}/runs?find=sea&status=ok")
    expect(page.get_by_role("textbox", name="Search")).to_have_value("sea")


def export_found_runs(page: Page) -> None:
    page.get_by_role("button", name="Export").click()
    taken = {}
    for label in ("CSV", "JSON Lines", "Parquet"):
        with page.expect_download() as download:
            page.get_by_role("link", name=label).click()
        taken[label] = Path(download.value.path()).read_bytes()
    lines = list(csv.DictReader(io.StringIO(taken["CSV"].decode(), newline="")))
    assert [line["text"] for line in lines] == ["Grey waves roll in.", "Sea green"]
    texts = [json.loads(line)["text"] for line in taken["JSON Lines"].splitlines()]
    assert texts == ["Grey waves roll in.", "Sea green"]
    table = parquet.read_table(io.BytesIO(taken["Parquet"]))
    assert table["text"].to_pylist() == texts


def test_an_export_needs_a_token(app: str) -> None:
    for path in ("x/runs.csv", "x/runs.exe", "/runs.csv"):
        refused = requests.get(f"{app}/exports/{path}", timeout=10)
        assert "waves" not in refused.text


def is_tagged(folder: Path, tag: str) -> bool:
    with closing(sqlite3.connect(folder / "runs.sqlite3")) as log:
        return (tag,) in log.execute("select tags from run_annotations").fetchall()


def test_runs_are_filtered_exported_opened_and_compared(page: Page, app: str, folder: Path) -> None:
    open_a_view(page, app)
    export_found_runs(page)
    page.keyboard.press("Escape")
    open_row(page, 1)
    expect(page.locator(".st-key-answer")).to_contain_text("Sea green")
    page.get_by_role("radio", name="Events").click()
    expect(page.get_by_role("radio", name="Events")).to_be_checked()
    page.get_by_role("radio", name="Notes").click()
    notes = page.get_by_role("textbox", name="Notes")
    notes.fill("Too short.")
    notes.press("Control+Enter")
    page.get_by_role("radio", name="4 out of 5 stars").check(force=True)
    tags = page.get_by_role("combobox", name="Tags")
    tags.fill("keep")
    tags.press("Enter")
    # The page does not show when a tag is saved.
    wait_for(lambda: is_tagged(folder, "keep"))
    page.reload()
    page.get_by_role("radio", name="Notes").click()
    expect(page.get_by_role("radio", name="4 out of 5 stars")).to_be_checked()
    expect(page.locator(".stMultiSelect").filter(has_text="keep")).to_be_visible()
    expect(page.get_by_role("textbox", name="Notes")).to_have_value("Too short.")
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-run_drawer")).to_have_count(0)

    choose_row(page, 1)
    # Rows do not move under the pointer; a ticked row keeps its run when newer ones arrive.
    row(page, 2).hover()
    database = Database(f"sqlite:///{folder / 'runs.sqlite3'}")
    keep(database, a_record(29, "A newer sea", "Blue"))
    database.close()
    # The list refreshes every two seconds.
    page.wait_for_timeout(2_500)
    expect(page.locator(".runs-list tbody tr")).to_have_count(2)
    page.get_by_role("heading", name="Runs").hover()
    expect(row(page, 1)).to_contain_text("A newer sea")
    expect(row(page, 2).get_by_role("checkbox")).to_be_checked()
    choose_row(page, 3)
    expect(page.get_by_text("2 runs selected")).to_be_visible()
    differences = page.locator(".stTable").first
    expect(differences).to_contain_text("Name a colour")
    expect(differences).to_contain_text("Describe the sea")
    expect(differences).not_to_contain_text("A newer sea")
    expect(page.get_by_role("button", name="Open in Compare")).to_be_visible()
    expect(page.get_by_text("Answers, each against the first")).to_be_visible()
