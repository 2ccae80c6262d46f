"""Many runs against random faults, eight at once, and their leaks: ``python -m tests.faults.soak --runs 1000``."""

# ruff: noqa: T201 - a command that prints
from __future__ import annotations

import argparse
import gc
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.faults.fault import Fault, Where
from tests.faults.playing import AT_ONCE, Resources, play
from tests.faults.server import trusted
from tests.faults.table import FAULTS

# A free port may be taken by another server at any moment; large bodies would only measure malloc.
CHOSEN = [
    fault
    for fault in FAULTS
    if fault.where not in (Where.CLOSED_PORT, Where.FULL) and not fault.size and len(fault.body) < 1000
]
WARM_UP = 100
"""Runs before the first look: libraries load, and malloc takes an arena for each of the threads."""


@dataclass(frozen=True)
class Level:
    """The resources of this process at one moment."""

    threads: int
    files: int
    memory_mb: float

    @classmethod
    def now(cls) -> Level:
        """The current resources, after a garbage collection."""
        gc.collect()
        return cls(threading.active_count(), Resources.now().files, _memory_mb())


@dataclass(frozen=True)
class Soaked:
    """The results of many runs."""

    before: Level
    after: Level
    statuses: dict[str, int]
    broken: list[str]
    """Broken guarantees, except for those about time."""
    took_s: float


def soak(runs: int, seed: int = 7) -> Soaked:
    """Play this many random faults."""
    chosen = random.Random(seed).choices(CHOSEN, k=runs)
    statuses: dict[str, int] = {}
    broken: list[str] = []
    with trusted():
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(_run, random.Random(0).choices(CHOSEN, k=WARM_UP)))
        before, began = Level.now(), time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for fault, (status, differences) in zip(chosen, pool.map(_run, chosen), strict=True):
                statuses[status] = statuses.get(status, 0) + 1
                broken += [f"{fault.id}: {difference}" for difference in differences]
        return Soaked(before, Level.now(), statuses, broken, time.monotonic() - began)


def _run(fault: Fault) -> tuple[str, list[str]]:
    played = play(fault)
    return played.outcome.status.value, [text for text in played.differences(fault) if not text.startswith("time")]


def _memory_mb() -> float:
    pages = Path("/proc/self/statm")
    return int(pages.read_text().split()[1]) * 4096 / 1024 / 1024 if pages.exists() else 0.0


def main() -> int:
    """Print the resources before and after; returns 1 for a leak or a broken guarantee."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    soaked = soak(arguments.runs, arguments.seed)
    for name, level in (("before", soaked.before), ("after", soaked.after)):
        print(f"{name:6}: {level.threads} threads, {level.files} open files, {level.memory_mb:.1f} MB")
    print(f"{arguments.runs} runs in {soaked.took_s:.1f} s: {soaked.statuses}")
    for broken in soaked.broken:
        print(broken)
    left = soaked.after.threads > soaked.before.threads or soaked.after.files > soaked.before.files
    return int(left or bool(soaked.broken))


if __name__ == "__main__":
    sys.exit(main())
