"""Tables from measurements, as functions of values."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from itertools import pairwise

from tests.benchmarks.live_view.measurement import Measurement
from tests.benchmarks.live_view.widgets import Answers

COLUMNS = [
    "view",
    "lag, median / 95th percentile",
    "first quarter",
    "last quarter",
    "to the bare page, median / 95th percentile",
    "bytes per token",
    "server CPU per token, in all",
    "renderer CPU per token",
    "Run to first token",
    "last token after the source's end",
    "longest time without a new token",
    "on the screen in the end",
    "source late, 95th percentile and most",
]


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def lags(measurement: Measurement, among: Callable[[float], bool] = lambda place: True) -> list[float]:
    """Seconds from source to screen for each token that was seen, of all lanes together.

    ``among`` chooses by the token's place in its stream: 0 is the first, 1 would be after the last.
    """
    sent = {stream.name: stream.sent for stream in measurement.streams}
    shown_up_to = dict.fromkeys(sent, 0)
    found = []
    for seen in measurement.seen:
        tokens = range(shown_up_to[seen.stream], seen.number + 1)
        found += [seen.at - sent[seen.stream][token] for token in tokens if among(token / measurement.case.tokens)]
        shown_up_to[seen.stream] = seen.number + 1
    return found


def table(measurements: list[Measurement]) -> str:
    """One row per rival, in Markdown, with notes."""
    bare = next((measurement for measurement in measurements if measurement.rival == "bare page"), None)
    rows = [_row(measurement, bare) for measurement in measurements]
    clock = max(abs(measurement.clock_difference) for measurement in measurements)
    return "\n".join(
        [
            f"### {_title(measurements[0])}",
            "",
            *markdown([COLUMNS, *rows]),
            "",
            f"The pages' clocks and the source's differ by {clock * 1000:.1f} ms at most.",
            *(_own_numbers(measurement) for measurement in measurements if measurement.own_numbers),
        ]
    )


def widget_table(answers: dict[str, Answers]) -> str:
    """One row per kind of touch, in Markdown."""
    columns = ["touched", "at rest, median / 95th percentile", "while answers stream", "touches of each"]
    rows = [
        [name, both(took.at_rest), both(took.while_streaming), str(len(took.while_streaming))]
        for name, took in answers.items()
    ]
    return "\n".join(markdown([columns, *rows]))


def _own_numbers(measurement: Measurement) -> str:
    """The largest difference of all lanes between the app's own numbers and the source's clock."""
    streams = {stream.name: stream for stream in measurement.streams}
    first_token, rate = 0.0, 0.0
    for own in measurement.own_numbers:
        stream = streams[own.stream]
        first_token = max(first_token, abs(own.time_to_first_token - stream.time_to_first_token))
        rate = max(rate, abs(own.decode_rate / stream.decode_rate - 1))
    return (
        f"What {measurement.rival} itself says is off the source's clock by {first_token * 1000:.1f} ms at most "
        f"in the time to first token, and by {rate:.3%} at most in the tokens per second after it."
    )


def _title(measurement: Measurement) -> str:
    case = measurement.case
    speed = f"at {case.rate:g} per second" if case.rate else "as fast as they go"
    return f"{case.tokens:,} tokens {speed}" + (f", {case.lanes} lanes" if case.lanes > 1 else "")


def _row(measurement: Measurement, bare: Measurement | None) -> list[str]:
    tokens = measurement.case.tokens * measurement.case.lanes
    whole = lags(measurement)
    return [
        measurement.rival,
        both(milliseconds(whole)),
        both(milliseconds(lags(measurement, lambda place: place < 0.25))),
        both(milliseconds(lags(measurement, lambda place: place >= 0.75))),
        _ratio(whole, lags(bare) if bare else []),
        f"{measurement.received_bytes / tokens:,.0f}",
        _per_token_and_in_all(measurement.server_seconds, tokens),
        f"{measurement.renderer_seconds / tokens * 1000:.2f} ms",
        f"{(measurement.seen[0].at - measurement.clicked_at) * 1000:,.0f} ms" if measurement.seen else "never",
        _after_the_end(measurement),
        _longest_pause(measurement),
        "all" if not measurement.missing else f"{measurement.missing:,} missing",
        _lateness(measurement),
    ]


def _ratio(whole: list[float], bare: list[float]) -> str:
    if not whole or not bare:
        return "–"
    of_medians = statistics.median(whole) / statistics.median(bare)
    return f"× {of_medians:,.1f} / × {percentile(whole, 0.95) / percentile(bare, 0.95):,.1f}"


def _per_token_and_in_all(seconds: float | None, tokens: int) -> str:
    return "–" if seconds is None else f"{seconds / tokens * 1000:.2f} ms, {seconds:.2f} s"


def _after_the_end(measurement: Measurement) -> str:
    """How long after its source's end the last lane was complete."""
    last = {(seen.stream, seen.number): seen.at for seen in measurement.seen}
    after = []
    for stream in measurement.streams:
        at = last.get((stream.name, measurement.case.tokens - 1))
        if at is None or stream.ended is None:
            return "never"
        after.append(at - stream.ended)
    return f"{max(after) * 1000:,.0f} ms"


def _longest_pause(measurement: Measurement) -> str:
    """The longest time between two frames that showed something new, after the first one."""
    moments = [seen.at for seen in measurement.seen]
    return f"{max((after - before for before, after in pairwise(moments)), default=0) * 1000:,.0f} ms"


def _lateness(measurement: Measurement) -> str:
    late = [seconds for stream in measurement.streams for seconds in stream.late()]
    return f"{percentile(late, 0.95) * 1000:.1f} / {max(late) * 1000:.1f} ms" if late else "–"


def milliseconds(seconds: Iterable[float]) -> list[float]:
    """Seconds as milliseconds."""
    return [second * 1000 for second in seconds]


def both(values: list[float]) -> str:
    """The median and the 95th percentile of milliseconds."""
    if not values:
        return "–"
    return f"{_number(statistics.median(values))} / {_number(percentile(values, 0.95))} ms"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}"


def markdown(rows: list[list[str]]) -> list[str]:
    """The lines of a table, its head first."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]
