"""The largest texts that outsiders can send to a demo: their cost in memory and in another visitor's waiting time.

    python -m tests.benchmarks.attack

One visitor sends them, or gets them as answers, while another opens the playground again and again. Printed of each are
the attacker's own wait, the other's longest one, and by how much the memory of the server grew.
"""

from __future__ import annotations

import json
import multiprocessing
import re
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.browser.conftest import app_process, free_port
from tests.security.open_page import OpenPage
from tests.security.session import Session, session
from tests.streaming.endpoint import DONE, chunk, document, head, serve

AFTERWARDS_S = 1.0
TABLE = "| a | b | c |\n|---|---|---|\n"
LANGUAGES = [f"```{name}\nif a < 1:\n```\n" for name in ("abap", "ada", "agda", "css+genshitext", "markdown", "python")]

Attack = Callable[[str], None]
ANSWERS = {
    "newlines under two lexers": "```css+genshitext\n" + "\n" * 95_000 + "\n```",
    "newlines in C": "```c\na" + "\n" * 95_000 + "\n```",
    "many languages": "".join(LANGUAGES * 400),
    "a long table": TABLE + "| *a* | `b` | $c^2$ |\n" * 4_000,
    "images that are none": "![" * 48_000,
}


def play(connection: socket.socket, request: bytes) -> None:
    """Answer with the text that the prompt names."""
    if request.startswith(b"GET"):
        connection.sendall(document({"data": [{"id": "m"}]}))
        return
    text = next((answer for name, answer in ANSWERS.items() if name.encode() in request), "Hello")
    connection.sendall(head())
    for place in range(0, len(text), 2_000):
        connection.sendall(chunk(text[place : place + 2_000]))
    connection.sendall(chunk("", "stop") + DONE)


def link(page: str, query: str) -> Attack:
    def attack(address: str) -> None:
        with session(address) as opened:
            opened.open(page, query)

    return attack


def typed(page: str, **texts: str) -> Attack:
    def attack(address: str) -> None:
        with session(address) as opened:
            form = OpenPage(opened, name=page)
            form.send(**texts)
            form.learn()

    return attack


def answered(name: str) -> Attack:
    def attack(address: str) -> None:
        with session(address) as opened:
            form = OpenPage(opened)
            form.send("run", message_1=name)
            form.learn()

    return attack


def watched_in_many_lanes(address: str) -> None:
    """Twelve connections with one page's token, each with thirty lanes of the page's own run."""
    with session(address) as opened:
        form = OpenPage(opened)
        form.send("run", message_1="a long table")
        form.learn()
        said = b"".join(opened.received).decode(errors="replace")
        token, run = re.findall(r'"token": ?"([\w-]+)"', said)[-1], re.findall(r'"run": ?"(\w{32})"', said)[-1]
        threads = [threading.Thread(target=_watch_many, args=(address, token, run)) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _watch_many(address: str, token: str, run: str) -> None:
    live = connect(f"{address.replace('http', 'ws')}/live", origin=Origin(address), proxy=None, max_size=None)
    with live as connection, suppress(ConnectionClosed, TimeoutError):
        connection.send(json.dumps({"token": token}))
        for lane in range(30):
            connection.send(json.dumps({"watch": run, "lane": lane, "part": "markdown"}))
        while True:
            connection.recv(timeout=3)


ATTACKS: dict[str, Attack] = {
    "nothing": link("", ""),
    "brackets in a filter": link("runs", f"sent={'[' * 20_000}"),
    "a link of one letter": link("", f"s=1.{'a' * 119_000}"),
    "a message of variables": typed("", message_1="{{a}}" * 200_000),
    "a message of lines": typed("", message_1="a\n" * 500_000),
    "ten thousand body fields": typed("", extra_body=json.dumps(dict.fromkeys(map(str, range(10_000)), 1))),
    "body fields of lists": typed("", extra_body='{"a":[' + "[]," * 330_000 + "1]}"),
    "a data set of empty lines": typed("sweep", data_text="a" + "\n" * 990_000),
    "a data set of lists": typed("sweep", data_text='{"a":[' + "[]," * 330_000 + "1]}"),
    "a data set of commas": typed("sweep", data_text="a" + "," * 990_000),
    "twelve sockets of thirty lanes": watched_in_many_lanes,
    **{f"an answer: {name}": answered(name) for name in ANSWERS},
}


class Visitor:
    """Opens a page again and again."""

    def __init__(self, opened: Session) -> None:
        self._session = opened
        self._over = threading.Event()
        self.longest_s = 0.0

    def visit(self) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            self._session.open()
            self.longest_s = max(self.longest_s, time.monotonic() - began)

    def __enter__(self) -> Visitor:
        self._thread = threading.Thread(target=self.visit)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        time.sleep(AFTERWARDS_S)
        self._over.set()
        self._thread.join()


def memory_mb(process_id: int) -> float:
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def main() -> None:
    folder, port = Path(tempfile.mkdtemp()), free_port()
    (folder / "secrets.toml").write_text('[demo]\nenabled = true\ngone_after_s = 2\nendpoints = ["environment"]\n')
    with (
        serve(play) as endpoint,
        app_process(folder, port, TEMPERA_BASE_URL=endpoint.base_url, TEMPERA_MODEL="m") as process,
    ):
        address = f"http://127.0.0.1:{port}"
        # Imports of a page on its first opening do not count.
        for page in ("", "runs", "sweep", ""):
            link(page, "")(address)
        print(f"{'attack':40} {'own wait':>9} {'other waits':>12} {'memory':>9}")
        for name, attack in ATTACKS.items():
            before = memory_mb(process.pid)
            with session(address) as opened, Visitor(opened) as visitor:
                began = time.monotonic()
                # A separate process, so that reading by the attacker does not delay the visitor's thread.
                attacker = multiprocessing.get_context("fork").Process(target=attack, args=(address,))
                attacker.start()
                attacker.join()
                own = time.monotonic() - began
            grown = memory_mb(process.pid) - before
            assert not name.startswith("an answer") or any(b"POST" in request[:4] for request in endpoint.requests)
            endpoint.requests.clear()
            print(f"{name:40} {own:7.2f} s {visitor.longest_s:10.2f} s {grown:+6.0f} MB", flush=True)


if __name__ == "__main__":
    main()
