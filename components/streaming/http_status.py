"""What an HTTP status means for a run: the kind of its error, and whether sending again can do harm."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
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

# 500 is not among them: the endpoint may have worked on the request, and have billed it.
_UNPROCESSED = frozenset({408, 429, 502, 503, 504, 529})

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_AMOUNT = re.compile(r"(\d+\.?\d*|\.\d+)(ms|[smhd]|$)", re.ASCII)
_DURATION = re.compile(rf"(?:{_AMOUNT.pattern})+", re.ASCII)


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
    """The fault that an error status with this body stands for.

    ``path`` was called with ``sent_bytes``; ``retry_after`` is the endpoint's wish in seconds, told to the person when
    it is longer than ``max_retry_after_s``. ``hide`` takes the key out of what is told.
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
        fields=error.fields,
        retry_after=retry_after,
        unprocessed=http_status in _UNPROCESSED,
    )


def in_words(seconds: float) -> str:
    """A wait as a person says it, never shorter than it is."""
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


def retry_after_seconds(header: str | None) -> float | None:
    """A Retry-After header in seconds from now, or None when it is missing or says neither seconds nor a moment.

    RFC 9110, section 10.2.3, and what else is sent: decimals, units such as ``1m30s``, the moment as ISO 8601. Of
    several headers, which arrive joined by commas, the longest wait counts.
    """
    if header is None:
        return None
    values = [value.strip() for value in header.split(",")]
    if all(_DURATION.fullmatch(value) for value in values):
        return max(sum(float(n) * _UNITS[unit] for n, unit in _AMOUNT.findall(value)) for value in values)
    try:
        until = _moment(header.strip())
    except (ValueError, TypeError, IndexError, OverflowError):  # the parser is older than its promises
        return None
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
