"""The live view limits each visitor over all connections, without affecting others."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from components.live.channels import Channels
from components.live.share import Share, Shares
from components.live.socket import TOO_MANY
from components.protection.places import PlaceLimits
from tests.live.conftest import Reader, Server, make_run
from tests.live.test_socket import closed_with
from tests.waiting import run_apart, wait_for


@pytest.fixture
def strict(live: Server) -> Iterator[Server]:
    """The server with limits of two pages per visitor and three per network."""
    usual, live.channels = live.channels, Channels(PlaceLimits(of_visitor=2, of_network=3))
    yield live
    live.channels = usual


def test_connections_are_limited_per_visitor_and_network_for_any_token(strict: Server) -> None:
    mine, other, third = (strict.channels.open(name, "here").token for name in ("me", "me", "them"))
    with ExitStack() as stack:
        for token in (mine, other):
            stack.enter_context(strict.reader(token))
        with strict.connection(mine) as refused:
            assert closed_with(refused) == TOO_MANY
        stack.enter_context(strict.reader(third))
        with strict.connection(third) as refused:
            assert closed_with(refused) == TOO_MANY
        stack.enter_context(strict.reader(strict.channels.open("them", "there").token))


def test_lanes_of_a_visitor_are_limited_with_a_sentence_and_a_freed_lane_can_be_reused(strict: Server) -> None:
    run = make_run("Hello")
    channel = strict.channels.open("me", None)
    channel.show(run, run.events)
    with strict.reader(channel.token) as first, strict.reader(channel.token) as second:
        for lane in range(16):
            Reader(first.connection, lane).watch(run.id, "plain")
        wait_for_lanes(first, 16)
        second.watch(run.id, "plain")
        second.read()
        assert "Close some of them" in second.facts["note"]
        first.connection.send(json.dumps({"leave": 3}))
        wait_for(lambda: strict.channels.shares.lanes.take("me", None))
        strict.channels.shares.lanes.leave("me", None)
        second.watch(run.id, "plain")
        second.read()
        assert second.plain_text == "Hello"


def wait_for_lanes(reader: Reader, number: int) -> None:
    drawn: set[int] = set()
    while len(drawn) < number:
        drawn |= {lane for lane, first, *_ in json.loads(reader.connection.recv(timeout=10)) if isinstance(first, int)}


COMPUTING_S = 0.01


def compute() -> None:
    until = time.thread_time() + COMPUTING_S
    while time.thread_time() < until:
        pass


@pytest.mark.clock
@pytest.mark.parametrize("connections", [1, 8])
def test_connections_of_one_visitor_share_their_processor_time(connections: int) -> None:
    turns: list[float] = []

    async def work(shares: Shares, ends: float) -> None:
        async with shares.of("me") as share:
            while time.monotonic() < ends:
                async with share.turn():
                    await share.in_thread(compute)
                    turns.append(COMPUTING_S)

    async def work_on_all() -> None:
        shares, ends = Shares(PlaceLimits(100)), time.monotonic() + 0.6
        await asyncio.gather(*(work(shares, ends) for _ in range(connections)))

    began = time.monotonic()
    run_apart(work_on_all())
    assert sum(turns) / (time.monotonic() - began) < 0.35


def test_an_early_turn_delays_the_next_one() -> None:
    async def turns() -> None:
        async with Shares(PlaceLimits(100)).of("me") as share:
            share.free_at = asyncio.get_running_loop().time() + 3_600
            paid_until, hurry = share.free_at, asyncio.Event()
            asyncio.get_running_loop().call_later(0.01, hurry.set)
            async with share.turn(hurry):
                await asyncio.sleep(0.01)
            assert share.free_at > paid_until
            done, _ = await asyncio.wait({asyncio.ensure_future(enter(share))}, timeout=0.01)
            assert not done

    async def enter(share: Share) -> None:
        async with share.turn():
            pass

    run_apart(turns())


def test_a_new_connection_gets_no_extra_time() -> None:
    async def twice() -> tuple[float, float]:
        shares = Shares(PlaceLimits(100))
        async with shares.of("me") as share:
            before = share.free_at = asyncio.get_running_loop().time() + 3_600
        async with shares.of("me") as share, shares.of("them") as other:
            assert other.free_at == 0
            return before, share.free_at

    before, after = run_apart(twice())
    assert before == after


def test_the_time_of_a_closed_connection_counts() -> None:
    ended: list[float] = []

    def work() -> None:
        time.sleep(0.05)
        ended.append(time.monotonic())

    async def turn(share: Share) -> None:
        async with share.turn():
            await share.in_thread(work)

    async def hang_up() -> None:
        shares = Shares(PlaceLimits(100))
        async with shares.of("me") as share:
            task = asyncio.create_task(turn(share))
            await asyncio.sleep(0.01)
            task.cancel()
        async with shares.of("me") as again, again.turn():
            assert ended
            assert again is share

    run_apart(hang_up())
