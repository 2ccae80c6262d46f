"""What one visitor has of the live view on all pages: connections, lanes, and a share of one processor's time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from components.protection.places import Most, Places

T = TypeVar("T")

_OF_TIME = 0.25
"""Of one processor, for one visitor: what takes long to make ready is made ready less often."""
_LANES_A_PAGE = 8
"""Of a visitor's pages together. One alone may draw more, while there are others that draw less."""


class Share:
    """A visitor's share of time. What is done in a turn is done after one another, whichever page it is for."""

    def __init__(self) -> None:
        self.free_at = 0.0
        """The moment, on the loop's clock, from which there is time for the visitor again."""
        self.users = 0
        self.large_message = asyncio.Lock()
        """Held while a large message is on its way to one of the visitor's pages."""
        self._lock = asyncio.Lock()

    def is_over(self, now: float) -> bool:
        """Whether nobody uses it, and whoever begins anew would have as much time."""
        return not self.users and not self._lock.locked() and self.free_at < now

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until there is time for this visitor; what the body takes of it is time that others get afterwards."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            if (early := self.free_at - loop.time()) > 0:
                await asyncio.sleep(early)
            began = loop.time()
            try:
                yield
            finally:
                self.free_at = began + (loop.time() - began) / _OF_TIME


async def in_thread(work: Callable[[], T]) -> T:
    """What the work returned, done in a thread; who is cancelled meanwhile still waits for its end.

    So whoever hangs up in the middle of a turn has not got the rest of it for nothing.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


class Shares:
    """The shares of all who look, by who they are."""

    def __init__(self, pages: Most) -> None:
        """``pages`` is how many pages may be open at once."""
        self.connections = Places(pages)
        self.lanes = Places(
            Most(_LANES_A_PAGE * pages.of_visitor, _LANES_A_PAGE * pages.of_network, _LANES_A_PAGE * pages.of_all)
        )
        self._shares: dict[str, Share] = {}
        self._lock = threading.Lock()

    @asynccontextmanager
    async def of(self, visitor: str) -> AsyncIterator[Share]:
        """The share of a visitor, the same one for each of their connections."""
        now = asyncio.get_running_loop().time()
        with self._lock:
            # Whoever connects anew has not got more time by that.
            for name in [name for name, each in self._shares.items() if each.is_over(now)]:
                del self._shares[name]
            share = self._shares.setdefault(visitor, Share())
            share.users += 1
        try:
            yield share
        finally:
            with self._lock:
                share.users -= 1
