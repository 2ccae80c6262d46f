"""Other processes that use the same log, for tests: each runs one script and is killed in the end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_BEGIN = """
import sys, threading, time
from components.runs.database import Database
from components.runs.log import Log
from components.runs.run import Run
from components.streaming.stream import TimedEvent
from components.streaming.answer import Delta
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
url = sys.argv[1]
def new_run():
    return Run(endpoint="mine", dialect="beezy", model="m", request_body=b"{}", streaming=True)
def say(*words):
    print(*words, flush=True)
"""


@contextmanager
def process(script: str, url: str) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-c", _BEGIN + script, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        try:
            yield child
        finally:
            child.kill()


def line(child: subprocess.Popen[str]) -> str:
    return child.stdout.readline().strip()
