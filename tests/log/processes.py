"""Other processes that use the same log: each runs one script and is killed at the end."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import IO

from components.log.database import Database, DatabaseUnavailable
from components.log.log import Log
from components.runs.run import Run
from components.streaming.answer import Delta, TimedEvent
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from tests.forks import FORKS
from tests.orders import order


class Process:
    """A process that runs a script; ``stdin`` and ``stdout`` are its streams of lines."""

    def __init__(self, script: str, url: str) -> None:
        here_in, there_out = FORKS.Pipe(duplex=False)
        there_in, here_out = FORKS.Pipe(duplex=False)
        self._process = FORKS.Process(target=_run, args=(script, url, there_in, there_out), daemon=True)
        self._process.start()
        for end in (there_in, there_out):
            end.close()
        self.stdin, self.stdout = _stream(here_out, "w"), _stream(here_in, "r")

    def tell(self, line: str) -> None:
        """Send the script a line."""
        self.stdin.write(f"{line}\n")
        self.stdin.flush()

    def line(self) -> str:
        """The next line of the script's output; empty when it has ended."""
        return self.stdout.readline().strip()

    def send_signal(self, number: int) -> None:
        os.kill(self._process.pid, number)

    def close(self) -> None:
        """Kill the process, and wait until it has ended."""
        self._process.kill()
        self._process.join()
        self._process.close()
        for stream in (self.stdout, self.stdin):
            stream.close()


@contextmanager
def process(script: str, url: str) -> Iterator[Process]:
    child = Process(script, url)
    try:
        yield child
    finally:
        child.close()


def _stream(end: Connection, mode: str) -> IO[str]:
    """The end of a pipe as a file of lines."""
    stream = os.fdopen(os.dup(end.fileno()), mode)
    end.close()
    return stream


def _run(script: str, url: str, stdin: Connection, stdout: Connection) -> None:
    sys.stdin, out = _stream(stdin, "r"), _stream(stdout, "w")
    exec(script, {**_NAMES, "url": url, "say": lambda *words: print(*words, file=out, flush=True)})


def _new_run() -> Run:
    return Run(order(body=b"{}"))


_MODULES = {"os": os, "sys": sys, "threading": threading, "time": time}
_CLASSES = {
    each.__name__: each
    for each in (Database, DatabaseUnavailable, Delta, Limits, Log, Outcome, Run, Status, TimedEvent)
}
_NAMES = {**_MODULES, **_CLASSES, "new_run": _new_run}
