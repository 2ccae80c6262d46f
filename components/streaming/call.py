"""One HTTP exchange with requests; its errors become faults. Knows nothing of events or answers."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests
import urllib3

from components.streaming import sentences
from components.streaming.connections import Call, CallAdapter
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.session import ApiKey, headers_for

_READ_SIZE = 65536
_PLAIN_URL = re.compile(r"https?://[a-z0-9-]+(\.[a-z0-9-]+)*(:\d+)?(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
_MAX_RAW = 2000

# Compressions unknown to urllib3, which would pass the raw bytes on.
_COMPRESSIONS = {"br", "zstd", "compress", "x-compress", "dcb", "dcz"} - set(urllib3.HTTPResponse.CONTENT_DECODERS)

# Reading the raw response also raises errors of urllib3 and http.client.
_TRANSPORT_ERRORS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)


def post_json(call: Call, url: str, body: bytes, key: ApiKey | None) -> requests.Response:
    """Send a request body and wait for the response headers; the body is not read.

    Raises StreamFault when no HTTP response came.
    """
    return _send(call, "POST", url, _headers_of_post(url, key), body, key)


def shown_headers(url: str, body: bytes, key: ApiKey | None) -> dict[str, str]:
    """The headers with which ``post_json`` sends this body, for display: the key shows as •••."""
    headers = {"Host": urlsplit(url).netloc, **_prepared("POST", url, _headers_of_post(url, key), body).headers}
    if key:
        headers["Authorization"] = "Bearer •••"
    return headers


def _headers_of_post(url: str, key: ApiKey | None) -> dict[str, str]:
    return headers_for(url, key, accept="text/event-stream") | {"Content-Type": "application/json"}


def get_json(call: Call, url: str, key: ApiKey | None) -> requests.Response:
    """Request a JSON document and wait for the response headers. Raises StreamFault when no HTTP response came."""
    return _send(call, "GET", url, headers_for(url, key, accept="application/json"), None, key)


def _send(
    call: Call, method: str, url: str, headers: dict[str, str], body: bytes | None, key: ApiKey | None
) -> requests.Response:
    hide = key.mask.out_of if key else str
    try:
        # A session of requests would add ~/.netrc, cookies, proxies and redirects.
        return CallAdapter(call).send(_prepared(method, url, headers, body), stream=True)
    except requests.exceptions.SSLError as error:
        raise StreamFault(
            ErrorKind.TLS,
            sentences.TLS_REFUSED,
            raw=hide(str(error))[:_MAX_RAW],
        ) from None
    except _TRANSPORT_ERRORS as error:
        if _is_reset(error):
            raise StreamFault(ErrorKind.RESET, sentences.CLOSED_WITHOUT_ANSWER, unprocessed=True) from None
        raise StreamFault(
            ErrorKind.PROTOCOL,
            sentences.NOT_AN_HTTP_SERVER,
            raw=hide(str(error))[:_MAX_RAW],
        ) from None


def _prepared(method: str, url: str, headers: dict[str, str], body: bytes | None) -> requests.PreparedRequest:
    """The request as requests prepares it, without cookies and hooks."""
    request = requests.PreparedRequest()
    request.method, request.url, request.body = method, _prepared_url(url), body
    request.prepare_headers(headers)
    if body is not None:
        request.headers["Content-Length"] = str(len(body))
    return request


def _prepared_url(url: str) -> str | None:
    """The URL as requests writes it."""
    if _PLAIN_URL.fullmatch(url):  # stays as it is; parsing it takes half of the time of a preparation
        return url
    request = requests.PreparedRequest()
    request.prepare_url(url, None)
    return request.url


def body_pieces(response: requests.Response) -> Iterator[bytes]:
    """The decoded body in pieces, each as soon as it arrives.

    Only ``read1`` on the raw response returns at once with every framing: iter_content and raw.stream wait for the end
    of a body that is not chunked. Raises StreamFault for a truncated body and an unknown compression.
    """
    encodings = response.headers.get("Content-Encoding", "").lower()
    if unknown := _COMPRESSIONS & {encoding.strip() for encoding in encodings.split(",")}:
        raise StreamFault(
            ErrorKind.BAD_ENCODING,
            sentences.UNKNOWN_COMPRESSION.format(compression=unknown.pop()),
        )
    while True:
        try:
            data = response.raw.read1(_READ_SIZE, decode_content=True)
        except urllib3.exceptions.DecodeError:
            raise StreamFault(ErrorKind.BAD_ENCODING, sentences.WRONG_COMPRESSION) from None
        except _TRANSPORT_ERRORS as error:
            raise StreamFault(
                ErrorKind.RESET if _is_reset(error) else ErrorKind.CLOSED_EARLY,
                sentences.BROKE_OFF,
            ) from None
        if not data:
            return
        yield data


def is_framed(response: requests.Response) -> bool:
    """Whether the framing marks the end of the body, so that ``body_pieces`` detects a truncated one."""
    raw = response.raw
    return bool(raw.chunked or raw.length_remaining is not None)


def _is_reset(error: BaseException) -> bool:
    """Whether a connection reset is the cause, within the wrapping errors of requests and urllib3."""
    seen: list[object] = [error]
    while seen:
        inner = seen.pop()
        if isinstance(inner, ConnectionError):
            return True
        if isinstance(inner, BaseException):
            seen.extend(inner.args)
    return False
