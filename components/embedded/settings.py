"""What a person can set about the embedded model through environment variables, and the defaults. Opens no file."""

from __future__ import annotations

import os
from pathlib import Path

from components.embedded.problems import EmbeddedProblem

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8601
DEFAULT_MODEL_ID = "smollm2-135m-instruct"

API_KEY_VARIABLE = "TEMPERA_EMBEDDED_API_KEY"
CACHE_VARIABLE = "TEMPERA_CACHE_DIR"
MODEL_VARIABLE = "TEMPERA_EMBEDDED_MODEL"
THREADS_VARIABLE = "TEMPERA_EMBEDDED_THREADS"


class UnusableSetting(EmbeddedProblem):
    """An environment variable or a flag holds something that cannot be meant."""


def default_threads() -> int:
    """One thread fewer than this machine has cores, at least one.

    With as many threads as cores, llama.cpp's threads wait for each other whenever another process runs: with two on
    two cores the speed was measured to fall from 58 to 8 tokens a second.
    """
    return max(1, (os.cpu_count() or 1) - 1)


def threads() -> int:
    """How many threads the model may use. Raises UnusableSetting when the environment says no whole number above 0."""
    said = os.environ.get(THREADS_VARIABLE, "").strip()
    if not said:
        return default_threads()
    if not said.isascii() or not said.isdigit() or int(said[:9]) < 1:
        raise UnusableSetting(f"{THREADS_VARIABLE} is {said[:40]!r}. Set it to a whole number of 1 or more.")
    return int(said[:9])


def model_path() -> Path | None:
    """The GGUF file that the environment names, or None when the built-in model is meant."""
    said = os.environ.get(MODEL_VARIABLE, "").strip()
    return Path(said).expanduser() if said else None


def model_id(path: Path | None) -> str:
    """The id under which a model file is served: its name without the ending, in lower case."""
    return DEFAULT_MODEL_ID if path is None else path.stem.lower()
