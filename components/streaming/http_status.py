"""The faults of HTTP error statuses, and the waits that endpoints ask for."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from components.contract.errors import MAX_SENTENCE, read_error, single_line
from components.streaming.faults import ErrorKind, StreamFault

_KINDS = {
    401: ErrorKind.AUTH,
    403: ErrorKind.AUTH,
    404: ErrorKind.NOT_FOUND,
    408: ErrorKind.TIMEOUT_STATUS,
    413: ErrorKind.TOO_LARGE,
    429: ErrorKind.RATE_LIMITED,
    503: ErrorKind.OVERLOADED,
    529: ErrorKind.OVERLOADED,
}

# Without 500: the endpoint may have processed the request, and billed it.
_UNPROCESSED = frozenset({408, 429, 502, 503, 504, 529})

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_AMOUNT = re.compile(r"(\d+\.?\d*|\.\d+)(ms|[smhd]|$)", re.ASCII)
_DURATION = re.compile(rf"(?:{_AMOUNT.pattern})+", re.ASCII)

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


def fault_for_status(
    http_status: int,
    body: str,
    *,
    media_type: str = "",
    path: str = "",
    sent_bytes: int = 0,
    retry_after: float | None = None,
    max_retry_after_s: float = math.inf,
    hide: Callable[[str], str] = str,
) -> StreamFault:
    """The fault of an error status with this body.

    ``path`` was called with ``sent_bytes``. ``retry_after`` is the wait in seconds that the endpoint asks for; the
    sentence names it if it exceeds ``max_retry_after_s``. ``hide`` removes the key from texts.
    """
    kind = _KINDS.get(http_status) or (ErrorKind.SERVER_ERROR if http_status >= 500 else ErrorKind.INVALID_REQUEST)
    error = read_error(body, http_status, media_type=media_type, hide=hide)
    before = ""
    if kind is ErrorKind.NOT_FOUND:
        before = f"The endpoint knows no such model, or no {path}: "
    elif kind is ErrorKind.TOO_LARGE:
        before = f"The endpoint takes no request as large as this one of {sent_bytes:,} bytes: "
    elif retry_after is not None and retry_after > max_retry_after_s:
        before = f"Try again in {in_words(retry_after)}: "
    return StreamFault(
        kind,
        before + single_line(error.sentence, MAX_SENTENCE - len(before)) if before else error.sentence,
        http_status=http_status,
        raw=error.raw,
        retry_after=retry_after,
        unprocessed=http_status in _UNPROCESSED,
    )


def in_words(seconds: float) -> str:
    """A wait in words, rounded up."""
    if seconds <= 120:
        return f"{math.ceil(seconds)} s"
    if seconds > 365 * 86400:
        return "more than a year"
    minutes = math.ceil(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes > 48 * 60:
        return f"{math.ceil(minutes / 1440)} days"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


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


def retry_after_seconds(header: str | None) -> float | None:
    """The wait of a Retry-After header in seconds, or None when it is missing or invalid.

    Accepts RFC 9110, section 10.2.3, and common variants: decimals, units such as ``1m30s``, a time in ISO 8601. Of
    several values, joined by commas, the longest wait counts.
    """
    if header is None:
        return None
    values = [value.strip() for value in header.split(",")]
    if all(_DURATION.fullmatch(value) for value in values):
        return max(sum(float(n) * _UNITS[unit] for n, unit in _AMOUNT.findall(value)) for value in values)
    try:
        until = _moment(header.strip())
    except (ValueError, TypeError, IndexError, OverflowError):  # the parser raises all of them
        return None
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
