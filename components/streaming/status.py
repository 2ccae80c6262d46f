"""What an HTTP status means for a run: the kind of its error, and whether sending again can do harm."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from components.contract.errors import read_error
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


def fault_for_status(http_status: int, body: str, retry_after: float | None = None) -> StreamFault:
    """The fault that an error status with this body stands for."""
    kind = _KINDS.get(http_status) or (ErrorKind.SERVER_ERROR if http_status >= 500 else ErrorKind.INVALID_REQUEST)
    error = read_error(body, http_status)
    return StreamFault(
        kind,
        error.sentence,
        http_status=http_status,
        raw=error.raw,
        fields=error.fields,
        retry_after=retry_after,
        unprocessed=http_status in _UNPROCESSED,
    )


def retry_after_seconds(header: str | None) -> float | None:
    """A Retry-After header in seconds from now, or None when it is missing or says neither seconds nor a date.

    RFC 9110, section 10.2.3.
    """
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        until = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)
