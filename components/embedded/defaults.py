"""Defaults of the embedded model."""

from __future__ import annotations

import os
from pathlib import Path

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8601
DEFAULT_MODEL_ID = "smollm2-135m-instruct"


def default_threads() -> int:
    """The default number of threads: one fewer than this machine's cores, at least one.

    With a thread for each core, llama.cpp's threads wait for each other whenever another process runs: two threads on
    two cores fell from 58 to 8 tokens per second.
    """
    return max(1, (os.cpu_count() or 1) - 1)


def model_id(path: Path | None) -> str:
    """The model id of a model file: its name without the suffix, in lower case."""
    return DEFAULT_MODEL_ID if path is None else path.stem.lower()
