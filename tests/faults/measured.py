"""The last output of ``python -m components.streaming``, and its peak memory."""

from __future__ import annotations

import io
import os
import re
import resource
import runpy
import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout, suppress
from pathlib import Path


def measured(arguments: Sequence[str]) -> tuple[str, float]:
    """The last line printed by the reader, and the peak memory of this process in MB.

    Call it in a separate process: it changes the arguments, environment and standard input.
    """
    sys.argv = ["components.streaming", *arguments]
    sys.stdin = io.TextIOWrapper(io.BytesIO(b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}'))
    os.environ.pop("TEMPERA_API_KEY", None)
    with tempfile.TemporaryFile("w+") as printed:
        with redirect_stdout(printed), suppress(SystemExit):
            runpy.run_module("components.streaming", run_name="__main__", alter_sys=True)
        peak = peak_mb()
        printed.seek(0)
        *_, last = printed
    return last, peak


def peak_mb() -> float:
    """The peak memory of this process."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage includes the parent process
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
