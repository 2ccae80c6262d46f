"""The cost of the command: a file's cells against the same cells on the page; and checks of logged answers a second.

    python -m tests.benchmarks.checks [--cells 600] [--answers 20000]

Cells take 20 ms at the endpoint, four at a time, with five checks each. Page and file take turns in one process, with
the same readers; each ratio compares two neighbouring runs, and the median ratio is the cost of the command. Its
cells are compared alone, and then including reading them back, the limit and three reports, which the page lacks.
The command as a process is timed including its start. Checks on logged answers are five for each answer of 60 words;
their time includes reading the log and storing the results. Memory is measured in separate processes.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

from sqlalchemy import select

from components.contract.profile import BEEZY
from components.endpoints.endpoint import Address, AnyEndpoint, Endpoint
from components.experiments.experiments import Experiments
from components.experiments.file_reading import read_experiment_file
from components.experiments.logged_cases import cases_of
from components.experiments.logged_checks import check_logged
from components.experiments.prepared import prepared
from components.experiments.repeatable import run
from components.experiments.report import Outcome, report_on
from components.experiments.report_files import Links, to_json, to_junit, to_markdown
from components.experiments.store import save_experiment
from components.log.log import Log
from components.log.owned import OwnLog
from components.log.tables import runs
from components.runs.runner import Runner
from components.streaming.reader_processes import ReaderProcesses
from tests.browser.conftest import ROOT
from tests.experiments.conftest import Stage
from tests.log.many_rows import fill
from tests.streaming.endpoint import serve

PAUSE_S = 0.02
CHECKS = """\
checks:
  - contains: word
  - not_contains: sorry
  - regex: "wo.d"
  - length: {at_most: 80, unit: words}
  - expression: len(words(answer)) < 80 and not starts(lower(answer), "sorry")
"""
FILE = f"""\
tempera: 1
base:
  endpoint: here
  model: word
  messages: [user: "Say it."]
axes:
  temperature: 0 to 1 step 0.1
combine: product
repeats: REPEATS
concurrency: 4
{CHECKS}limits:
  - ttft_ms: {{at_most: 60000}}
"""


def play(stage: Stage, connection: socket.socket, request: bytes) -> None:
    """Answer like the stage, which lists no models."""
    if request.startswith(b"GET"):
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    else:
        stage.play(connection, request)


def seconds_of(
    text: str, endpoints: Mapping[str, AnyEndpoint], readers: ReaderProcesses, *, report: bool
) -> tuple[float, float]:
    """Seconds of an experiment's cells, and with its reports; opening its log is not part of them."""
    with tempfile.TemporaryDirectory() as folder:
        log = Log(f"sqlite:///{Path(folder) / 'runs.sqlite3'}")
        own, runner = OwnLog(log, log.owner), Runner(log)
        experiments = Experiments(runner, log, readers=readers)
        file = read_experiment_file(text)
        experiment = prepared(file, endpoints, lambda _endpoint: [], own)
        began = time.perf_counter()
        if report:
            made = run(experiment, experiments, own)
            cells_s = time.perf_counter() - began
            cases = cases_of(made, own, file.rules.checks)
            found = report_on(made.experiment_id, "", cases, file.rules)
            assert found.outcome is Outcome.PASSED
            texts = (
                to_json(found, file.rules.checks, Links()),
                to_junit(found, Links()),
                to_markdown(found, Links(), {}),
            )
            assert all(texts)
        else:
            new = "b" * 32
            save_experiment(own, new, experiment.content, experiment.kind)
            begun = experiments.find(new, own.owner)
            begun.start(experiment.order(experiment.cells), is_new=True)
            while begun.active:
                time.sleep(0.01)
            cells_s = time.perf_counter() - began
        took = cells_s, time.perf_counter() - began
        experiments.stop()
        runner.shutdown()
        log.close()
    return took


def seconds_of_command(text: str, base_url: str) -> float:
    """Seconds of the command as a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file.yaml"
        file.write_text(text.replace("endpoint: here", "endpoint: environment"))
        reports = [part for kind in ("json", "junit", "markdown") for part in (f"--{kind}", f"{folder}/{kind}")]
        command = [sys.executable, "-m", "components.experiments", "run", str(file)]
        began = time.perf_counter()
        subprocess.run(
            [*command, "--log", f"sqlite:///{folder}/runs.sqlite3", *reports],
            cwd=ROOT,
            env={**os.environ, "TEMPERA_BASE_URL": base_url},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - began


def check_here(answers: int) -> None:
    """Print the checks a second of logged answers, and the most memory in MB before and after."""
    with tempfile.TemporaryDirectory() as folder:
        log = Log(f"sqlite:///{Path(folder) / 'runs.sqlite3'}")
        assert log.database
        fill(log.database, answers)
        own = OwnLog(log, log.owner)
        with log.database.reader.begin() as connection:
            ids = list(connection.execute(select(runs.c.id)).scalars())
        checks = read_experiment_file(FILE.replace("REPEATS", "1")).rules.checks
        check_logged(own, ids[:100], checks)
        before = memory_mb()
        began, processor = time.perf_counter(), time.process_time()
        assert check_logged(own, ids, checks) == answers
        took, busy = time.perf_counter() - began, time.process_time() - processor
        made = answers * len(checks)
        print(made / took, made / busy, memory_mb() - before)
        log.close()


def memory_mb() -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Measure in turns and print medians and ratios."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.checks", description=__doc__)
    parser.add_argument("--cells", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--answers", type=int, default=20_000)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        check_here(arguments.answers)
        return
    text = FILE.replace("REPEATS", str(max(arguments.cells // 11, 1)))
    cells, whole = [], []
    with serve(partial(play, Stage(pause=PAUSE_S))) as served, closing(ReaderProcesses(1)) as readers:
        endpoints = {"here": Endpoint("here", BEEZY, Address(served.base_url))}
        seconds_of(text, endpoints, readers, report=True)  # the readers start
        for number in range(arguments.rounds):
            sides = {
                side: seconds_of(text, endpoints, readers, report=side == "file")
                for side in (("page", "file") if number % 2 else ("file", "page"))
            }
            cells.append(sides["file"][0] / sides["page"][0])
            whole.append(sides["file"][1] / sides["page"][1])
            print(f"page {sides['page'][0]:.2f} s, file {sides['file'][0]:.2f} s, {sides['file'][1]:.2f} s", flush=True)
        print(f"The file's cells take {statistics.median(cells):.3f} of the page's, with reports", end=" ")
        print(f"{statistics.median(whole):.3f} (medians of {arguments.rounds})")
        print(f"The command as a process takes {seconds_of_command(text, served.base_url):.2f} s")
    for answers in (arguments.answers // 10, arguments.answers):
        command = [sys.executable, "-m", "tests.benchmarks.checks", "--here", "--answers", str(answers)]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        rate, busy, grown = map(float, ran.stdout.split())
        print(f"{answers:,} answers: {rate:,.0f} checks/s ({busy:,.0f} a processor second), {grown:.1f} MB more")


if __name__ == "__main__":
    main()
