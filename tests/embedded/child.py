"""Finds the process of the embedded model."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def child_of(parent: int | None = None) -> int | None:
    """The id of the embedded model's process that a process (this one) has started, None while there is none."""
    for children in Path(f"/proc/{parent or os.getpid()}/task").glob("*/children"):
        # Threads and processes may end during the search.
        with suppress(FileNotFoundError, ProcessLookupError):
            for process_id in map(int, children.read_text().split()):
                if "--supervised" in Path(f"/proc/{process_id}/cmdline").read_text().split("\0"):
                    return process_id
    return None
