"""The source of every token, as a process of its own, so that no other part of the benchmark delays its clock.

    python -m tests.benchmarks.live_view.source --tokens 500 --rate 100

Streams chat completions, records the wall clock when a request has arrived and just before each token is sent, and
reports at ``/streams``. Serves the bare page at ``/bare``. Ends when its standard input does.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from string import ascii_lowercase
from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from tests.streaming.endpoint import DONE, chunk, document, framed, head, serve

ROOT = Path(__file__).resolve().parents[3]
BARE_PAGE = Path(__file__).parent / "apps" / "bare.html"
PARAGRAPH = 60
"""A blank line stands before each token whose number is a multiple of this."""


def name_of(stream: int) -> str:
    """The letters that a stream's words begin with: a to z, then aa, ab."""
    before, last = divmod(stream, len(ascii_lowercase))
    return (name_of(before - 1) if before else "") + ascii_lowercase[last]


def word(name: str, number: int) -> str:
    """A token that can be recognised: the stream's name and the token's own number."""
    blank = "\n\n" if number and number % PARAGRAPH == 0 else " "
    return f"{blank}{name}{number}"


@dataclass
class Stream:
    """One answer as its source sent it. Times are wall clocks in seconds since 1970, as time.time() tells them."""

    name: str
    asked: float
    """When the request had arrived, all of it."""
    began: float
    rate: float
    """Tokens per second; zero for as fast as they can be sent."""
    sent: list[float] = field(default_factory=list)
    """When each token was handed to the socket, by its number."""
    ended: float | None = None
    """When the last byte had been handed over."""

    def late(self) -> list[float]:
        """Seconds between each token's place in the schedule and its sending: the source's own delay."""
        return [sent - self.began - number / self.rate for number, sent in enumerate(self.sent)] if self.rate else []

    @property
    def time_to_first_token(self) -> float:
        """Seconds from the request to the first token, by the source's own clock."""
        return self.sent[0] - self.asked

    @property
    def decode_rate(self) -> float:
        """Tokens per second after the first one, by the source's own clock."""
        return (len(self.sent) - 1) / (self.sent[-1] - self.sent[0])


class Source:
    """The benchmark's view of a source: its addresses, and the streams it has sent."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.base_url = f"{address}/v1"

    def streams(self) -> list[Stream]:
        """Every stream since the source began, in the order in which they were asked for.

        Not to be called during a stream: reporting a long one occupies the source.
        """
        return [Stream(**stream) for stream in self._get("/streams")]

    def ended(self) -> list[bool]:
        """Whether each stream has ended."""
        ended: list[bool] = self._get("/ended")
        return ended

    def _get(self, path: str) -> Any:
        with build_opener(ProxyHandler({})).open(self.address + path, timeout=10) as answer:
            return json.load(answer)


@contextmanager
def running_source(tokens: int, rate: float, behind: str = "") -> Iterator[Source]:
    """A source in a separate process. ``behind`` is the address that answers all other requests."""
    command = [sys.executable, "-m", __name__, "--tokens", str(tokens), "--rate", str(rate), "--behind", behind]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Source(process.stdout.readline().strip())
        finally:
            process.stdin.close()


@contextmanager
def source(tokens: int, rate: float) -> Iterator[str]:
    """The base URL of a source, for benchmarks that need its tokens only."""
    with running_source(tokens, rate) as running:
        yield running.base_url


class Play:
    """Answers each request that reaches the source."""

    def __init__(self, tokens: int, rate: float, behind: str) -> None:
        self.tokens = tokens
        self.rate = rate
        self.streams: list[Stream] = []
        self._counting = threading.Lock()
        self._behind = behind
        self._routes: dict[str, Callable[[], bytes]] = {
            "/streams": lambda: _document([asdict(stream) for stream in self.streams]),
            "/ended": lambda: _document([stream.ended is not None for stream in self.streams]),
            "/bare": lambda: _document(BARE_PAGE.read_bytes(), "text/html; charset=utf-8"),
        }
        if not behind:
            self._routes["/v1/models"] = lambda: _document({"data": [{"id": "m"}]})

    def __call__(self, connection: socket.socket, request: bytes) -> None:
        """Answer one request; the connection is closed after it."""
        asked = time.time()
        method, target, _ = request.split(b"\r\n", 1)[0].decode().split(" ")
        if method == "POST" and urlsplit(target).path == "/v1/chat/completions":
            self._stream(connection, asked)
        elif route := self._routes.get(urlsplit(target).path):
            connection.sendall(route())
        elif self._behind:
            connection.sendall(_forwarded(self._behind, method, target, request.partition(b"\r\n\r\n")[2]))
        else:
            connection.sendall(document({}, "404 Not Found", "Connection: close"))

    def _stream(self, connection: socket.socket, asked: float) -> None:
        connection.sendall(head("200 OK", "Transfer-Encoding: chunked", "Connection: close"))
        with self._counting:
            stream = Stream(name_of(len(self.streams)), asked, began=time.time(), rate=self.rate)
            self.streams.append(stream)
        # Made by hand around the word: at full speed the encoding of JSON would be most of the work.
        before, after = chunk("WORD").split(b"WORD")
        stream.began, began = time.time(), time.monotonic()
        for number in range(self.tokens):
            piece = framed(before + word(stream.name, number).replace("\n", "\\n").encode() + after)
            if self.rate:
                time.sleep(max(began + number / self.rate - time.monotonic(), 0))
            stream.sent.append(time.time())
            connection.sendall(piece)
        usage = {"prompt_tokens": 1, "completion_tokens": self.tokens, "total_tokens": self.tokens + 1}
        connection.sendall(framed(chunk("", "stop", usage=usage) + DONE) + framed(b""))
        stream.ended = time.time()


def _document(value: object, content_type: str = "application/json") -> bytes:
    return document(value, "200 OK", "Connection: close", content_type=content_type)


def _forwarded(behind: str, method: str, target: str, body: bytes) -> bytes:
    """The answer of the server behind, whole."""
    connection = http.client.HTTPConnection(urlsplit(behind).netloc, timeout=30)
    try:
        connection.request(
            method, target, body or None, {"Accept-Encoding": "gzip", "Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        kept = [f"{name}: {value}" for name, value in answer.getheaders() if name in ("Content-Encoding", "ETag")]
        content_type = answer.getheader("Content-Type") or "text/plain"
        status = f"{answer.status} {answer.reason}"
        return document(answer.read(), status, *kept, "Connection: close", content_type=content_type)
    finally:
        connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--behind", default="")
    arguments = parser.parse_args()
    with serve(Play(arguments.tokens, arguments.rate, arguments.behind)) as endpoint:
        print(f"http://127.0.0.1:{endpoint.port}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
