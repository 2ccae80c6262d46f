"""Clients of the live socket without a browser, all of them in one process of their own, which only notes what comes.

    python -m tests.benchmarks.live_view.clients

Says that it is ready; reads one line, the address and what ``/bench/start`` answered; says when all of them watch; and
when each has seen the end of its run, tells what each has seen. Times are wall clocks in seconds since 1970.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import sys
import time
from dataclasses import asdict, dataclass

from websockets.asyncio.client import connect

from tests.live.conftest import applied

_WORD = re.compile(r"[a-z]+(\d+)")


@dataclass(frozen=True)
class Watched:
    """What one client has seen: the number of the newest word after each message with a new one, and its time."""

    text: str
    seen: list[tuple[int, float]]
    messages: int
    received_bytes: int


async def watch(address: str, token: str, run: str, watching: asyncio.Semaphore) -> list[tuple[float, str]]:
    """Every message until the run's end, and when it came."""
    messages = []
    origin = address.replace("ws://", "http://")
    async with connect(f"{address}/live", origin=origin, proxy=None, max_size=None) as connection:  # type: ignore[arg-type]
        await connection.send(json.dumps({"token": token}))
        await connection.recv()
        await connection.send(json.dumps({"watch": run, "lane": 1, "part": "plain"}))
        async for text in connection:
            messages.append((time.time(), str(text)))
            assert '"refused"' not in messages[-1][1]
            if len(messages) == 1:
                watching.release()
            if '"ended":true' in messages[-1][1]:
                break
    return messages


def as_seen(messages: list[tuple[float, str]]) -> Watched:
    """The messages read as the page's script reads them."""
    blocks: list[str] = []
    seen: list[tuple[int, float]] = []
    for at, text in messages:
        for _lane, first, *rest in json.loads(text):
            if isinstance(first, int):
                blocks = applied(blocks, [first, *rest])
        # A word may stand astride two blocks.
        words = _WORD.findall("".join(blocks[-2:])[-40:])
        if words and (not seen or int(words[-1]) > seen[-1][0]):
            seen.append((int(words[-1]), at))
    received = sum(len(text.encode()) for _, text in messages)
    return Watched(html.unescape("".join(blocks)), seen, len(messages), received)


async def watch_all(address: str, started: list[dict[str, str]]) -> list[list[tuple[float, str]]]:
    """All of the runs at once, each in a connection of its own."""
    watching = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(watch(address, one["token"], one["run"], watching)) for one in started]
    for _ in started:
        await watching.acquire()
    print(time.time(), flush=True)
    return await asyncio.gather(*tasks)


def main() -> None:
    print("ready", flush=True)
    address, started = json.loads(sys.stdin.readline())
    seen = asyncio.run(watch_all(address, started))
    print(json.dumps([asdict(as_seen(messages)) for messages in seen]), flush=True)


if __name__ == "__main__":
    main()
