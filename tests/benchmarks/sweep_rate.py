"""Cells a second of a sweep, against a bare ThreadPoolExecutor with requests; and the memory that cells take.

    python -m tests.benchmarks.sweep_rate [--cells 10000] [--at-once 8] [--tls]

The endpoint answers at once and keeps connections open; it, the bare loop and the sweep have a process each. Loop and
sweep take turns in the same minutes; the ratio of the medians is the cost of a sweep's reader, log and order of cells.
The processor time of a cell counts its own processes only, so other load changes it little. The sweep's process is
measured with a tenth of its cells as well; the difference is the memory of the cells.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import requests

from components.contract.profile import BEEZY
from components.drafts.comparison import Timing
from components.endpoints.endpoint import Address, Endpoint
from components.experiments.experiments import Experiments
from components.experiments.run_order import Cell, Plan
from components.log.log import Log
from components.runs.runner import Runner
from components.streaming.reader_processes import ReaderProcesses
from tests.benchmarks.endpoint import Served, endpoint_at_once, trust
from tests.browser.conftest import ROOT
from tests.orders import order

REPEATS = 10
ID = "b" * 32


class Measured(NamedTuple):
    """Cells a second, processor time of a cell in ms, and the most memory of the process in MB."""

    rate: float
    processor_ms: float
    memory_mb: float


def body_of(row: int) -> bytes:
    content = {"model": "m", "messages": [{"role": "user", "content": "Say it."}], "temperature": row / 10_000}
    return json.dumps({**content, "stream": True}, indent=2).encode()


def measure(what: str, served: Served, cells: int, at_once: int) -> Measured:
    """Run ``bare`` or ``sweep`` in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.sweep_rate", "--here", what, served.base_url]
    command += ["--cells", str(cells), "--at-once", str(at_once), "--authority", served.authority or ""]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Measured(*map(float, ran.stdout.split()))


def bare(base_url: str, cells: int, at_once: int, authority: str | None) -> float:
    """Seconds of the obvious loop."""

    def ask(number: int) -> int:
        headers = {"Content-Type": "application/json"}
        url, verify = f"{base_url}/chat/completions", authority or True
        with requests.post(url, body_of(number // REPEATS), headers=headers, stream=True, verify=verify) as got:
            return len(got.content)

    began = time.perf_counter()
    with ThreadPoolExecutor(at_once) as executor:
        list(executor.map(ask, range(cells)))
    return time.perf_counter() - began


def sweep(base_url: str, cells: int, at_once: int) -> float:
    """Seconds of a sweep."""
    endpoint = Endpoint("local", BEEZY, Address(base_url))
    with tempfile.TemporaryDirectory() as folder:
        log = Log(f"sqlite:///{Path(folder) / 'runs.sqlite3'}")
        readers = ReaderProcesses(max(1, (os.cpu_count() or 1) - 1))
        experiment = Experiments(Runner(log), log, readers=readers).find(ID)
        made = [
            Cell(f"row {row + 1}", row, repeat, order(endpoint, body_of(row)))
            for repeat in range(1, REPEATS + 1)
            for row in range(cells // REPEATS)
        ]
        began = time.perf_counter()
        experiment.start(Plan(tuple(made), Timing.PARALLEL, at_once, shared=True))
        while experiment.active:
            time.sleep(0.05)
        took = time.perf_counter() - began
        assert len(experiment.run_ids()) == len(made)
        readers.close()
        log.close()
    return took


def processor_s() -> float:
    """Processor time of this process and of those that it started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def measure_here(what: str, base_url: str, cells: int, at_once: int, authority: str | None) -> None:
    """Print what ``measure`` reads."""
    began = processor_s()
    took = bare(base_url, cells, at_once, authority) if what == "bare" else sweep(base_url, cells, at_once)
    processor = processor_s() - began
    memory = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(cells / took, processor / cells * 1000, int(memory.split()[1]) / 1024)


def main() -> None:
    """Measure in turns and print the medians and their ratio."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sweep_rate", description=__doc__)
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--here", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--authority", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        trust(arguments.authority)
        measure_here(*arguments.here, arguments.cells, arguments.at_once, arguments.authority)
        return
    measured: dict[str, list[Measured]] = {"bare": [], "sweep": []}
    with endpoint_at_once(tls=arguments.tls) as served:
        little = measure("sweep", served, arguments.cells // 10, arguments.at_once)
        for _ in range(arguments.rounds):
            for what, found in measured.items():
                found.append(measure(what, served, arguments.cells, arguments.at_once))
                print(f"{what:5} {found[-1].rate:6.0f} cells/s {found[-1].processor_ms:6.2f} ms a cell", flush=True)
    rates = {what: statistics.median(one.rate for one in found) for what, found in measured.items()}
    costs = {what: statistics.median(one.processor_ms for one in found) for what, found in measured.items()}
    memory = statistics.median(one.memory_mb for one in measured["sweep"])
    print(f"median: bare {rates['bare']:.0f}, sweep {rates['sweep']:.0f}, ratio {rates['sweep'] / rates['bare']:.2f}")
    print(f"processor of a cell: ratio {costs['bare'] / costs['sweep']:.2f}")
    print(f"memory: {memory:.0f} MB, with a tenth of the cells {little.memory_mb:.0f} MB")


if __name__ == "__main__":
    main()
