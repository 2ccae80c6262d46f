"""The wait before a retry, as requested in any header or body."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from requests.structures import CaseInsensitiveDict

from components.streaming.http_status import requested_wait


def wait(headers, body=""):
    return requested_wait(CaseInsensitiveDict(headers), body)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "2.5"}, 2.5),
        ({"Retry-After-Ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "Retry-After": "2"}, 1.5),
        ({"x-ms-retry-after-ms": "700.5"}, 0.7005),
        ({"retry-after-ms": "soon", "Retry-After": "2"}, 2),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m6.5s"}, 66.5),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms"}, 0.12),
        ({"x-ratelimit-remaining-tokens": "7", "x-ratelimit-reset-tokens": "120ms"}, None),
        ({"x-ratelimit-reset-tokens": "120ms"}, None),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "30"}, 30),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "soon"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30", "Retry-After": "2"}, 2),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "2s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "9s",
            },
            9,
        ),
    ],
)
def test_retry_after_precedes_reset_headers(headers, seconds):
    assert wait(headers) == pytest.approx(seconds)


@pytest.mark.parametrize("unit", [1, 1000])
def test_a_reset_may_be_a_unix_timestamp(unit):
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int((time.time() + 50) * unit))}
    assert wait(headers) == pytest.approx(50, abs=2)


def test_a_reset_may_be_a_date():
    moment = (datetime.now(UTC) + timedelta(seconds=50)).isoformat()
    headers = {"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": moment}
    assert wait(headers) == pytest.approx(50, abs=2)


def test_googles_retry_delay_counts_without_a_header():
    body = '{"error": {"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "16.5s"}]}}'
    assert wait({}, body) == 16.5
    assert wait({"Retry-After": "2"}, body) == 2
