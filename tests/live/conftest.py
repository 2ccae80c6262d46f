"""The server's live socket, and a reader that applies its messages like the page's script."""

from __future__ import annotations

import html
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.sync.client import ClientConnection, connect

from components.contract.profile import OPENAI
from components.endpoints.endpoint import Address, Endpoint
from components.live.channels import Channels
from components.live.frames import Frame
from components.live.socket import LiveSocket
from components.runs.run import Run
from components.streaming.answer import Delta, TimedEvent
from components.streaming.moments import Timings
from components.streaming.outcome import Outcome, Status
from tests.browser.conftest import free_port
from tests.orders import order
from tests.waiting import wait_for

ORIGIN = "http://tempera.test"


def make_run(text: str = "", model: str = "m") -> Run:
    run = Run(order(Endpoint("here", OPENAI, Address("http://127.0.0.1:1/v1")), model=model))
    if text:
        tell(run, text)
    return run


def tell(run: Run, text: str, at_ms: float = 1.0) -> None:
    """Add this text to the run."""
    chunk = json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]})
    run.take(TimedEvent("message", chunk, at_ms, (Delta(0, text),)))


def end(run: Run, status: Status = Status.OK, finish_reason: str | None = "stop") -> None:
    text = run.record().text
    run.finish(Outcome(status, text=text, finish_reason=finish_reason, chunk_count=3, attempts=1, timings=Timings()))


def applied(blocks: list[str], frame: Frame) -> list[str]:
    """The blocks after a frame is applied; positions are in UTF-16 code units, as in browsers."""
    start, kept, rest, *more = frame
    assert isinstance(start, int)
    assert isinstance(kept, int)
    before = blocks[start] if start < len(blocks) else ""
    begun = before.encode("utf-16-le")[: kept * 2].decode("utf-16-le")
    return [*blocks[:start], begun + str(rest), *map(str, more)]


@dataclass
class Reader:
    """One lane of a connection, as in the page's script."""

    connection: ClientConnection
    lane: int = 1
    blocks: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    received: int = 0

    def watch(self, run_id: str, part: str, *, resume: bool = False) -> None:
        known = self.blocks[:-1] if resume else []
        size = sum(len(block.encode("utf-16-le")) // 2 for block in known)
        self.ask({"watch": run_id, "part": part, "count": len(known), "size": size})

    def ask(self, request: dict[str, object]) -> None:
        self.connection.send(json.dumps({"lane": self.lane, **request}))

    def read(self, seconds: float = 10) -> None:
        """Read the next message."""
        text = self.connection.recv(timeout=seconds)
        self.received += len(text)
        for lane, first, *rest in json.loads(text):
            assert lane == self.lane
            if isinstance(first, int):
                self.blocks = applied(self.blocks, [first, *rest])
            else:
                self.facts |= first

    def read_to_the_end(self) -> None:
        while not self.facts.get("ended"):
            self.read()

    @property
    def plain_text(self) -> str:
        return html.unescape("".join(self.blocks))


class Server:
    """The socket behind a real server on loopback."""

    def __init__(self, hello_s: float = 5.0) -> None:
        self.channels = Channels()
        self.port = free_port()
        allowed = lambda origin, _host: origin == ORIGIN  # noqa: E731
        routes = [WebSocketRoute("/live", LiveSocket(lambda: self.channels, allowed, hello_s).serve)]
        # Like Streamlit's server.
        config = uvicorn.Config(Starlette(routes=routes), port=self.port, ws="websockets-sansio", log_level="error")
        self.uvicorn = uvicorn.Server(config)

    @contextmanager
    def started(self) -> Iterator[Server]:
        thread = threading.Thread(target=self.uvicorn.run, daemon=True)
        thread.start()
        wait_for(lambda: self.uvicorn.started)
        yield self
        self.uvicorn.should_exit = True
        thread.join(10)

    @contextmanager
    def connection(self, token: str, origin: str | None = ORIGIN, **options: Any) -> Iterator[ClientConnection]:
        with connect(f"ws://127.0.0.1:{self.port}/live", origin=origin, proxy=None, **options) as connection:
            connection.send(json.dumps({"token": token}))
            yield connection

    @contextmanager
    def reader(self, token: str) -> Iterator[Reader]:
        with self.connection(token) as connection:
            assert connection.recv(timeout=10) == "[]"
            yield Reader(connection)


@pytest.fixture(scope="session")
def live() -> Iterator[Server]:
    with Server().started() as server:
        yield server


def page_token(live: Server, *runs: Run) -> str:
    """The token of a page that shows these runs."""
    channel = live.channels.open()
    for run in runs:
        channel.show(run, run.events)
    return channel.token


def soon() -> None:
    time.sleep(0.02)
