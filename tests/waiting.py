from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """The result of the work in a separate event loop, because the browser driver's loop runs in the tests' thread."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, work).result()


def wait_for(look: Callable[[], T], seconds: float = 30.0) -> T:
    """The first true result of ``look``; fails the test on a timeout."""
    deadline = time.monotonic() + seconds
    pause = 0.01
    while not (seen := look()):
        assert time.monotonic() < deadline, f"no result within {seconds} s"
        time.sleep(pause)
        pause = min(1.5 * pause, 0.05)  # a query of the browser takes longer than the pause
    return seen
