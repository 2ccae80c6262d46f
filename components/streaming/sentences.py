"""What a person is told when a run ends for a reason that no error body explains."""

from __future__ import annotations

from collections.abc import Callable

from components.contract.errors import plain_text
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.limits import Limits

_MAX_TARGET = 200


def redirected(http_status: int, location: str, hide: Callable[[str], str]) -> StreamFault:
    """The fault of a redirect. Its target is shown, never called; ``hide`` takes the key out of it."""
    target = plain_text(location, _MAX_TARGET, hide=hide)
    return StreamFault(
        ErrorKind.REDIRECT_REFUSED,
        f"The endpoint answered {http_status} with a redirect to {target or 'nowhere'}, which is never followed. "
        "If you trust that address, give it as base URL.",
        http_status=http_status,
    )


def not_http(http_status: int) -> StreamFault:
    """The fault of a status that ends no request."""
    return StreamFault(
        ErrorKind.PROTOCOL,
        f"The endpoint answered {http_status}, which ends no request. Check the base URL and its port.",
        http_status=http_status,
    )


def not_an_answer(raw: str, media_type: str) -> StreamFault:
    """The fault of a body that is neither an event stream nor a completion."""
    return StreamFault(
        ErrorKind.NOT_SSE,
        f"The endpoint answered with {media_type or 'something'} instead of an event stream. "
        "Check the base URL: it should end in /v1.",
        raw=raw,
    )


def closed_early() -> StreamFault:
    """The fault of a stream that ended without a proof that it is whole."""
    return StreamFault(
        ErrorKind.CLOSED_EARLY,
        "The connection was closed before the answer was complete. What arrived is kept. Run again.",
    )


def ended(kind: ErrorKind, limits: Limits, url: str) -> StreamFault:
    """The fault of an exchange that its watch has ended for ``kind``."""
    hint = " If the address begins with https, its port may not speak TLS." if url.startswith("https") else ""
    sentence = {
        ErrorKind.CANCELLED: "Stopped.",
        ErrorKind.FIRST_BYTE_TIMEOUT: f"The endpoint did not answer within {limits.first_byte_s:g} s.{hint}",
        ErrorKind.FIRST_EVENT_TIMEOUT: f"The endpoint sent no event within {limits.first_event_s:g} s. Run again.",
        ErrorKind.STALL: (
            f"The stream stopped: {limits.idle_between_events_s:g} s of silence. What arrived is kept. Run again."
        ),
    }.get(kind, f"The run took longer than {limits.total_s:g} s and was ended. What arrived is kept.")
    return StreamFault(kind, sentence)
