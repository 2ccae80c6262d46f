"""Tempera's own numbers of its runs, from its log."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import wait_for


@dataclass(frozen=True)
class OwnNumbers:
    """Time to first token in seconds and tokens per second after it, of the run that shows the stream of that name."""

    stream: str
    time_to_first_token: float
    decode_rate: float


def own_numbers(database: Path, runs: int) -> list[OwnNumbers]:
    """The numbers of all runs in the log, once so many of them have ended."""
    # Read from the database, so that no code of the app is involved.
    return wait_for(lambda: found if len(found := _ended(database)) == runs else None, 30) or []


def _ended(database: Path) -> list[OwnNumbers]:
    asks = "SELECT text, ttft_ms, tokens_per_second FROM runs WHERE status = 'ok'"
    with closing(sqlite3.connect(database)) as connection:
        # Every word of a stream begins with its name.
        return [
            OwnNumbers(text.split(maxsplit=1)[0].rstrip("0123456789"), ttft_ms / 1000, tokens_per_second)
            for text, ttft_ms, tokens_per_second in connection.execute(asks)
        ]
