"""A run's status and numbers in plain words, whoever draws them."""

from __future__ import annotations

import math
from typing import Literal

from components.contract.profile import profile_named
from components.contract.request import from_bytes
from components.runs.run import Activity, RetryWait, RunRecord
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


def status_words(
    record: RunRecord,
    activity: Activity | None = None,
    place_in_queue: int | None = None,
    retry_wait: RetryWait | None = None,
) -> tuple[str, Colour]:
    """The status in words and its colour. ``activity`` says what a running run does now, and what it waits for."""
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


def numbers(record: RunRecord) -> list[tuple[str, str]]:
    """Label and value of each number. While the run is going on, chunks stand in for tokens, and say so."""
    reported = record.completion_tokens
    if not record.running and not record.chunk_count:
        return [("attempts", str(record.attempts)), ("total", duration(record.total_ms))]
    if record.running:
        tokens, unit = _count(record.chunk_count, "chunk"), "chunks/s"
    elif reported is None:
        tokens, unit = f"{_NOT_REPORTED}, {_count(record.chunk_count, 'chunk')}", "tokens/s"
    else:
        prompt = "" if record.prompt_tokens is None else f"{record.prompt_tokens} + "
        tokens, unit = f"{prompt}{reported}", "tokens/s"
    waited = [("waited before retries", duration(record.waited_ms))] if record.waited_ms else []
    return [
        ("finish reason", "–" if record.running else record.finish_reason or _NOT_REPORTED),
        ("TTFT", duration(record.ttft_ms)),
        (unit, "–" if record.tokens_per_second is None else f"{record.tokens_per_second:.1f}"),
        ("received" if record.running else "tokens", tokens),
        *waited,
        ("total", duration(record.total_ms)),
    ]


def ended_in_words(record: RunRecord) -> str:
    """One sentence for whoever hears the page: that the answer has ended, its size, and how it ended."""
    if record.completion_tokens is None:
        size = _count(record.chunk_count, "chunk")
    else:
        size = _count(record.completion_tokens, "token")
    words, _colour = status_words(record)
    return f"Answer finished, {size}" + ("" if record.status == Status.OK and not was_cut(record) else f", {words}")


def waiting_words(reasoning: str, retry_wait: RetryWait | None) -> str:
    """What stands in the place of an answer that has not begun."""
    if retry_wait:
        return retry_wait.why
    return f"Reasoning: {len(reasoning):,} characters so far" if reasoning else "…"


def _count(count: int, name: str) -> str:
    return f"1 {name}" if count == 1 else f"{count} {name}s"


def duration(milliseconds: float | None) -> str:
    """A time in words: milliseconds below a second, else seconds."""
    if milliseconds is None:
        return "–"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
