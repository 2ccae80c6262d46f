"""Sweeps as a person sees them, in Chromium: a data set from a file, and an app that is killed in the middle."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import app_process, free_port, serve_app
from tests.streaming.endpoint import DONE, chunk, document, head, serve
from tests.waiting import wait_for


def slowly(connection: socket.socket, request: bytes) -> None:
    """An answer that takes a quarter of a second."""
    if request.startswith(b"GET"):
        connection.sendall(document({"data": [{"id": "m"}]}))
        return
    connection.sendall(head() + chunk("The"))
    time.sleep(0.25)
    connection.sendall(chunk(" sea.") + chunk("", "stop") + DONE)


def begin(page: Page, app: str, prompt: str) -> None:
    page.goto(f"{app}/sweep")
    message = page.locator(".st-key-messages textarea").first
    message.fill(prompt)
    message.press("Control+Enter")
    expect(page.locator(".st-key-run_bar")).to_contain_text("requests")


def well_by_cell(folder: Path) -> Counter[tuple[int, int]]:
    with closing(sqlite3.connect(folder / "runs.sqlite3")) as log:
        return Counter(log.execute("select position, repeat from runs where status = 'ok'").fetchall())


def test_a_sweep_whose_app_is_killed_goes_on_with_the_missing_cells(page: Page, tmp_path: Path) -> None:
    port = free_port()
    with serve(slowly) as endpoint:
        environment = {"TEMPERA_BASE_URL": endpoint.base_url, "TEMPERA_MODEL": "m"}
        with app_process(tmp_path, port, **environment) as process:
            begin(page, f"http://127.0.0.1:{port}", "Say it.")
            expect(page.locator(".st-key-run_bar")).to_contain_text("24 requests")
            page.locator(".st-key-run_sweep button").click()
            wait_for(lambda: (tmp_path / "runs.sqlite3").exists() and len(well_by_cell(tmp_path)) >= 5)
            address = page.url
            assert "sweep=" in address
            process.kill()
            process.wait()
        before = well_by_cell(tmp_path)
        assert 5 <= len(before) < 24
        with app_process(tmp_path, port, **environment):
            page.goto(address)
            page.locator(".st-key-run_missing button").click()
            expect(page.get_by_text("24 of 24 cells ended")).to_be_visible(timeout=30_000)
        after = well_by_cell(tmp_path)
    assert len(after) == 24
    assert set(after.values()) == {1}


def test_a_file_fills_the_variables_and_one_that_is_too_large_is_refused(page: Page, tmp_path: Path) -> None:
    rows = tmp_path / "topics.csv"
    rows.write_text("topic\n" + "".join(f"number {number}\n" for number in range(1_500)))
    (tmp_path / "large.csv").write_text("topic\n" + "x" * 6_000_000)
    with serve(slowly) as endpoint, serve_app(tmp_path, TEMPERA_BASE_URL=endpoint.base_url) as app:
        begin(page, app, "Say {{topic}}.")
        page.locator(".st-key-data_set_box summary").click()
        page.locator(".st-key-data_file input").set_input_files(tmp_path / "large.csv")
        expect(page.locator(".st-key-data_file")).to_contain_text("File must be 4.0MB or smaller.")
        page.locator(".st-key-data_file input").set_input_files(rows)
        expect(page.locator(".st-key-data_set_box")).to_contain_text("Data set: 1,500 × topic")
        # Nine thousand requests are composed for this, on a machine that may be busy.
        expect(page.locator(".st-key-run_bar")).to_contain_text("36,000 requests", timeout=30_000)
        page.get_by_role("spinbutton", name="Rows at random").fill("2")
        page.get_by_role("spinbutton", name="Rows at random").press("Enter")
        expect(page.locator(".st-key-run_bar")).to_contain_text("48 requests")
        page.reload()
        expect(page.locator(".st-key-data_set_box")).to_contain_text("Data set: 2 × topic")
