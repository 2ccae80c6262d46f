"""Visitors of the playground without a browser, in one separate process that only records messages.

    python -m tests.benchmarks.live_view.clients

Reads one line, the app's address and the number of visitors. Each opens a Streamlit session, whose script draws the
page, and the page's live socket, which watches the answer as Markdown and the status. Prints when all pages are drawn;
then presses *Run* on each; prints when all have text; after the last run, prints what each visitor has seen.
Times are wall clocks in seconds since 1970.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import sys
import time
from dataclasses import asdict, dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.live.conftest import applied

_TOKEN = re.compile(rb'"token": ?"([\w-]+)"')
_RUN_BUTTON = re.compile(rb"\$\$ID-[0-9a-f]+-run\b")
_WORD = re.compile(r"\b[a-z]+(\d+)\b")
_TAG = re.compile(r"<[^>]*>")
_ANSWER, _STATUS = 1, 2


@dataclass(frozen=True)
class Watched:
    """The words seen by one visitor: the number of the newest word after each message with a new one, and its time."""

    text: str
    seen: list[tuple[int, float]]
    messages: int
    received_bytes: int
    """Of the live socket."""
    page_bytes: int
    """Of the Streamlit session, from the press of *Run* on."""


@dataclass
class Visitor:
    """An open page: its Streamlit session and its live socket."""

    session: ClientConnection
    live: ClientConnection
    run_button: str
    messages: list[tuple[float, str]] = field(default_factory=list)
    page_bytes: int = 0
    has_text: asyncio.Event = field(default_factory=asyncio.Event)

    async def press_run(self) -> None:
        """Send what the browser sends at a click on *Run*."""
        pressed = BackMsg()
        state = pressed.rerun_script.widget_states.widgets.add()
        state.id, state.trigger_value = self.run_button, True
        await self.session.send(pressed.SerializeToString())

    async def read_page(self) -> None:
        """Take what the session's script draws."""
        async for frame in self.session:
            self.page_bytes += len(frame)

    async def watch(self) -> None:
        """Take every message of the live socket, until the end of the run."""
        async for text in self.live:
            self.messages.append((time.time(), str(text)))
            assert '"refused"' not in self.messages[-1][1]
            for lane, first, *_rest in json.loads(text):
                if lane == _ANSWER and isinstance(first, int):
                    self.has_text.set()
                elif lane == _ANSWER and first.get("ended"):
                    assert self.has_text.is_set(), f"the run had no answer: {first}"
                    return

    def watched(self) -> Watched:
        """The messages read as the page's script reads them."""
        blocks: list[str] = []
        seen: list[tuple[int, float]] = []
        for at, text in self.messages:
            for lane, first, *rest in json.loads(text):
                if lane == _ANSWER and isinstance(first, int):
                    blocks = applied(blocks, [first, *rest])
            words = _WORD.findall(_TAG.sub(" ", "".join(blocks[-2:])[-80:]))
            if words and (not seen or int(words[-1]) > seen[-1][0]):
                seen.append((int(words[-1]), at))
        received = sum(len(text.encode()) for _, text in self.messages)
        shown = html.unescape(_TAG.sub(" ", "".join(blocks)))
        return Watched(" ".join(shown.split()), seen, len(self.messages), received, self.page_bytes)


async def opened(address: str) -> Visitor:
    """A visitor whose page is drawn, and whose live socket waits for the page's first run."""
    socket_address, origin = address.replace("http://", "ws://"), Origin(address)
    session = await connect(
        f"{socket_address}/_stcore/stream",
        origin=origin,
        subprotocols=[Subprotocol("streamlit")],
        proxy=None,
        max_size=None,
        open_timeout=60,
    )
    drawing = BackMsg()
    drawing.rerun_script.context_info.url = address
    drawing.rerun_script.context_info.timezone = "UTC"
    await session.send(drawing.SerializeToString())
    drawn = b""
    while not _is_end(frame := bytes(await session.recv(decode=False))):
        drawn += frame
    token, run_button = _TOKEN.search(drawn), _RUN_BUTTON.search(drawn)
    assert token, "the page has no live view"
    assert run_button, "the page has no button Run"
    live = await connect(f"{socket_address}/live", origin=origin, proxy=None, max_size=None, open_timeout=60)
    await live.send(json.dumps({"token": token[1].decode()}))
    await live.recv()
    for lane, part in ((_ANSWER, "markdown"), (_STATUS, "status")):
        await live.send(json.dumps({"watch": None, "lane": lane, "part": part}))
    return Visitor(session, live, run_button[0].decode())


def _is_end(frame: bytes) -> bool:
    return ForwardMsg.FromString(frame).WhichOneof("type") == "script_finished"


async def visit(address: str, count: int) -> list[Watched]:
    """All visitors at once: open the pages, press *Run* on each, and watch the answers."""
    visitors = [await opened(address) for _ in range(count)]
    print(time.time(), flush=True)
    async with asyncio.TaskGroup() as tasks:
        reading = [tasks.create_task(visitor.read_page()) for visitor in visitors]
        watching = [tasks.create_task(visitor.watch()) for visitor in visitors]
        await asyncio.gather(*(visitor.press_run() for visitor in visitors))
        await asyncio.gather(*(visitor.has_text.wait() for visitor in visitors))
        print(time.time(), flush=True)
        await asyncio.wait(watching)
        for task in reading:
            task.cancel()
    return [visitor.watched() for visitor in visitors]


def main() -> None:
    address, count = json.loads(sys.stdin.readline())
    print(json.dumps([asdict(one) for one in asyncio.run(visit(address, count))]), flush=True)


if __name__ == "__main__":
    main()
