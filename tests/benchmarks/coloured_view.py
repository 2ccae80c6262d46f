"""The cost of coloured tokens against plain text: processor time per token of the server and the browser.

    python -m tests.benchmarks.coloured_view

Each view has its own app and its own browser, and all of them show the same answer at the same time, so that a busy
machine slows all of them alike. A frame shows at most one token, which is the most expensive case.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.benchmarks.live_view.processes import cpu_seconds
from tests.benchmarks.probabilities import an_event
from tests.browser.conftest import app_process, free_port
from tests.browser.pages import open_playground, prompt, set_number, settled
from tests.chromium import CHROMIUM_FLAGS, PATIENCE_MS, VIEWPORT, program
from tests.streaming.endpoint import DONE, chunk, document, event, head, serve
from tests.waiting import wait_for

PARAGRAPH = 60
FEW = 3
"""Tokens of the first answer, below which the view is chosen."""
COUNTED = 0.9
"""The part of an answer that is counted: its end draws the page again."""


class Source:
    """Answers all long requests at the same time. The message says how many alternatives a token has."""

    def __init__(self, tokens: int, rate: float) -> None:
        self._tokens, self._rate = tokens, rate
        self.begin = threading.Event()
        self.asked: list[str] = []

    def play(self, connection: socket, request: bytes) -> None:
        """Answer one request."""
        if request.startswith(b"GET"):
            connection.sendall(document({"data": [{"id": "m"}]}))
            return
        body = json.loads(request.partition(b"\r\n\r\n")[2])
        count = FEW if body.get("max_tokens") == FEW else self._tokens
        alternatives = int(body["messages"][0]["content"]) if body.get("logprobs") else None
        pieces = [self._piece(number, alternatives) for number in range(count)]
        connection.sendall(head())
        if count > FEW:
            self.asked.append(body["model"])
            self.begin.wait()
        began = time.monotonic()
        for number, piece in enumerate(pieces):
            time.sleep(max(began + number / self._rate - time.monotonic(), 0))
            connection.sendall(piece)
        connection.sendall(chunk("", "stop", usage={"completion_tokens": count}) + DONE)

    @staticmethod
    def _piece(number: int, alternatives: int | None) -> bytes:
        content: dict[str, Any] = json.loads(an_event(alternatives)[1])
        if number and number % PARAGRAPH == 0:
            content["choices"][0]["delta"]["content"] += "\n\n"
        return event(content)


@dataclass
class Watched:
    """An app, and a page of it that waits for its answer."""

    server: int
    browser: Browser
    page: Page

    def seconds(self) -> dict[str, float]:
        """Processor time so far, of the server and of each kind of the browser's processes."""
        session = self.browser.new_browser_cdp_session()
        spent = {"server": cpu_seconds(self.server)}
        for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
            kind = process["type"] if process["type"] == "renderer" else "rest of the browser"
            spent[kind] = spent.get(kind, 0.0) + process["cpuTime"]
        session.detach()
        return spent


@contextmanager
def watched(playwright: Playwright, base_url: str, alternatives: int | None, *, raw: bool) -> Iterator[Watched]:
    """A page that has run a short answer in this view; its next one is long."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        settings = {"TEMPERA_BASE_URL": base_url, "TEMPERA_DIALECT": "openai"}
        with app_process(Path(folder), port, **settings) as process:
            assert process.pid
            browser = playwright.chromium.launch(executable_path=program(), args=list(CHROMIUM_FLAGS))
            page = browser.new_page(viewport=VIEWPORT)
            page.set_default_timeout(PATIENCE_MS)
            open_playground(page, f"http://127.0.0.1:{port}")
            prompt(page).fill(str(alternatives or 0))
            page.keyboard.press("Tab")
            settled(page)
            if alternatives is not None:
                page.locator(".st-key-token_probabilities label").first.click()
                settled(page)
            set_number(page, "max_tokens", str(FEW))
            page.locator(".st-key-run button").first.click()
            page.get_by_text("Replay", exact=True).wait_for()
            if raw:
                page.get_by_text("Raw", exact=True).click()
            set_number(page, "max_tokens", "4000")
            settled(page)
            yield Watched(process.pid, browser, page)
            browser.close()


def measure(tokens: int, rate: float) -> str:
    """The table in Markdown: milliseconds of processor time for each token."""
    source, cases = Source(tokens, rate), {"plain": None, "markdown": None, "5 alternatives": 5, "20 alternatives": 20}
    expect.set_options(PATIENCE_MS)
    with serve(source.play) as endpoint, sync_playwright() as playwright, ExitStack() as open_pages:
        pages = {
            name: open_pages.enter_context(watched(playwright, endpoint.base_url, number, raw=name == "plain"))
            for name, number in cases.items()
        }
        for each in pages.values():
            each.page.locator(".st-key-run button").first.click()
        wait_for(lambda: len(source.asked) == len(pages), 60)
        time.sleep(3)  # the pages have been drawn
        before = {name: each.seconds() for name, each in pages.items()}
        source.begin.set()
        time.sleep(tokens / rate * COUNTED)
        after = {name: each.seconds() for name, each in pages.items()}
    spent = {
        name: {
            kind: (after[name][kind] - before[name].get(kind, 0.0)) / tokens / COUNTED * 1000 for kind in after[name]
        }
        for name in pages
    }
    base = sum(spent["plain"].values())
    kinds = list(spent["plain"])
    lines = [f"| view | {' | '.join(kinds)} | together | to plain |", "|---" * (len(kinds) + 3) + "|"]
    for name, parts in spent.items():
        numbers = [f"{parts[kind]:.2f} ms" for kind in kinds]
        whole = sum(parts.values())
        lines.append(f"| {name} | {' | '.join(numbers)} | {whole:.2f} ms | × {whole / base:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=600)
    parser.add_argument("--rate", type=float, default=25.0, help="tokens per second")
    arguments = parser.parse_args()
    print(measure(arguments.tokens, arguments.rate))


if __name__ == "__main__":
    main()
