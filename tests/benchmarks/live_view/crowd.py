"""Many visitors at once: each has a run of its own and reads it from the live socket, without a browser."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.benchmarks.live_view.clients import Watched
from tests.benchmarks.live_view.figures import both, markdown, milliseconds
from tests.benchmarks.live_view.rivals import BENCH_PLAYGROUND, Case
from tests.benchmarks.live_view.server_cpu import Span, span_of, start_runs
from tests.benchmarks.live_view.source import ROOT, Stream, word


@dataclass(frozen=True)
class Crowd:
    """What came of one case. ``watching_since`` is when the last client had its first message."""

    case: Case
    streams: list[Stream]
    watched: list[Watched]
    watching_since: float
    span: Span
    span_alone: Span


def measure_crowd(case: Case) -> Crowd:
    """As many runs as the case has lanes, watched by as many clients, and after that the same with nobody watching."""
    with (
        tempfile.TemporaryDirectory() as folder,
        BENCH_PLAYGROUND.serve(case, Path(folder)) as served,
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
        clients.stdout.readline()
        started = start_runs(served, case.lanes)
        clients.stdin.write(json.dumps([f"ws://{urlsplit(served.address).netloc}", started]) + "\n")
        clients.stdin.flush()
        watching_since = float(clients.stdout.readline())
        span = span_of(served.source, served.server, case, 0)
        watched = [Watched(**one) for one in json.loads(clients.stdout.readline())]
        streams = served.source.streams()
        start_runs(served, case.lanes)
        span_alone = span_of(served.source, served.server, case, case.lanes)
    return Crowd(case, streams, watched, watching_since, span, span_alone)


def crowd_table(crowd: Crowd) -> str:
    """The figures, in Markdown."""
    lags = milliseconds(_lags(crowd))
    late = milliseconds(late for stream in crowd.streams for late in stream.late())
    tokens = crowd.case.tokens * crowd.case.lanes
    rows = [
        ["what", "measured"],
        ["from the source to the client, median / 95th percentile", both(lags)],
        ["the longest", f"{max(lags):,.0f} ms"],
        ["source late, median / 95th percentile and most", f"{both(late)}, {max(late):,.0f} ms"],
        ["clients that have every word in its place", f"{_complete(crowd)} of {crowd.case.lanes}"],
        ["messages per token", f"{sum(one.messages for one in crowd.watched) / tokens:.2f}"],
        ["bytes per token", f"{sum(one.received_bytes for one in crowd.watched) / tokens:,.0f}"],
        ["server, watched", _server(crowd.span)],
        ["server, nobody watches", _server(crowd.span_alone)],
    ]
    title = f"### {crowd.case.lanes} clients, each with {crowd.case.tokens:,} tokens at {crowd.case.rate:g} per second"
    return "\n".join([title, "", *markdown(rows)])


def _server(span: Span) -> str:
    return f"{span.cores:.2f} cores, {span.milliseconds_per_token:.2f} ms per token, for {span.seconds:.0f} s"


def _complete(crowd: Crowd) -> int:
    sent = {"".join(word(stream.name, number) for number in range(crowd.case.tokens)) for stream in crowd.streams}
    return len(sent & {one.text for one in crowd.watched})


def _lags(crowd: Crowd) -> list[float]:
    """Of each token that was sent when all clients were watching, in seconds."""
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
