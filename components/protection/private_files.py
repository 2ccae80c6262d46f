"""Keeps files with prompts, answers or keys private to their owner: new ones are made private, older ones reported."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from pathlib import Path

_OTHERS = 0o077


def keep_new_files_private() -> None:
    """Make all new files and folders of this process unreadable to other users of the machine.

    Child processes inherit this.
    """
    os.umask(_OTHERS)


def open_to_others(places: Iterable[Path]) -> str | None:
    """A sentence that names the files and folders that other users of the machine can read or write, or None."""
    readable = sorted({str(place) for place in places if place.exists() and place.stat().st_mode & _OTHERS})
    if not readable:
        return None
    paths = " ".join(map(shlex.quote, readable))
    return f"Other users of this machine can read or write Tempera's private files. Run: chmod go= {paths}"
