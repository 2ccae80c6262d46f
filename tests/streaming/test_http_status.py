"""The meaning of an HTTP status, and waits in words."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contract.errors import MAX_SENTENCE
from components.streaming.http_status import fault_for_status, in_words, retry_after_seconds


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"), (61, "61 s"), (120, "120 s"), (121, "3 min"), (3540, "59 min"), (3541, "1 h"), (3600, "1 h"),
        (3601, "1 h 1 min"), (5400, "1 h 30 min"), (86_400, "24 h"), (172_800, "48 h"), (172_860, "3 days"),
        (864_000, "10 days"), (10**9, "more than a year"), (float("inf"), "more than a year"),
    ],
)  # fmt: skip
def test_a_wait_in_words_is_rounded_up(seconds, words):
    assert in_words(seconds) == words


@given(st.text(st.characters(max_codepoint=255), max_size=40) | st.integers().map(str))
def test_any_header_gives_seconds_or_none(header):
    seconds = retry_after_seconds(header)
    assert seconds is None or seconds >= 0


def test_a_date_becomes_the_seconds_until_then():
    assert retry_after_seconds(format_datetime(datetime.now(UTC) + timedelta(seconds=90))) == pytest.approx(90, abs=2)
    assert retry_after_seconds(format_datetime(datetime.now(UTC) - timedelta(seconds=90))) == 0
    assert retry_after_seconds("Wed, 21 Oct 2015 07:28:00 -0000") == 0


@pytest.mark.parametrize(
    ("status", "sentence"), [(404, "no /v1/x: xxx"), (413, "of 1,234 bytes: xxx"), (429, "1 h: x")]
)
def test_sentences_with_a_wait_are_limited_in_length(status, sentence):
    more = {"path": "/v1/x", "sent_bytes": 1234, "retry_after": 3600, "max_retry_after_s": 60}
    fault = fault_for_status(status, "x" * 5000, **more)
    assert sentence in fault.sentence
    assert len(fault.sentence) == MAX_SENTENCE


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("2.5", 2.5), (" 0.25 ", 0.25), (".5", 0.5), ("3.", 3), ("0, 2", 2), ("1s", 1), ("250ms", 0.25),
        ("1m30.5s", 90.5), ("6m0s", 360), ("1h1m", 3660), ("1d", 86_400), ("soon", None), ("-1", None), ("1e3", None),
        ("", None), ("1,,2", None), ("5 apples", None), ("2015-10-21T07:28:00Z", 0), ("2015-10-21", 0),
    ],
)  # fmt: skip
def test_a_wait_may_have_decimals_units_or_a_date(header, seconds):
    assert retry_after_seconds(header) == seconds
