"""What checks and the command cost: a run of a file against the same cells on the page, and checks on logged answers.

    python -m tests.benchmarks.checks [--cells 600] [--answers 20000]

Cells take 20 ms at the endpoint, four at a time. The page's sweep has no checks, the file has five, a limit and
reports; both take turns, and the ratio of the medians is what the command costs. Checks on logged answers are five for
each answer of 60 words: their time has reading the log and keeping the results in it. Memory is measured in processes
of their own.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
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
from components.experiments.report import report_on
from components.experiments.report_files import Links, to_json, to_junit, to_markdown
from components.log.log import Log
from components.log.owned import OwnLog
from components.log.tables import runs
from components.runs.runner import Runner
from tests.browser.conftest import ROOT
from tests.experiments.conftest import Stage
from tests.log.many_rows import fill
from tests.streaming.endpoint import serve

ROUNDS = 3
PAUSE_S = 0.02
CHECKS = """\
checks:
  - contains: word
  - not_contains: sorry
  - regex: "wo.d"
  - length: {at_most: 80, unit: words}
  - expression: len(words(answer)) < 80 and not starts(lower(answer), "sorry")
"""
PAGE = """\
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
"""
FILE = f"{PAGE}{CHECKS}limits:\n  - ttft_ms: {{at_most: 60000}}\n"


def seconds_of(text: str, endpoints: Mapping[str, AnyEndpoint], *, report: bool) -> tuple[float, float]:
    """Seconds and processor seconds of an experiment, without opening its log."""
    with tempfile.TemporaryDirectory() as folder:
        log = Log(f"sqlite:///{Path(folder) / 'runs.sqlite3'}")
        own, runner = OwnLog(log, log.owner), Runner(log)
        experiments = Experiments(runner, log)
        file = read_experiment_file(text)
        experiment = prepared(file, endpoints, lambda _endpoint: [], own)
        began, processor = time.perf_counter(), time.process_time()
        if report:
            made = run(experiment, experiments, own)
            cases = cases_of(made, own, file.rules.checks)
            found = report_on(made.experiment_id, "", cases, file.rules)
            texts = (to_json(found, file.rules.checks, Links()), to_junit(found, Links()), to_markdown(found, Links()))
            assert all(texts)
        else:
            begun = experiments.find("b" * 32, own.owner)
            begun.start(experiment.order(experiment.cells))
            while begun.going_on:
                time.sleep(0.01)
        took = time.perf_counter() - began, time.process_time() - processor
        runner.shutdown()
        log.close()
    return took


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
    parser.add_argument("--answers", type=int, default=20_000)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        check_here(arguments.answers)
        return
    found: dict[str, list[tuple[float, float]]] = {"page": [], "file": []}
    with serve(Stage(pause=PAUSE_S).play) as served:
        endpoints = {"here": Endpoint("here", BEEZY, Address(served.base_url))}
        for _ in range(ROUNDS):
            for what, text in (("page", PAGE), ("file", FILE)):
                sent = text.replace("REPEATS", str(max(arguments.cells // 11, 1)))
                found[what].append(seconds_of(sent, endpoints, report=what == "file"))
                print(f"{what} {found[what][-1][0]:6.2f} s, processor {found[what][-1][1]:6.2f} s", flush=True)
    for number, name in enumerate(("time", "processor time")):
        page, file = (statistics.median(each[number] for each in found[what]) for what in ("page", "file"))
        print(f"{name}: the file takes {file / page:.3f} of the page's")
    for answers in (arguments.answers // 10, arguments.answers):
        command = [sys.executable, "-m", "tests.benchmarks.checks", "--here", "--answers", str(answers)]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        rate, busy, grown = map(float, ran.stdout.split())
        print(f"{answers:,} answers: {rate:,.0f} checks/s ({busy:,.0f} a processor second), {grown:.1f} MB more")


if __name__ == "__main__":
    main()
