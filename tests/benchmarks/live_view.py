"""Bytes and seconds of the live answer in a real browser, beside a ten-line ``st.write_stream`` app in the same run.

    python -m tests.benchmarks.live_view [--tokens 500 2000] [--rate 100]

A local source sends tokens at a steady rate to both. Counted are the bytes that reach the page over its WebSocket while
the answer streams, per token, and the time from the click on Run to the first painted token.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, WebSocket, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS, free_port, serve_app
from tests.streaming.endpoint import DONE, chunk, document, head, serve
from tests.waiting import wait_for

WRITE_STREAM_APP = """
import json, os
import requests, streamlit as st
def tokens():
    url = os.environ["TEMPERA_BASE_URL"] + "/chat/completions"
    for line in requests.post(url, json={"stream": True}, stream=True).iter_lines():
        if line.startswith(b"data: {"):
            yield json.loads(line[6:])["choices"][0]["delta"].get("content") or ""
if st.button("Run", key="run"):
    with st.container(key="answer"):
        st.write_stream(tokens())
"""

# Words of four or five letters, a full stop now and then, a new paragraph after each sixty words.
WORDS = ["tide", "salt", "wind", "gull", "rope", "sand", "mast", "deck", "foam", "reef"]


def word(number: int) -> str:
    if number and number % 60 == 0:
        return f".\n\n{WORDS[number % 10].title()}"
    return f" {WORDS[number % 10]}"


@contextmanager
def source(tokens: int, rate: float) -> Iterator[str]:
    def play(connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET"):
            connection.sendall(document({"data": [{"id": "m"}]}))
            return
        connection.sendall(head())
        began = time.monotonic()
        for number in range(tokens):
            time.sleep(max(began + number / rate - time.monotonic(), 0))
            connection.sendall(chunk(word(number)))
        connection.sendall(chunk("", "stop") + DONE)

    with serve(play) as server:
        yield server.base_url


@contextmanager
def write_stream_app(folder: Path, base_url: str) -> Iterator[str]:
    (folder / "simple.py").write_text(WRITE_STREAM_APP)
    port = free_port()
    flags = ["--server.port", str(port), "--server.headless", "true", "--browser.gatherUsageStats", "false"]
    with subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "simple.py", "--server.address", "127.0.0.1", *flags],
        cwd=folder,
        env={**os.environ, "TEMPERA_BASE_URL": base_url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as app:
        try:
            wait_for(lambda: _listens(port), 30)
            yield f"http://127.0.0.1:{port}"
        finally:
            app.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def measure(page: Page, address: str, tokens: int) -> tuple[int, float]:
    """Bytes to the page while the answer streams, and seconds from the click to the first painted token."""
    received = [0]

    def listen(opened: WebSocket) -> None:
        opened.on("framereceived", lambda frame: received.__setitem__(0, received[0] + len(frame)))

    page.on("websocket", listen)
    page.goto(address)
    page.locator(".st-key-run button").wait_for()
    page.wait_for_timeout(1500)
    before = received[0]
    answer = page.locator(".st-key-answer")
    clicked = time.perf_counter()
    page.locator(".st-key-run button").click()
    wait_for(lambda: answer.count() and "tide" in answer.inner_text(), 20)
    first = time.perf_counter() - clicked
    expected = "".join(map(word, range(tokens))).split()
    wait_for(lambda: answer.inner_text().split() == expected, tokens)
    page.wait_for_timeout(1000)
    return received[0] - before, first


def main() -> None:
    """Measure and print one row per length."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.live_view", description=__doc__)
    parser.add_argument("--tokens", type=int, nargs="+", default=[500, 2000])
    parser.add_argument("--rate", type=float, default=100.0, help="tokens per second")
    arguments = parser.parse_args()
    chromium = shutil.which("chromium")
    print("tokens  view             bytes    bytes/token  Run to first token")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as name:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        folder = Path(name)
        for tokens in arguments.tokens:
            with source(tokens, arguments.rate) as base_url:
                rows = {}
                for view, app in (
                    ("Tempera", serve_app(folder, TEMPERA_BASE_URL=base_url)),
                    ("st.write_stream", write_stream_app(folder, base_url)),
                ):
                    with app as address:
                        page = browser.new_page(viewport={"width": 1440, "height": 900})
                        rows[view] = measure(page, address, tokens)
                        page.close()
                for view, (size, first) in rows.items():
                    print(f"{tokens:6}  {view:15} {size:9,} {size / tokens:11.0f} {first * 1000:13.0f} ms", flush=True)
                print(f"        ratio           {rows['Tempera'][0] / rows['st.write_stream'][0]:9.3f}")
        browser.close()


if __name__ == "__main__":
    main()
