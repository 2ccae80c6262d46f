"""The messages for runs that end for a reason that no error body explains."""

from __future__ import annotations

from collections.abc import Callable

from components.contract.errors import plain_text
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.limits import Limits

_MAX_TARGET = 200

NO_PROBABILITIES = "the endpoint sent no token probabilities, although logprobs asked for them"
TOO_MANY_BAD_EVENTS = "More than {max_bad_events} events could not be read, so the stream was ended there."
TEXT_TOO_LONG = "The answer grew over {max_text_chars:,} characters, so the stream was ended there."
ENDED_WITH_AN_ERROR = "The endpoint ended the answer with an error and did not say which. Run again."
NO_READABLE_EVENT = (
    "No event could be read of the {bad_events:,} that came. Check that the base URL is that of a chat endpoint."
)
NOTHING_AT_ALL = "The endpoint answered with nothing at all. Run again."
CONTENT_FILTERED = "The content filter of the endpoint held the answer back. Change the prompt, then run again."
ONLY_REASONING = "The model sent reasoning but no answer. The reasoning is kept. Run again, or raise max_tokens."
NO_WORD = "The answer ended without any text. Run again, or change the prompt."
TLS_REFUSED = (
    "No secure connection: the certificate or the TLS handshake was refused. Check the host name, or ask the "
    "operator of the endpoint."
)
CLOSED_WITHOUT_ANSWER = "The endpoint closed the connection without an answer. Run again."
NOT_AN_HTTP_SERVER = (
    "The server at this address does not speak HTTP, or not correctly. Check the base URL and its port."
)
UNKNOWN_COMPRESSION = "The answer is compressed as {compression}, which was not asked for and cannot be read here."
WRONG_COMPRESSION = "The answer is not compressed as its Content-Encoding says."
BROKE_OFF = "The connection broke before the answer was complete. What arrived is kept. Run again."
HOST_WITHOUT_ADDRESS = "The host name {host} has no address."
HOST_UNKNOWN = "The host name {host} is not known here. Check the endpoint's base URL."
HOST_NOT_FOUND_IN_TIME = "The address of {host} was not found within {within_s:g} s. Check your network."
ADDRESS_NOT_PUBLIC = (
    "This endpoint leads to an address that is not public, so nothing was sent there. Give a base URL with a "
    "public host, or ask Tempera's operator to allow its network."
)
CANNOT_CONNECT = "{host}:{port} {problem}. Check the base URL and that the endpoint runs."
EVENT_TOO_LARGE = "One event was larger than {limit:,} bytes, so the stream was ended there."
BROKE_AT_THE_BEGINNING = "The connection broke while the answer was only beginning. Run again."
BASE_URL_WITH_BLANKS = "The base URL holds a blank, a backslash or a control character. Give it as https://host/v1."
BASE_URL_UNREADABLE = "The base URL cannot be read. Give it as https://host/v1."
BASE_URL_WITHOUT_HOST = "The base URL must begin with http:// or https:// and name a host. Give it as https://host/v1."
BASE_URL_WITH_USER = "The base URL must not hold a user name or password. Give it as https://host/v1."
BASE_URL_WITH_QUERY = "The base URL must not hold a query or a fragment. Give it as https://host/v1."
KEY_WITH_BLANKS = "The key holds a blank or a character outside ASCII. Copy it again."
KEY_OF_ANOTHER_ADDRESS = "The key of this endpoint belongs to another address, so nothing was sent."
READER_DIED = "The process that read the answer ended. What arrived is kept. Run again."
STOPPED_BEFORE_SENDING = "Stopped before anything was sent."
TEMPERA_FAILED = "Tempera itself failed; its terminal says more. Run again."
STREAM_TOO_LARGE = "The stream grew over {max_stream_bytes:,} bytes, so it was ended there."
DOCUMENT_TOO_LARGE = "The answer came as one document of more than {max_document_bytes:,} bytes, so it was ended there."


def redirected(http_status: int, location: str, hide: Callable[[str], str]) -> StreamFault:
    """The fault of a redirect. Its target is shown and never called; ``hide`` removes the key from it."""
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


def other_api(name: str, base_url_end: str, raw: str) -> StreamFault:
    """The fault of an answer of an API other than chat completions."""
    return StreamFault(
        ErrorKind.NOT_SSE,
        f"The endpoint answered as {name} does, and Tempera reads chat completions. "
        f"Set the base URL to that of its chat completions, which usually ends in {base_url_end}.",
        raw=raw,
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
    """The fault of a stream that ended without a sign that it is complete."""
    return StreamFault(
        ErrorKind.CLOSED_EARLY,
        "The connection was closed before the answer was complete. What arrived is kept. Run again.",
    )


def ended(kind: ErrorKind, limits: Limits, url: str) -> StreamFault:
    """The fault of an exchange that its watch ended for ``kind``."""
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
