"""The reported queue time: numbers are read, anything else is ignored."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.streaming.server_timing import queue_ms


@pytest.mark.parametrize(
    ("header", "milliseconds"),
    [
        ("queue;dur=12.5", 12.5),
        ("queue;dur=0", 0.0),
        ("queue;dur=.5", 0.5),
        ("queue;dur=12.", 12.0),
        ("queue;dur=1.5e3", 1500.0),
        ("queue;dur=0.0000012345678901234567", 0.0000012345678901234567),
        ('queue;dur="12.5"', 12.5),
        ("Queue;DUR=12.5", 12.5),
        (" queue ;\tdur = 12.5 ", 12.5),
        ('queue;desc="slot";dur=12.5', 12.5),
        ("queue;desc=slot;dur=12.5;more=1", 12.5),
        ("queue;dur=soon;dur=12.5", 12.5),
    ],
)
def test_the_queue_time_is_read_in_all_spellings(header: str, milliseconds: float) -> None:
    assert queue_ms(header) == milliseconds


def test_the_wait_is_found_among_other_metrics() -> None:
    assert queue_ms("cache;desc=hit, total;dur=99.0,queue;dur=12.5, db;dur=5") == 12.5
    assert queue_ms("total;dur=99, requeue;dur=1, queue-2;dur=2") is None


def test_the_first_of_two_waits_counts_and_a_wait_without_a_number_is_ignored() -> None:
    assert queue_ms("queue;dur=1, queue;dur=2") == 1.0
    assert queue_ms("queue, queue;desc=slot, queue;dur=2") == 2.0


def test_quoted_text_in_the_header_is_ignored() -> None:
    assert queue_ms('queue;desc="a, b;dur=1";dur=12.5') == 12.5
    assert queue_ms(r'queue;desc="a \" b;dur=1, queue;dur=2";dur=12.5') == 12.5
    assert queue_ms('cache;desc="hit, queue;dur=5"') is None
    assert queue_ms('cache;desc="never ends, queue;dur=5') is None


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "queue",
        "queue;",
        "queue;dur",
        "queue;dur=",
        'queue;dur=""',
        'queue;dur="5',
        "queue;dur=5 ms",
        "queue;dur=1.2.3",
        "queue;dur=.",
        "queue;dur=-5",
        "queue;dur=0x10",
        "queue;dur=1_000",
        "queue;dur=٣",
        "queue;duration=5",
        "queue dur=5",
        "dur=5",
        ";dur=5",
        ";queue;dur=5",
        ";",
        ",,;;==\x00\xff",
    ],
)
def test_an_invalid_header_is_not_reported(header: str | None) -> None:
    assert queue_ms(header) is None


@pytest.mark.parametrize("number", ["inf", "Infinity", "-inf", "nan", "1e999", "9" * 400])
def test_only_finite_numbers_are_reported(number: str) -> None:
    assert queue_ms(f"queue;dur={number}") is None


@pytest.mark.parametrize(
    "header",
    [
        "queue;dur=" + "1" * 1_000_000 + "x",
        "queue;dur=0." + "1" * 1_000_000 + "x",
        "queue;dur" + " " * 1_000_000 + "x",
        "queue" + ";dur" * 250_000,
        "queue," * 200_000,
        '"' * 1_000_001,
        '"\\' * 500_000,
        "queue;desc=" + '"a' * 500_000,
    ],
    ids=["digits", "decimals", "spaces", "parameters", "metrics", "quotes", "escapes", "open-quotes"],
)
def test_a_huge_header_is_read_in_linear_time(header: str) -> None:
    began = time.thread_time()
    assert queue_ms(header) is None
    assert time.thread_time() - began < 2


header_like = st.lists(st.sampled_from([*'queue";,=\\ .e-5', "queue", "dur", "dur=", "12.5"]), max_size=30).map("".join)


@given(st.text() | header_like)
def test_any_text_is_read_as_a_wait_or_none(header: str) -> None:
    milliseconds = queue_ms(header)
    assert milliseconds is None or (milliseconds >= 0 and math.isfinite(milliseconds))


@given(st.floats(min_value=0, allow_infinity=False, allow_nan=False))
def test_any_number_written_by_python_is_read_exactly(milliseconds: float) -> None:
    assert queue_ms(f"queue;dur={milliseconds}") == milliseconds
