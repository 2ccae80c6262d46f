"""Many visitors at once: each has a page of its own, presses *Run* and reads the answer, without a browser."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.live_view.clients import Watched
from tests.benchmarks.live_view.figures import both, markdown, milliseconds
from tests.benchmarks.live_view.rivals import Case, tempera
from tests.benchmarks.live_view.server_cpu import Span, span_of
from tests.benchmarks.live_view.source import ROOT, Stream, word

DEMO = {
    "slots": 1000,
    "runs_a_day": 1_000_000,
    "visitors_a_network": 1000,
    "tokens_a_day": 1_000_000_000,
    "network_percent": 100,
    "run_s": 3600,
}
"""A demo distinguishes visitors without a login. Its default limits would let only some of one network run."""


@dataclass(frozen=True)
class Crowd:
    """The result of one case. ``watching_since`` is the time of the last visitor's first text."""

    case: Case
    streams: list[Stream]
    watched: list[Watched]
    watching_since: float
    span: Span


def measure_crowd(case: Case) -> Crowd:
    """One visitor per lane of the case."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        limits = "\n".join(f"{limit} = {value}" for limit, value in DEMO.items())
        (folder / "secrets.toml").write_text(f"[demo]\nenabled = true\n{limits}\n")
        with (
            tempera(case, folder) as served,
            subprocess.Popen(
                [sys.executable, "-m", "tests.benchmarks.live_view.clients"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            ) as clients,
        ):
            assert served.server is not None
            assert clients.stdin is not None
            assert clients.stdout is not None
            clients.stdin.write(json.dumps([served.address, case.lanes]) + "\n")
            clients.stdin.flush()
            clients.stdout.readline()
            watching_since = float(clients.stdout.readline())
            span = span_of(served.source, served.server, case, 0)
            watched = [Watched(**one) for one in json.loads(clients.stdout.readline())]
            return Crowd(case, served.source.streams(), watched, watching_since, span)


def crowd_table(crowd: Crowd) -> str:
    """The figures, in Markdown."""
    lags = milliseconds(_lags(crowd))
    late = milliseconds(late for stream in crowd.streams for late in stream.late())
    tokens = crowd.case.tokens * crowd.case.lanes
    rows = [
        ["what", "measured"],
        ["from the source to the visitor, median / 95th percentile", both(lags)],
        ["the longest", f"{max(lags):,.0f} ms"],
        ["source late, median / 95th percentile and most", f"{both(late)}, {max(late):,.0f} ms"],
        ["visitors that have every word in its place", f"{_complete(crowd)} of {crowd.case.lanes}"],
        ["messages of the live socket per token", f"{sum(one.messages for one in crowd.watched) / tokens:.2f}"],
        ["bytes of the live socket per token", f"{sum(one.received_bytes for one in crowd.watched) / tokens:,.0f}"],
        ["bytes of the page per token", f"{sum(one.page_bytes for one in crowd.watched) / tokens:,.0f}"],
        ["server", f"{crowd.span.cores:.2f} cores, {crowd.span.milliseconds_per_token:.2f} ms per token"],
    ]
    title = f"### {crowd.case.lanes} visitors, each with {crowd.case.tokens:,} tokens at {crowd.case.rate:g} per second"
    return "\n".join([title, "", *markdown(rows)])


def _complete(crowd: Crowd) -> int:
    sent = {
        " ".join(word(stream.name, number).strip() for number in range(crowd.case.tokens)) for stream in crowd.streams
    }
    return len(sent & {one.text for one in crowd.watched})


def _lags(crowd: Crowd) -> list[float]:
    """Of each token that was sent when all visitors were watching, in seconds."""
    sent = {stream.name: stream.sent for stream in crowd.streams}
    found = []
    for one in crowd.watched:
        name = one.text.split()[0].rstrip("0123456789")
        shown_up_to = 0
        for number, at in one.seen:
            times = sent[name][shown_up_to : number + 1]
            found += [at - time for time in times if time >= crowd.watching_since]
            shown_up_to = number + 1
    return found
