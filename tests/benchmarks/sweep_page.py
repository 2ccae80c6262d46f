"""The delay of a click on the sweep page while ten thousand cells run, and afterwards: from the click to its effect.

    python -m tests.benchmarks.sweep_page [--repeats 100] [--clicks 40]

The endpoint answers at once, so that the server is as busy as a sweep can make it. Chromium goes back and forth between
the two tabs; the effect is a frame that shows the other tab's content, counted from the press of the mouse.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.benchmarks.endpoint import endpoint_at_once
from tests.browser.conftest import app_process, free_port
from tests.browser.pages import settled
from tests.chromium import CHROMIUM_FLAGS, program

ROWS = 100
SINCE_THE_NEXT_PRESS = """
shown => {
  window.waited = 0;
  addEventListener('pointerdown', pressed => {
    const look = () => {
      if (document.querySelector(shown)?.checkVisibility())
        requestAnimationFrame(() => { window.waited = performance.now() - pressed.timeStamp; });
      else setTimeout(look, 4);
    };
    look();
  }, {capture: true, once: true});
}
"""
TABS = [("Results", ".st-key-sweep_measure"), ("Runs", ".st-key-sweep_group")]


def clicks(page: Page, count: int) -> list[float]:
    waited = []
    for number in range(count):
        tab, shown = TABS[number % 2]
        page.evaluate(SINCE_THE_NEXT_PRESS, shown)
        page.get_by_role("tab", name=tab).click()
        # Polled slowly, so that it costs the page no frames.
        waited.append(page.wait_for_function("() => window.waited", polling=100, timeout=20_000).json_value())
        page.wait_for_timeout(300)
    return waited


def fill(page: Page, field: Locator, text: str) -> None:
    """Type a value, leave the field, and wait until the page has taken it."""
    field.fill(text)
    field.blur()
    page.wait_for_timeout(500)
    settled(page)


def summary(waited: list[float]) -> str:
    return (
        f"median {statistics.median(waited):4.0f} ms, 95th percentile {statistics.quantiles(waited, n=20)[-1]:4.0f} ms"
    )


def memory_mb(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def main() -> None:
    """Measure during a sweep and after it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sweep_page", description=__doc__)
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--clicks", type=int, default=40)
    arguments = parser.parse_args()
    port = free_port()
    environment = {"TEMPERA_SWEEP_CONFIRM_REQUESTS": str(10**9), "TEMPERA_MODEL": "m"}
    with (
        endpoint_at_once() as served,
        tempfile.TemporaryDirectory() as folder,
        app_process(Path(folder), port, **environment, TEMPERA_BASE_URL=served.base_url) as process,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=program(), args=list(CHROMIUM_FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 1400})
        page.goto(f"http://127.0.0.1:{port}/sweep")
        fill(page, page.locator(".st-key-messages textarea").first, "Say it.")
        axis = page.get_by_role("combobox", name=re.compile("^Axis 1"))
        axis.fill("random_seed")
        axis.press("Enter")
        settled(page)
        fill(page, page.get_by_role("textbox", name=re.compile("^Values of Axis 1")), f"seeds {ROWS - 1}")
        for label, number in (("Repeats", arguments.repeats), ("Concurrency", 8)):
            fill(page, page.get_by_role("spinbutton", name=label), str(number))
        before = memory_mb(process.pid)
        page.get_by_role("button", name="Run the sweep").click()
        page.get_by_role("button", name="Pause").wait_for()
        page.wait_for_timeout(2000)
        waited = clicks(page, arguments.clicks)
        print(f"while it runs: {summary(waited)}", flush=True)
        expect(page.get_by_role("button", name="Run all again")).to_be_visible(timeout=600_000)
        page.wait_for_timeout(2000)
        print(f"when it is done: {summary(clicks(page, arguments.clicks))}")
        after = memory_mb(process.pid)
        print(f"memory of the app: {before:.0f} MB before, {after:.0f} MB after, {os.cpu_count()} processors")
        browser.close()


if __name__ == "__main__":
    main()
