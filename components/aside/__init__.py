"""Work on text from outside that is done in a process apart, within limits of time and memory."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_PROJECT_ROOT = Path(__file__).resolve().parents[2]


class TooMuch(Exception):
    """The work was not done; the text is a sentence that says why."""


@dataclass(frozen=True)
class AsideLimits:
    """What one piece of work may take, how many are done together, and how long another waits for its turn."""

    processor_s: int = 4
    total_s: float = 8
    memory_bytes: int = 512 * 1024 * 1024
    at_once: int = 2
    wait_s: float = 10


class Aside:
    """Where the work is done: this process goes on, whatever becomes of it."""

    def __init__(self, limits: AsideLimits) -> None:
        self._limits = limits
        self._places = threading.BoundedSemaphore(limits.at_once)

    def do(self, work: Callable[[str], str], text: str) -> str:
        """What ``work`` makes of ``text``, done in a process of its own. Raises TooMuch.

        ``work`` is a public function of a module. That module is imported and the main module of this process is not,
        which would be a page. What it imports decides how fast the process is there.
        """
        limits = self._limits
        if not self._places.acquire(timeout=limits.wait_s):
            raise TooMuch("The server is busy with long texts of others. Try again in a moment.")
        try:
            done = subprocess.run(  # noqa: S603 - this Python, with names of ours
                [
                    *(sys.executable, "-m", "components.aside", work.__module__, work.__name__),
                    *(str(limits.processor_s), str(limits.memory_bytes)),
                ],
                cwd=_PROJECT_ROOT,
                input=text.encode("utf-8", "surrogatepass"),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=limits.total_s,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            raise TooMuch("The text takes more time or memory to read than there is for one.") from None
        finally:
            self._places.release()
        return done.stdout.decode("utf-8", "surrogatepass")


aside = Aside(AsideLimits())
"""The places of this process, which all visitors share."""
