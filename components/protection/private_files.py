"""Files that hold what people wrote, or keys, are their owner's alone: new ones are made so, older ones are named."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from pathlib import Path

_OTHERS = 0o077


def keep_new_files_private() -> None:
    """From now on, let no other user of this machine read or write a file or folder that this process makes.

    Processes that it starts inherit that.
    """
    os.umask(_OTHERS)


def open_to_others(places: Iterable[Path]) -> str | None:
    """A sentence that names those files and folders that other users of this machine may read or write, or None."""
    loose = sorted({str(place) for place in places if place.exists() and place.stat().st_mode & _OTHERS})
    if not loose:
        return None
    named = " ".join(map(shlex.quote, loose))
    return f"Other users of this machine may read or write what is Tempera's alone. Mend it: chmod go= {named}"
