from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """What the work comes to, in a loop of its own: that of the browser's driver runs in the thread of the tests."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, work).result()


def wait_for(look: Callable[[], T], seconds: float = 30.0) -> T:
    """What ``look`` returns as soon as it is true; fails the test when that takes too long."""
    deadline = time.monotonic() + seconds
    pause = 0.01
    while not (seen := look()):
        assert time.monotonic() < deadline, f"nothing came within {seconds} s"
        time.sleep(pause)
        pause = min(1.5 * pause, 0.05)  # a look into a browser costs more than it pauses
    return seen
