"""CPU time of processes, from Linux's /proc."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def cpu_seconds(root: int) -> float:
    """Seconds of CPU that a process and its descendants have used so far, those that have ended included."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended just now
            # After the name, which may hold spaces and parentheses, fields count from the third.
            fields = stat.read_text().rpartition(")")[2].split()
            process = int(stat.parent.name)
            parents[process] = int(fields[1])
            ticks[process] = sum(map(int, fields[11:15]))

    def descends(process: int) -> bool:
        while process in parents and process != root:
            process = parents[process]
        return process == root

    return sum(ticks[process] for process in ticks if descends(process)) / os.sysconf("SC_CLK_TCK")
