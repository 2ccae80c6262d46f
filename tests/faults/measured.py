"""Runs ``python -m components.streaming`` as it is; says on standard error how much memory it took at most, in MB."""

from __future__ import annotations

import re
import resource
import runpy
import sys
from pathlib import Path


def peak_mb() -> float:
    """The most memory that this process ever held."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says counts the process that started this one, too
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    code: object = 0
    try:
        runpy.run_module("components.streaming", run_name="__main__", alter_sys=True)
    except SystemExit as left:
        code = left.code
    sys.stderr.write(f"peak {peak_mb():.1f} MB\n")
    sys.exit(code)  # type: ignore[arg-type]
