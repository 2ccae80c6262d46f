"""Tokens per second of the embedded model: through the whole app in a browser, and by xllamacpp called directly.

    python -m tests.benchmarks.embedded_rate [--rounds 3]

Both take turns in the same minutes with the same prompt, seed, length and threads, and nothing else runs; the ratio of
the medians is the cost of everything around the model: HTTP, reader, log, page and browser.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import ROOT, serve_app
from tests.chromium import CHROMIUM_FLAGS, program

PROMPT = "Write a long story about a lighthouse keeper, a storm, a map and a child."
TOKENS = 300

DIRECT = """
import json, sys, time
import xllamacpp
from components.embedded import defaults, weights
from components.settings import read_settings
parameters = xllamacpp.CommonParams()
parameters.model.path = str(weights.ensure(read_settings().cache_dir))
parameters.n_ctx, parameters.n_parallel, parameters.verbosity = 8192, 4, -1
parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = defaults.default_threads()
server = xllamacpp.Server(parameters)
at = []
def take(chunk):
    choices = chunk.get("choices") or [{}]
    if choices[0].get("delta", {}).get("content"):
        at.append(time.perf_counter())
server.handle_chat_completions({
    "messages": [{"role": "user", "content": sys.argv[1]}], "max_tokens": int(sys.argv[2]),
    "temperature": 0.7, "seed": 7, "top_k": 0, "min_p": 0, "stream": True, "ignore_eos": True,
}, take)
print(json.dumps((len(at) - 1) / (at[-1] - at[0])))
"""


def direct() -> float:
    asked = [sys.executable, "-c", DIRECT, PROMPT, str(TOKENS)]
    ran = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(json.loads(ran.stdout.splitlines()[-1]))


def through_the_app(page: Page, folder: Path) -> float:
    page.locator(".st-key-run button").click()
    expect(page.locator(".st-key-run_status")).to_contain_text("Streaming", timeout=20_000)
    expect(page.locator(".st-key-run_status")).to_contain_text("finish reason length", timeout=60_000)
    page.wait_for_timeout(500)
    with sqlite3.connect(folder / "runs.sqlite3") as log:
        row = log.execute("select tokens_per_second from runs order by created_at desc limit 1").fetchone()
    log.close()
    return float(row[0])


def main() -> None:
    """Measure in turns and print the medians and their ratio."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.embedded_rate", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    app_rates, direct_rates = [], []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as name, serve_app(Path(name)) as address:
        browser = playwright.chromium.launch(executable_path=program(), args=list(CHROMIUM_FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(address)
        page.locator(".st-key-messages textarea").fill(PROMPT)
        for field, value in (("max_tokens", str(TOKENS)), ("random_seed", "7"), ("temperature", "0.7")):
            number = page.locator(f".st-key-{field} input")
            number.fill(value)
            number.press("Enter")
            page.wait_for_timeout(700)
        for _ in range(arguments.rounds):
            direct_rates.append(direct())
            app_rates.append(through_the_app(page, Path(name)))
            print(f"direct {direct_rates[-1]:6.1f} tokens/s   app {app_rates[-1]:6.1f} tokens/s", flush=True)
        browser.close()
    app, alone = statistics.median(app_rates), statistics.median(direct_rates)
    print(f"median: direct {alone:.1f}, app {app:.1f}, ratio {app / alone:.3f}")


if __name__ == "__main__":
    main()
