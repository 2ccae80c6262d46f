"""A run's status in words, as the page shows and says it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from components.live.status import ended_in_words, numbers, status_words, waiting_words
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
def test_the_end_is_one_sentence(facts: dict[str, object], words: str) -> None:
    assert ended_in_words(ended(**facts)) == words


def test_a_running_run_says_what_it_does() -> None:
    assert status_words(RUNNING, Activity.WAITING) == ("Waiting for the first token", "blue")
    assert status_words(RUNNING) == ("running", "blue")
    assert status_words(ended()) == ("ok", "green")


def test_a_wait_before_a_retry_counts_down_and_its_reason_stands_for_the_answer() -> None:
    wait = RetryWait("Rate limit exceeded (HTTP 429)", time.monotonic() + 29.5)
    assert status_words(RUNNING, Activity.RETRYING, retry_wait=wait) == ("Trying again in 30 s", "blue")
    over = replace(wait, until=time.monotonic())
    assert status_words(RUNNING, Activity.RETRYING, retry_wait=over) == ("Trying again", "blue")
    assert waiting_words("", wait) == "Rate limit exceeded (HTTP 429)"
    assert waiting_words("x" * 1234, None) == "Reasoning: 1,234 characters so far"
    assert waiting_words("", None) == "…"


def test_chunks_stand_in_for_tokens_and_are_called_so() -> None:
    assert ("received", "1 chunk") in numbers(RUNNING)
    assert ("tokens", "not reported, 3 chunks") in numbers(ended())
    assert ("tokens", "9 + 2") in numbers(ended(prompt_tokens=9, completion_tokens=2))
    assert numbers(ended(chunk_count=0, attempts=2, total_ms=1500.0)) == [("attempts", "2"), ("total", "1.5 s")]
