"""Defaults of the embedded model."""

from __future__ import annotations

import os
from pathlib import Path

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8601
DEFAULT_MODEL_ID = "smollm2-135m-instruct"


def default_threads() -> int:
    """One thread fewer than this machine has cores, at least one.

    With as many threads as cores, llama.cpp's threads wait for each other whenever another process runs: with two on
    two cores the speed was measured to fall from 58 to 8 tokens a second.
    """
    return max(1, (os.cpu_count() or 1) - 1)


def model_id(path: Path | None) -> str:
    """The id under which a model file is served: its name without the ending, in lower case."""
    return DEFAULT_MODEL_ID if path is None else path.stem.lower()
