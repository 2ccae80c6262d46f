"""Reads the response of one attempt: an event stream, one JSON document, or an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from urllib.parse import urlsplit

import requests

from components.contract.chunk import UnreadableEvent, read_completion
from components.contract.errors import has_words_of_an_error, plain_text
from components.streaming import sentences
from components.streaming.answer import TimedEvent
from components.streaming.call import body_pieces, is_framed
from components.streaming.event_reader import EventReader
from components.streaming.exchange import Exchange
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.http_status import fault_for_status, requested_wait
from components.streaming.server_timing import queue_ms

_SSE_LINE_BEGINS = (b":", b"data:", b"event:", b"id:", b"retry:")
_SNIFF_SIZE = 1024
_MAX_BLANKS = 65536
_BOM = b"\xef\xbb\xbf"
_REQUEST_IDS = ("x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "x-ms-request-id", "cf-ray")
"""Headers with the name of a request in the endpoint's log, the most specific first."""
_MAX_REQUEST_ID = 200
_UNSPECIFIC = ("", "text/plain", "application/octet-stream")
"""Media types that do not identify the format of a body."""


class ResponseReader:
    """Reads one response. ``streamed`` turns False when the answer arrives as one document."""

    def __init__(self, exchange: Exchange, events: EventReader) -> None:
        self.http_status: int | None = None
        self.request_id: str | None = None
        self.streamed = exchange.streaming
        self._exchange = exchange
        self._events = events
        self._is_framed = False
        self._beginning = bytearray()
        """The bytes before the first event."""

    def read(self, response: requests.Response) -> Iterator[TimedEvent]:
        """The events of the answer. Raises StreamFault for any other response."""
        self.http_status = status = response.status_code
        self._exchange.moments.queued_ms = queue_ms(response.headers.get("Server-Timing"))
        ids = (plain_text(response.headers.get(name, ""), _MAX_REQUEST_ID) for name in _REQUEST_IDS)
        self.request_id = next(filter(None, ids), None)
        self._is_framed = is_framed(response)
        if status < 200:
            raise sentences.not_http(status)
        if status < 300:
            yield from self._answer(response)
        elif status < 400:
            raise sentences.redirected(status, response.headers.get("Location", ""), self._exchange.hide)
        else:
            error_body = self._error_body(body_pieces(response))
            raise fault_for_status(
                status,
                error_body,
                media_type=self._media_type(response),
                path=urlsplit(self._exchange.url).path,
                sent_bytes=len(self._exchange.body),
                retry_after=requested_wait(response.headers, error_body),
                max_retry_after_s=self._exchange.limits.max_retry_after_s,
                hide=self._exchange.hide,
            )

    def _answer(self, response: requests.Response) -> Iterator[TimedEvent]:
        body = self._body(response)
        media_type = self._media_type(response)
        if media_type == "text/event-stream":
            yield from self._events.read(self._remembered(body), is_framed=self._is_framed)
            yield from self._without_events()
        elif media_type in _UNSPECIFIC or media_type == "application/json" or media_type.endswith("+json"):
            yield from self._sniffed(body, media_type)
        else:
            raise self._not_an_answer(self._error_body(body), media_type)

    def _body(self, response: requests.Response) -> Iterator[bytes]:
        """The decoded body as it arrives. Raises StreamFault beyond the limit."""
        exchange = self._exchange
        size = 0
        try:
            for data in body_pieces(response):
                exchange.moments.arrive()
                # After the socket is shut down, its buffer can still be read.
                exchange.raise_if_ended()
                size += len(data)
                if size > exchange.limits.max_stream_bytes:
                    raise StreamFault(
                        ErrorKind.DEADLINE,
                        sentences.STREAM_TOO_LARGE.format(max_stream_bytes=exchange.limits.max_stream_bytes),
                    )
                yield data
        except StreamFault:
            exchange.raise_if_ended()
            raise
        exchange.raise_if_ended()

    def _remembered(self, body: Iterator[bytes]) -> Iterator[bytes]:
        for data in body:
            if "first_event" not in self._exchange.moments:
                self._beginning += data[: self._exchange.limits.max_error_body_bytes - len(self._beginning)]
            yield data

    def _without_events(self) -> Iterator[TimedEvent]:
        """Interpret a body that claimed to be an event stream but held no event."""
        begin = bytes(self._beginning).removeprefix(_BOM)
        lines = [line for line in begin.splitlines() if line.strip() and not line.startswith(b":")]
        if "first_event" in self._exchange.moments or not lines:
            return
        if lines[0].startswith((b"{", b"[")):
            self._exchange.answer.warn("one JSON document came as text/event-stream")
            yield from self._document(iter([begin]))
        elif any(line.startswith(field) or field.startswith(line) for line in lines for field in _SSE_LINE_BEGINS):
            raise sentences.closed_early()
        else:
            raw = self._exchange.hide(begin.decode(errors="replace"), cut=True)
            raise self._not_an_answer(raw, "something that only calls itself one")

    def _sniffed(self, body: Iterator[bytes], media_type: str) -> Iterator[TimedEvent]:
        """Interpret a body of an unspecific media type by its first line."""
        begin = b""
        for data in body:
            begin += data
            first = begin.removeprefix(_BOM).lstrip()
            if re.search(rb"[\r\n]", first) or len(first) > _SNIFF_SIZE or len(begin) > _MAX_BLANKS:
                break
        rest = chain([begin], body)
        first = begin.removeprefix(_BOM).lstrip()
        if first.startswith(_SSE_LINE_BEGINS):
            self._exchange.answer.warn(f"the events came with the wrong content type ({media_type or 'none'})")
            yield from self._events.read(rest, is_framed=self._is_framed)
        elif first.startswith((b"{", b"[")):
            yield from self._document(rest)
        elif first:
            raise self._not_an_answer(self._error_body(rest), media_type)

    def _document(self, body: Iterator[bytes]) -> Iterator[TimedEvent]:
        """The whole answer in one JSON document."""
        answer, moments, limits = self._exchange.answer, self._exchange.moments, self._exchange.limits
        self.streamed = False
        document = bytearray()
        for piece in body:
            document += piece
            if len(document) > limits.max_document_bytes:
                raise StreamFault(
                    ErrorKind.OVERSIZE_EVENT,
                    sentences.DOCUMENT_TOO_LARGE.format(max_document_bytes=limits.max_document_bytes),
                )
        data = document.removeprefix(_BOM).decode(errors="replace")
        if not data.strip():
            return
        try:
            chunk = read_completion(data)
        except UnreadableEvent:
            raise self._not_an_answer(data, "application/json") from None
        moments.mark("first_event")
        if chunk.error:
            if chunk.choices:
                yield TimedEvent("message", data, moments.at_ms(), answer.add(chunk))
            raise self._exchange.reported_fault(chunk.error, data)
        if not chunk.choices:
            raise self._not_an_answer(data, "application/json")
        if self._exchange.streaming:
            answer.warn("the endpoint ignored stream=true and sent the whole answer at once")
        yield TimedEvent("message", data, moments.at_ms(), answer.add(chunk))
        answer.check_size()
        answer.done = True

    def _error_body(self, pieces: Iterator[bytes]) -> str:
        """The beginning of an error body, within the limits of size and time and without the key."""
        exchange = self._exchange
        exchange.watch.expect(ErrorKind.FIRST_EVENT_TIMEOUT, exchange.limits.error_body_s)
        body = b""
        # A fault of this body explains less than the status and what arrived.
        with suppress(StreamFault):
            for data in pieces:
                body += data
                if len(body) >= exchange.limits.max_error_body_bytes:
                    break
        if exchange.watch.ended is ErrorKind.CANCELLED:
            exchange.raise_if_ended()
        # A body that exceeded its time may have gone on, so its end always counts as cut.
        return exchange.hide(body[: exchange.limits.max_error_body_bytes].decode(errors="replace"), cut=True)

    def _not_an_answer(self, data: str, media_type: str) -> StreamFault:
        """The fault of a body that is not an answer, in its own words if it describes an error."""
        if has_words_of_an_error(data):
            return self._exchange.reported_fault(data, data)
        raw = self._exchange.hide(data)[: self._exchange.limits.max_error_body_bytes]
        return self._exchange.fault_of_other_api(data) or sentences.not_an_answer(raw, media_type)

    def _media_type(self, response: requests.Response) -> str:
        # requests joins repeated headers with a comma.
        content_type = self._exchange.hide(response.headers.get("Content-Type", ""))
        return re.split("[;,]", content_type, maxsplit=1)[0].strip().lower()
