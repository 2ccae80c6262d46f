"""A visitor's share of the live view across all pages: connections, lanes and processor time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import astuple
from typing import TypeVar

from components.protection.places import PlaceLimits, Places

T = TypeVar("T")

_TIME_SHARE = 0.25
"""The share of one processor for one visitor: slow rendering happens less often."""
_LANES_A_PAGE = 8
"""On average for a visitor's pages; one page may have more while others have fewer."""


class Share:
    """A visitor's share of processor time. Turns run one at a time across all of the visitor's pages."""

    def __init__(self) -> None:
        self.free_at = 0.0
        """The loop time from which the visitor may take the next turn."""
        self.users = 0
        self.large_message = asyncio.Lock()
        """Held while a large message is on its way to one of the visitor's pages."""
        self._lock = asyncio.Lock()
        self._in_threads_s = 0.0
        """Processor time of all work in threads so far."""

    def is_over(self, now: float) -> bool:
        """Whether the share is unused and would equal a new one."""
        return not self.users and not self._lock.locked() and self.free_at < now

    @asynccontextmanager
    async def turn(self, urgent: asyncio.Event | None = None) -> AsyncIterator[None]:
        """Wait for the visitor's next turn; the body's processor time delays the visitor's following turn.

        Its duration would count the work of other threads. ``urgent`` ends the wait early; the following turn then
        waits for longer.
        """
        loop = asyncio.get_running_loop()
        async with self._lock:
            if (wait_s := self.free_at - loop.time()) > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for((urgent or asyncio.Event()).wait(), wait_s)
            began, used_s = loop.time(), self._used_s()
            try:
                yield
            finally:
                self.free_at = max(began, self.free_at) + (self._used_s() - used_s) / _TIME_SHARE

    async def in_thread(self, work: Callable[[], T]) -> T:
        """The result of ``work``, run in a thread; a cancelled caller still waits for its end.

        So a client that disconnects during a turn still pays for all of it.
        """

        def counted() -> T:
            began = time.thread_time()
            try:
                return work()
            finally:
                self._in_threads_s += time.thread_time() - began

        task = asyncio.ensure_future(asyncio.to_thread(counted))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            raise

    def _used_s(self) -> float:
        """The processor time of this thread and of the work in others; only the difference of two calls counts."""
        return time.thread_time() + self._in_threads_s


class Shares:
    """The shares of all visitors, by visitor."""

    def __init__(self, pages: PlaceLimits) -> None:
        """``pages`` is how many pages may be open at once."""
        self.connections = Places(pages)
        self.lanes = Places(PlaceLimits(*(_LANES_A_PAGE * limit for limit in astuple(pages))))
        self._shares: dict[str, Share] = {}
        self._lock = threading.Lock()

    @asynccontextmanager
    async def of(self, visitor: str) -> AsyncIterator[Share]:
        """The visitor's share, the same one for each of the visitor's connections."""
        now = asyncio.get_running_loop().time()
        with self._lock:
            # Reconnecting must not give a visitor more time.
            for name in [name for name, each in self._shares.items() if each.is_over(now)]:
                del self._shares[name]
            share = self._shares.setdefault(visitor, Share())
            share.users += 1
        try:
            yield share
        finally:
            with self._lock:
                share.users -= 1
