"""From what was seen to a table: functions of values."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable

from tests.benchmarks.live_view.measurement import Measurement
from tests.benchmarks.live_view.widgets import Answers

COLUMNS = [
    "view",
    "lag, median / 95th percentile",
    "first quarter",
    "last quarter",
    "to the bare page",
    "bytes per token",
    "server CPU per token",
    "renderer CPU per token",
    "Run to first token",
    "last token after the source's end",
    "on the screen in the end",
    "source late, 95th percentile and most",
]


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def lags(measurement: Measurement, among: Callable[[float], bool] = lambda place: True) -> list[float]:
    """Seconds from source to screen for each token that was seen, of all lanes together.

    ``among`` chooses by the token's place in its stream: 0 is the first, 1 would be after the last.
    """
    sent = {stream.letter: stream.sent for stream in measurement.streams}
    shown_up_to = dict.fromkeys(sent, 0)
    found = []
    for seen in measurement.seen:
        tokens = range(shown_up_to[seen.letter], seen.number + 1)
        found += [seen.at - sent[seen.letter][token] for token in tokens if among(token / measurement.case.tokens)]
        shown_up_to[seen.letter] = seen.number + 1
    return found


def table(measurements: list[Measurement]) -> str:
    """One row per rival, in Markdown, and what must be known to read it."""
    bare = next((measurement for measurement in measurements if measurement.rival == "bare page"), None)
    rows = [_row(measurement, bare) for measurement in measurements]
    clock = max(abs(measurement.clock_difference) for measurement in measurements)
    return "\n".join(
        [
            f"### {_title(measurements[0])}",
            "",
            *_markdown([COLUMNS, *rows]),
            "",
            f"The pages' clocks and the source's differ by {clock * 1000:.1f} ms at most.",
        ]
    )


def widget_table(answers: dict[str, Answers]) -> str:
    """One row per kind of touch, in Markdown."""
    columns = ["touched", "at rest, median / 95th percentile", "while an answer streams", "touches of each"]
    rows = [
        [name, _both(took.at_rest), _both(took.while_streaming), str(len(took.while_streaming))]
        for name, took in answers.items()
    ]
    return "\n".join(_markdown([columns, *rows]))


def _title(measurement: Measurement) -> str:
    case = measurement.case
    speed = f"at {case.rate:g} per second" if case.rate else "as fast as they go"
    return f"{case.tokens:,} tokens {speed}" + (f", {case.lanes} lanes" if case.lanes > 1 else "")


def _row(measurement: Measurement, bare: Measurement | None) -> list[str]:
    tokens = measurement.case.tokens * measurement.case.lanes
    whole = lags(measurement)
    ratio = statistics.median(whole) / statistics.median(lags(bare)) if bare and whole and lags(bare) else None
    return [
        measurement.rival,
        _both(_milliseconds(whole)),
        _both(_milliseconds(lags(measurement, lambda place: place < 0.25))),
        _both(_milliseconds(lags(measurement, lambda place: place >= 0.75))),
        "–" if ratio is None else f"× {ratio:,.1f}",
        f"{measurement.received_bytes / tokens:,.0f}",
        "–" if measurement.server_seconds is None else f"{measurement.server_seconds / tokens * 1000:.2f} ms",
        f"{measurement.renderer_seconds / tokens * 1000:.2f} ms",
        f"{(measurement.seen[0].at - measurement.clicked_at) * 1000:,.0f} ms" if measurement.seen else "never",
        _after_the_end(measurement),
        "all" if not measurement.missing else f"{measurement.missing:,} missing",
        _lateness(measurement),
    ]


def _after_the_end(measurement: Measurement) -> str:
    """How long after its source's end the last lane was complete."""
    last = {(seen.letter, seen.number): seen.at for seen in measurement.seen}
    after = []
    for stream in measurement.streams:
        at = last.get((stream.letter, measurement.case.tokens - 1))
        if at is None or stream.ended is None:
            return "never"
        after.append(at - stream.ended)
    return f"{max(after) * 1000:,.0f} ms"


def _lateness(measurement: Measurement) -> str:
    late = [seconds for stream in measurement.streams for seconds in stream.late()]
    return f"{percentile(late, 0.95) * 1000:.1f} / {max(late) * 1000:.1f} ms" if late else "–"


def _milliseconds(seconds: Iterable[float]) -> list[float]:
    return [second * 1000 for second in seconds]


def _both(milliseconds: list[float]) -> str:
    if not milliseconds:
        return "–"
    return f"{statistics.median(milliseconds):,.0f} / {percentile(milliseconds, 0.95):,.0f} ms"


def _markdown(rows: list[list[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]
