"""A run's status and numbers in plain words."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from components.contract.profile import profile_named
from components.contract.request import from_bytes
from components.log.record import NUMBERS, OLDER_DEFINITION, RunRecord
from components.runs.run import Activity, RetryWait
from components.streaming.outcome import Status

Colour = Literal["green", "orange", "red", "blue", "gray"]

_COLOURS: dict[Status, Colour] = {
    Status.OK: "green",
    Status.DAMAGED: "orange",
    Status.INTERRUPTED: "orange",
    Status.ERROR: "red",
    Status.CANCELLED: "gray",
    Status.LOST: "orange",
    Status.REJECTED: "red",
}

_NOT_REPORTED = "not reported"
_NOTHING = "–"
_WITHOUT_LABEL = (NUMBERS["total_ms"].label, "received")
_LABEL_FIRST = ("finish reason", "attempts", NUMBERS["ttft_ms"].label, NUMBERS["waited_ms"].label)
_LABEL_LAST = (NUMBERS["tokens_per_second"].label, "chunks/s", "tokens")
"""The form of the numbers in the footer; others are shown on hover."""


def status_words(
    record: RunRecord,
    activity: Activity | None = None,
    place_in_queue: int | None = None,
    retry_wait: RetryWait | None = None,
) -> tuple[str, Colour]:
    """The status in words and its colour. ``activity`` is what a running run does or waits for."""
    if record.running:
        waits = f", place {place_in_queue}" if place_in_queue else ""
        if retry_wait and (seconds := math.ceil(retry_wait.remaining_s)):
            waits = f" in {seconds} s"
        return (f"{activity.value}{waits}" if activity else "running"), "blue"
    if was_cut(record):
        return "cut at max_tokens" if was_cut_at_sent_limit(record) else "cut at max_tokens (the model's own)", "orange"
    status = Status(record.status)
    return status.value, _COLOURS[status]


def was_cut(record: RunRecord) -> bool:
    """Whether the answer is complete but for a limit that it reached."""
    return record.status == Status.OK and record.finish_reason == "length"


def was_cut_at_sent_limit(record: RunRecord) -> bool:
    """Whether an answer of finish reason length was cut by the max_tokens that was sent."""
    try:
        sent = from_bytes(record.request_body, profile_named(record.dialect)).max_tokens
    except ValueError:
        return True
    return sent is not None and (record.completion_tokens is None or record.completion_tokens >= sent)


class ShownNumber(NamedTuple):
    """A number in words; ``meaning`` is its definition, with any remark on this value."""

    label: str
    value: str
    meaning: str


def numbers(record: RunRecord) -> list[ShownNumber]:
    """The numbers of a run. During the run, chunks are counted instead of tokens."""
    attempts = ShownNumber("attempts", str(record.attempts), "How often the request was sent.")
    total = _timed("total_ms", record.total_ms)
    if not record.running and not record.chunk_count:
        return [attempts, total]
    shown = [
        ShownNumber(
            "finish reason",
            "–" if record.running else record.finish_reason or _NOT_REPORTED,
            "Why the endpoint says the answer ended: stop, length (cut at max_tokens), error.",
        ),
        _timed("ttft_ms", record.ttft_ms),
        _timed("ttfo_ms", record.ttfo_ms),
        _rate(record),
    ]
    if record.gap_p50_ms is not None:
        gaps = (("p50", record.gap_p50_ms), ("p95", record.gap_p95_ms), ("max", record.gap_max_ms))
        words = ", ".join(f"{name} {duration(gap)}" for name, gap in gaps)
        value = f"{words} (n = {record.gap_count or 0:,})"
        shown.append(ShownNumber("chunk gap", value, NUMBERS["gap_p50_ms"].definition))
    shown.append(_tokens(record))
    if record.waited_ms:
        shown.append(_timed("waited_ms", record.waited_ms))
    return [*shown, total]


def footer(record: RunRecord) -> list[ShownNumber]:
    """The numbers of a run's status line, each in words that need no label."""
    shown = []
    for number in numbers(record):
        if number.value == _NOTHING:
            continue
        if number.label in _LABEL_FIRST:
            shown.append(number._replace(value=f"{number.label} {number.value}"))
        elif number.label in _LABEL_LAST:
            shown.append(number._replace(value=f"{number.value} {number.label}"))
        elif number.label in _WITHOUT_LABEL:
            shown.append(number)
    return shown


def _timed(name: str, milliseconds: float | None) -> ShownNumber:
    return ShownNumber(NUMBERS[name].label, duration(milliseconds), NUMBERS[name].definition)


def _rate(record: RunRecord) -> ShownNumber:
    rate, words = record.tokens_per_second, NUMBERS["tokens_per_second"]
    if record.running:
        return ShownNumber("chunks/s", "–" if rate is None else f"{rate:.1f}", words.definition)
    value = "n/a" if rate is None else f"{rate:.1f}"
    if record.rate_basis is None:
        return ShownNumber(words.label, value if rate is None else f"{value} (older definition)", OLDER_DEFINITION)
    of_this = f"{'No rate' if rate is None else 'Counted here'}: {record.rate_basis}."
    return ShownNumber(words.label, value, f"{words.definition} {of_this}")


def _tokens(record: RunRecord) -> ShownNumber:
    reported = record.completion_tokens
    meaning = "Prompt + completion tokens, as the endpoint reported them. A chunk is one event of the stream."
    if record.running:
        return ShownNumber("received", _count(record.chunk_count, "chunk"), meaning)
    if reported is None:
        return ShownNumber("tokens", f"{_NOT_REPORTED}, {_count(record.chunk_count, 'chunk')}", meaning)
    prompt = "" if record.prompt_tokens is None else f"{record.prompt_tokens} + "
    return ShownNumber("tokens", f"{prompt}{reported}", meaning)


def ended_in_words(record: RunRecord) -> str:
    """The sentence for screen readers at the end of an answer: its size, and how it ended."""
    if record.completion_tokens is None:
        size = _count(record.chunk_count, "chunk")
    else:
        size = _count(record.completion_tokens, "token")
    words, _colour = status_words(record)
    return f"Answer finished, {size}" + ("" if record.status == Status.OK and not was_cut(record) else f", {words}")


def waiting_words(reasoning: str, retry_wait: RetryWait | None) -> str:
    """The text shown in place of an answer that has not begun."""
    if retry_wait:
        return retry_wait.reason
    return f"Reasoning: {len(reasoning):,} characters so far" if reasoning else "…"


def _count(count: int, name: str) -> str:
    return f"1 {name}" if count == 1 else f"{count} {name}s"


def duration(milliseconds: float | None) -> str:
    """A time in words: milliseconds below a second, else seconds."""
    if milliseconds is None:
        return "–"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
