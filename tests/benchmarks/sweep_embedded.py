"""Tokens a second of the embedded model: a sweep with four cells at once, against four bare streams of requests.

    python -m tests.benchmarks.sweep_embedded [--cells 16] [--tokens 120]

Both take turns in the same minutes and ask the very same bytes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from components.contract.profile import BEEZY
from components.drafts.comparison import Timing
from components.embedded.process import EmbeddedModel
from components.endpoints.endpoint import EmbeddedEndpoint
from components.experiments.experiments import Experiments
from components.experiments.run_order import Cell, Plan
from components.log.log import Log
from components.log.query import find_run
from components.runs.runner import Runner
from tests.orders import order

AT_ONCE = 4
PROMPT = "Write a long story about a lighthouse keeper, a storm, a map and a child."


def bodies(model: str, cells: int, tokens: int) -> list[bytes]:
    said = {"model": model, "messages": [{"role": "user", "content": PROMPT}], "max_tokens": tokens, "stream": True}
    return [json.dumps({**said, "temperature": 0.7, "random_seed": seed}).encode() for seed in range(cells)]


def bare(endpoint: EmbeddedEndpoint, asked: list[bytes]) -> float:
    address = endpoint.address(lambda: False)
    assert address.key
    headers = {"Content-Type": "application/json", "Authorization": address.key.header_for(address.base_url)}

    def ask(body: bytes) -> int:
        with requests.post(f"{address.base_url}/chat/completions", body, headers=headers, stream=True) as response:
            events = [line[6:] for line in response.iter_lines() if line.startswith(b"data: {")]
        usage = next(read["usage"] for event in reversed(events) if (read := json.loads(event)).get("usage"))
        return int(usage["completion_tokens"])

    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as executor:
        tokens = sum(executor.map(ask, asked))
    return tokens / (time.perf_counter() - began)


def sweep(endpoint: EmbeddedEndpoint, asked: list[bytes], number: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        log = Log(f"sqlite:///{Path(folder) / 'runs.sqlite3'}")
        experiment = Experiments(Runner(log), log).find(f"{number:032x}")
        model = endpoint.default_model or ""
        cells = [Cell(f"row {row + 1}", row, 1, order(endpoint, body, model)) for row, body in enumerate(asked)]
        began = time.perf_counter()
        experiment.start(Plan(tuple(cells), Timing.PARALLEL, AT_ONCE, shared=True))
        while experiment.active:
            time.sleep(0.02)
        seconds = time.perf_counter() - began
        assert log.database
        runs = [find_run(log.database, run_id) for run_id in experiment.run_ids()]
        log.close()
    return sum(run.completion_tokens or 0 for run in runs if run) / seconds


def main() -> None:
    """Measure in turns and print the medians and their ratio."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sweep_embedded", description=__doc__)
    parser.add_argument("--cells", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    model = EmbeddedModel()
    endpoint = EmbeddedEndpoint("embedded", BEEZY, model, model.state.model)
    bare_rates, sweep_rates = [], []
    try:
        asked = bodies(model.state.model, arguments.cells, arguments.tokens)
        bare(endpoint, asked[:AT_ONCE])  # it starts
        for number in range(arguments.rounds):
            bare_rates.append(bare(endpoint, asked))
            sweep_rates.append(sweep(endpoint, asked, number))
            print(f"bare {bare_rates[-1]:6.1f} tokens/s   sweep {sweep_rates[-1]:6.1f} tokens/s", flush=True)
    finally:
        model.stop()
    alone, whole = statistics.median(bare_rates), statistics.median(sweep_rates)
    print(f"median: bare {alone:.1f}, sweep {whole:.1f}, ratio {whole / alone:.3f}")


if __name__ == "__main__":
    main()
