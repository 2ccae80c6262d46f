"""The server's CPU during watched runs, and during the same runs unwatched."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from playwright.sync_api import Browser

from tests.benchmarks.live_view.figures import markdown
from tests.benchmarks.live_view.measurement import make_ready, open_page
from tests.benchmarks.live_view.processes import cpu_seconds
from tests.benchmarks.live_view.rivals import Case, Rival, Served
from tests.benchmarks.live_view.source import Source
from tests.waiting import wait_for

SETTLING_SECONDS = 1.0
"""From the beginning of the last stream; clicks and first tokens are not counted."""
COUNTED_SHARE = 0.8
"""Of a stream's time: long enough to be sure, and over before the first stream ends."""


@dataclass(frozen=True)
class Span:
    """A time in which all streams ran. ``tokens`` is how many the source sent in it, ``seconds`` are its length."""

    seconds: float
    server_seconds: float
    tokens: int

    @property
    def cores(self) -> float:
        """Processors that the server kept busy."""
        return self.server_seconds / self.seconds

    @property
    def milliseconds_per_token(self) -> float:
        """The server's CPU for each token."""
        return self.server_seconds / self.tokens * 1000


def start_runs(served: Served, count: int) -> None:
    """Start runs that no page shows."""
    address = urlsplit(served.address)
    request = Request(f"http://{address.netloc}/bench/start?runs={count}", method="POST")
    build_opener(ProxyHandler({})).open(request, timeout=60).close()


def span_of(source: Source, server: int, case: Case, before: int) -> Span:
    """Measure while the streams run that come after the first ``before`` ones, and wait for their end."""
    wait_for(lambda: len(source.ended()) == before + case.lanes, 60)
    time.sleep(SETTLING_SECONDS)
    began, cpu_before = time.time(), cpu_seconds(server)
    time.sleep(case.tokens / case.rate * COUNTED_SHARE - SETTLING_SECONDS)
    over, cpu_after = time.time(), cpu_seconds(server)
    wait_for(lambda: all(source.ended()), 120)
    streams = source.streams()[before:]
    assert over < min(stream.ended or 0 for stream in streams), "streams began too far apart: take more tokens"
    tokens = sum(began <= sent < over for stream in streams for sent in stream.sent)
    return Span(over - began, cpu_after - cpu_before, tokens)


def measure_server(browser: Browser, rival: Rival, case: Case, times: int) -> dict[str, list[Span]]:
    """In turns on one server: runs shown by a page, and unwatched runs."""
    spans: dict[str, list[Span]] = {"watched in a page": [], "unwatched": []}
    with tempfile.TemporaryDirectory() as folder, rival.serve(case, Path(folder)) as served:
        assert served.server is not None
        for _ in range(times):
            page = open_page(browser, served.address)
            make_ready(page, rival)
            before = len(served.source.ended())
            page.locator(rival.run).first.click()
            spans["watched in a page"].append(span_of(served.source, served.server, case, before))
            page.wait_for_timeout(1000)
            page.close()
            time.sleep(2 * SETTLING_SECONDS)
            before = len(served.source.ended())
            start_runs(served, case.lanes)
            spans["unwatched"].append(span_of(served.source, served.server, case, before))
    return spans


def server_table(spans: dict[str, list[Span]]) -> str:
    """One row for each kind of run, and one for the difference."""
    watched, alone = ([span.milliseconds_per_token for span in found] for found in spans.values())
    added = [one - other for one, other in zip(watched, alone, strict=True)]
    rows = [
        [name, _of(span.milliseconds_per_token for span in found), _of(span.cores for span in found)]
        for name, found in spans.items()
    ]
    rows.append(["what the view adds", _of(added), ""])
    columns = ["runs", "server CPU per token in ms, median (least to most)", "cores, median (least to most)"]
    return "\n".join(markdown([columns, *rows]))


def _of(values: Iterable[float]) -> str:
    ordered = sorted(values)
    return f"{statistics.median(ordered):.2f} ({ordered[0]:.2f} to {ordered[-1]:.2f})"
