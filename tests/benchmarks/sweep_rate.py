"""Cells a second of a sweep, against a bare ThreadPoolExecutor with requests; and the memory that cells take.

    python -m tests.benchmarks.sweep_rate [--cells 10000] [--at-once 8]

The endpoint answers at once, from a process of its own. Bare loop and sweep take turns in the same minutes; the ratio
of the medians is what a sweep's reader, log and order of cells cost. The sweep's process is measured with a tenth of
its cells as well: what it takes more for all of them is what cells take.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests

from components.contract.profile import BEEZY
from components.drafts.comparison import Timing
from components.endpoints.endpoint import Address, Endpoint
from components.experiments.experiment import Experiments
from components.experiments.run_order import Cell, Plan
from components.log.log import Log
from components.runs.runner import Runner
from tests.browser.conftest import ROOT
from tests.orders import order

REPEATS = 10
WORDS = 8
ID = "b" * 32


def body_of(row: int) -> bytes:
    content = {"model": "m", "messages": [{"role": "user", "content": "Say it."}], "temperature": row / 10_000}
    return json.dumps({**content, "stream": True}, indent=2).encode()


def answer() -> bytes:
    def event(**parts: object) -> str:
        return f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'model': 'm', **parts})}\n\n"

    words = [event(choices=[{"index": 0, "delta": {"content": f" word{number}"}}]) for number in range(WORDS)]
    end = event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], usage={"completion_tokens": WORDS})
    content = "".join([*words, end, "data: [DONE]\n\n"]).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {len(content)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + content


async def serve() -> None:
    """Answer everybody at once; the port stands in the first line of the output."""
    said = answer()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
        await reader.readexactly(int(length or 0))  # a list of models is asked for without a body
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def endpoint_at_once() -> Iterator[str]:
    """The base URL of an endpoint that answers at once, in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.sweep_rate", "--serve"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        process.terminate()


def bare(base_url: str, cells: int, at_once: int) -> float:
    """Cells a second of the loop that anybody would write."""

    def ask(number: int) -> int:
        headers = {"Content-Type": "application/json"}
        with requests.post(
            f"{base_url}/chat/completions", body_of(number // REPEATS), headers=headers, stream=True
        ) as got:
            return len(got.content)

    began = time.perf_counter()
    with ThreadPoolExecutor(at_once) as executor:
        list(executor.map(ask, range(cells)))
    return cells / (time.perf_counter() - began)


def sweep(base_url: str, cells: int, at_once: int) -> tuple[float, float]:
    """Cells a second of a sweep, and the most memory of its process in MB."""
    command = [sys.executable, "-m", "tests.benchmarks.sweep_rate", "--sweep", base_url]
    arguments = ["--cells", str(cells), "--at-once", str(at_once)]
    ran = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    rate, memory = map(float, ran.stdout.split())
    return rate, memory


def sweep_here(base_url: str, cells: int, at_once: int) -> None:
    endpoint = Endpoint("local", BEEZY, Address(base_url))
    with tempfile.TemporaryDirectory() as folder:
        log = Log(f"sqlite:///{Path(folder) / 'runs.sqlite3'}")
        experiment = Experiments(Runner(log), log).find(ID)
        made = [
            Cell(f"row {row + 1}", row, repeat, order(endpoint, body_of(row)))
            for repeat in range(1, REPEATS + 1)
            for row in range(cells // REPEATS)
        ]
        began = time.perf_counter()
        experiment.start(Plan(tuple(made), Timing.PARALLEL, at_once, shared=True))
        while experiment.going_on:
            time.sleep(0.05)
        rate = len(made) / (time.perf_counter() - began)
        assert len(experiment.run_ids()) == len(made)
        log.close()
    memory = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(rate, int(memory.split()[1]) / 1024)


def main() -> None:
    """Measure in turns and print the medians and their ratio."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sweep_rate", description=__doc__)
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--sweep", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve())
    elif arguments.sweep:
        sweep_here(arguments.sweep, arguments.cells, arguments.at_once)
    else:
        bare_rates, sweep_rates, memories = [], [], []
        with endpoint_at_once() as base_url:
            _, little = sweep(base_url, arguments.cells // 10, arguments.at_once)
            for _ in range(arguments.rounds):
                bare_rates.append(bare(base_url, arguments.cells, arguments.at_once))
                rate, memory = sweep(base_url, arguments.cells, arguments.at_once)
                sweep_rates.append(rate)
                memories.append(memory)
                print(f"bare {bare_rates[-1]:6.0f} cells/s   sweep {rate:6.0f} cells/s   {memory:.0f} MB", flush=True)
        alone, whole = statistics.median(bare_rates), statistics.median(sweep_rates)
        print(f"median: bare {alone:.0f}, sweep {whole:.0f}, ratio {whole / alone:.2f}")
        print(f"memory: {statistics.median(memories):.0f} MB, with a tenth of the cells {little:.0f} MB")


if __name__ == "__main__":
    main()
