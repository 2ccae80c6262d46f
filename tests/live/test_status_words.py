"""A run's status in words, as shown and announced by the page."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from components.live.status_words import ended_in_words, numbers, status_words, waiting_words
from components.log.record import OLDER_DEFINITION, RunRecord
from components.runs.run import Activity, RetryWait
from tests.live.conftest import end, make_run

RUNNING = make_run("text").record()


def ended(**facts: object):
    run = make_run("text")
    end(run)
    return replace(run.record(), **facts)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"completion_tokens": 214}, "Answer finished, 214 tokens"),
        ({"completion_tokens": 1}, "Answer finished, 1 token"),
        ({"chunk_count": 3}, "Answer finished, 3 chunks"),
        ({"completion_tokens": 214, "finish_reason": "length"}, "Answer finished, 214 tokens, cut at max_tokens"),
        ({"status": "cancelled", "chunk_count": 7}, "Answer finished, 7 chunks, cancelled"),
        ({"status": "interrupted", "chunk_count": 7}, "Answer finished, 7 chunks, interrupted"),
    ],
)
def test_an_ended_run_is_announced_in_one_sentence(facts: dict[str, object], words: str) -> None:
    assert ended_in_words(ended(**facts)) == words


def test_the_status_of_a_running_run_is_its_activity() -> None:
    assert status_words(RUNNING, Activity.WAITING) == ("Waiting for the first token", "blue")
    assert status_words(RUNNING) == ("running", "blue")
    assert status_words(ended()) == ("ok", "green")


def test_a_wait_before_a_retry_counts_down_with_its_reason() -> None:
    wait = RetryWait("Rate limit exceeded (HTTP 429)", time.monotonic() + 29.5)
    assert status_words(RUNNING, Activity.RETRYING, retry_wait=wait) == ("Trying again in 30 s", "blue")
    over = replace(wait, until=time.monotonic())
    assert status_words(RUNNING, Activity.RETRYING, retry_wait=over) == ("Trying again", "blue")
    assert waiting_words("", wait) == "Rate limit exceeded (HTTP 429)"
    assert waiting_words("x" * 1234, None) == "Reasoning: 1,234 characters so far"
    assert waiting_words("", None) == "…"


def values(record: RunRecord) -> dict[str, str]:
    return {number.label: number.value for number in numbers(record)}


def meaning(record: RunRecord, label: str) -> str:
    return next(number.meaning for number in numbers(record) if number.label == label)


def test_chunks_are_counted_until_tokens_are_known() -> None:
    assert values(RUNNING)["received"] == "1 chunk"
    assert "chunks/s" in values(RUNNING)
    assert values(ended())["tokens"] == "not reported, 3 chunks"
    assert values(ended(prompt_tokens=9, completion_tokens=2))["tokens"] == "9 + 2"
    assert values(ended(chunk_count=0, attempts=2, total_ms=1500.0)) == {"attempts": "2", "total": "1.5 s"}


def test_numbers_have_a_definition_or_the_reason_for_n_a() -> None:
    none = ended(rate_basis="the endpoint reported no completion tokens", tokens_per_second=None)
    assert values(none)["tokens/s"] == "n/a"
    assert meaning(none, "tokens/s").endswith("No rate: the endpoint reported no completion tokens.")
    counted = ended(rate_basis="completion tokens without 5 of hidden reasoning", tokens_per_second=99.95)
    assert values(counted)["tokens/s"] == "100.0"
    assert meaning(counted, "tokens/s").endswith("Counted here: completion tokens without 5 of hidden reasoning.")


def test_a_rate_of_an_older_release_is_marked_with_its_older_definition() -> None:
    older = ended(rate_basis=None, ttfo_ms=None, tokens_per_second=599.0)
    assert (values(older)["tokens/s"], values(older)["TTFO"]) == ("599.0 (older definition)", "–")
    assert meaning(older, "tokens/s") == OLDER_DEFINITION


def test_percentiles_of_chunk_gaps_have_a_count() -> None:
    timed = ended(gap_p50_ms=10.0, gap_p95_ms=40.0, gap_max_ms=1234.0, gap_count=1200)
    assert values(timed)["chunk gap"] == "p50 10 ms, p95 40 ms, max 1.2 s (n = 1,200)"
    assert "chunk gap" not in values(ended())
