"""Runs work on untrusted text in a separate process with limits of time and memory."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from components.user_error import UserError

_PROJECT_ROOT = Path(__file__).resolve().parents[2]


class TooMuch(UserError):
    """The work exceeded its limits; the message says which."""


@dataclass(eq=False)
class Isolation:
    """The places in which work runs; a crash or a kill of the worker leaves this process unharmed.

    It has limits of one piece of work, how many run at once, and how long one waits for a free place.
    """

    processor_s: int = 4
    total_s: float = 8
    memory_bytes: int = 512 * 1024 * 1024
    at_once: int = 2
    wait_s: float = 10

    def __post_init__(self) -> None:
        self._places = threading.BoundedSemaphore(self.at_once)

    def run(self, work: Callable[[str], str], text: str) -> str:
        """The result of ``work(text)``, computed in a process of its own. Raises TooMuch.

        ``work`` is a public module-level function. Only its module is imported, not this process's main
        module, which would be a page; the imports of that module decide how fast the worker starts.
        """
        if not self._places.acquire(timeout=self.wait_s):
            raise TooMuch("The server is busy with long texts of others. Try again in a moment.")
        try:
            done = subprocess.run(  # noqa: S603 - this interpreter, with our own module names
                [
                    *(sys.executable, "-m", "components.isolation", work.__module__, work.__name__),
                    *(str(self.processor_s), str(self.memory_bytes)),
                ],
                cwd=_PROJECT_ROOT,
                input=text.encode("utf-8", "surrogatepass"),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=self.total_s,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            raise TooMuch("The text takes more time or memory to read than there is for one.") from None
        finally:
            self._places.release()
        return done.stdout.decode("utf-8", "surrogatepass")


isolation = Isolation()
"""The places of this process, shared by all visitors."""
