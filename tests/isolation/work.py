"""Work functions for the separate process, which imports this module."""

from __future__ import annotations

import os
import time


def reversed_text(text: str) -> str:
    return text[::-1]


def process_id(_text: str) -> str:
    return str(os.getpid())


def much_memory(text: str) -> str:
    return str(len(text * 2_000_000_000))


def endless(_text: str) -> str:
    while True:
        pass


def asleep(_text: str) -> str:
    time.sleep(60)
    return ""


def failing(_text: str) -> str:
    raise ValueError


def napping(_text: str) -> str:
    time.sleep(0.5)
    return ""
