"""Decides whether and when an attempt is retried."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping

from components.streaming.faults import StreamFault
from components.streaming.http_status import retry_after_seconds
from components.streaming.limits import Limits

_IN_MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")
_GOOGLE_DELAY = re.compile(r'"retryDelay"\s*:\s*"([\d.]+s)"')
_QUOTAS = (
    *("x-ratelimit-{}", "x-ratelimit-{}-requests", "x-ratelimit-{}-tokens", "ratelimit-{}"),
    *("anthropic-ratelimit-requests-{}", "anthropic-ratelimit-tokens-{}"),
)
"""Headers with the remainder of a quota and the time of its reset."""
_FIRST_MOMENT = 1e9
_FIRST_MOMENT_IN_MS = 1e12
"""A reset is in seconds from now, or a Unix time in seconds or milliseconds: both limits are times in 2001."""


def requested_wait(headers: Mapping[str, str], body: str) -> float | None:
    """The wait in seconds that an error's headers or body ask for; None without one.

    ``headers`` are case-insensitive, as those of requests.
    """
    for name in _IN_MILLISECONDS:
        milliseconds = retry_after_seconds(headers.get(name))
        if milliseconds is not None:
            return milliseconds / 1000
    wait = retry_after_seconds(headers.get("Retry-After"))
    if wait is None and (delay := _GOOGLE_DELAY.search(body)):
        wait = retry_after_seconds(delay[1])
    if wait is not None:
        return wait
    # The reset of a quota that is not used up does not delay the next request.
    used_up = [quota for quota in _QUOTAS if headers.get(quota.format("remaining"), "").strip() == "0"]
    return max(filter(None, (_until_reset(headers.get(quota.format("reset"))) for quota in used_up)), default=None)


def _until_reset(header: str | None) -> float | None:
    seconds = retry_after_seconds(header)
    if seconds is None or seconds < _FIRST_MOMENT:
        return seconds
    return max((seconds / 1000 if seconds >= _FIRST_MOMENT_IN_MS else seconds) - time.time(), 0.0)


def pause_before_retry(fault: StreamFault, attempts: int, limits: Limits) -> float | None:
    """The wait in seconds before the next attempt, after ``attempts`` of them; None for no further one."""
    if not fault.unprocessed or attempts > limits.retries_before_first_byte:
        return None
    if fault.retry_after is not None:
        return fault.retry_after if fault.retry_after <= limits.max_retry_after_s else None
    backoff = min(limits.backoff_s * 2.0 ** (attempts - 1), limits.max_backoff_s)
    return backoff * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret
