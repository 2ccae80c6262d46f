"""Reads one answer: calls the endpoint, yields timed events and returns the outcome.

Faults are not raised: the iterator yields what arrived, and ``outcome`` names the fault.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from itertools import chain
from urllib.parse import urlsplit

import requests
from sseclient import SSEClient

from components.contract.chunk import UnreadableEvent, read_chunk, read_completion, read_object
from components.contract.errors import has_words_of_an_error, plain_text, read_error
from components.contract.other_apis import other_api
from components.streaming import sentences
from components.streaming.answer import Answer, TimedEvent
from components.streaming.call import body_pieces, post_json, tells_its_end
from components.streaming.connections import Call
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.guard import EventGuard
from components.streaming.http_status import fault_for_status
from components.streaming.limits import Limits
from components.streaming.masked_events import MaskedEvents
from components.streaming.moments import Moments
from components.streaming.outcome import Outcome, Retry, Status
from components.streaming.retries import pause_before_retry, wanted_wait
from components.streaming.server_timing import queue_ms
from components.streaming.session import ApiKey
from components.streaming.watch import Watch

DONE = "[DONE]"
"""The data of the event that ends a stream."""

_SSE_LINE_BEGINS = (b":", b"data:", b"event:", b"id:", b"retry:")
_SNIFF_SIZE = 1024
_MAX_BLANKS = 65536
_BOM = b"\xef\xbb\xbf"
_REQUEST_IDS = ("x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "x-ms-request-id", "cf-ray")
"""Headers with the name of a request in the endpoint's log, the likeliest first."""
_MAX_REQUEST_ID = 200
_UNTOLD = ("", "text/plain", "application/octet-stream")  # media types that say nothing of what is sent
_TOLD_BETTER_BY_A_COMPLAINT = (ErrorKind.CLOSED_EARLY, ErrorKind.EMPTY_ANSWER)


class AnswerStream:
    """One answer, as an iterator of timed events. Iterate it once, in one thread; ``stop`` may come from any.

    ``on_retry`` is told of each wait before a retry: the fault and the seconds. ``allows`` says of an IP address
    whether it may be called, see ``connect``; without it each may. ``clock`` is what moments are taken from.
    """

    def __init__(
        self,
        base_url: str,
        body: bytes,
        *,
        key: ApiKey | None = None,
        streaming: bool = True,
        limits: Limits | None = None,
        on_retry: Callable[[StreamFault, float], None] | None = None,
        allows: Callable[[str], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outcome: Outcome | None = None
        self._url = f"{base_url}/chat/completions"
        self._body = body
        self._key = key
        self._mask = (key.mask or None) if key else None
        self._masked_events = MaskedEvents(self._mask) if self._mask else None
        self._streaming = streaming
        self._limits = limits or Limits()
        self._on_retry = on_retry
        self._allows = allows
        self._answer = Answer(self._limits, self._mask, several=_asks_for_several(body))
        self._attempts = 0
        self._retries: list[Retry] = []
        self._http_status: int | None = None
        self._request_id: str | None = None
        self._tells_its_end = False
        """Whether the end of the body can be told from a connection that was cut."""
        self._streamed = streaming
        self._clock = clock
        self._moments = Moments(clock)
        self._beginning = bytearray()  # what came before the first event
        self._complaint: str | None = None
        """The last event, when it held no choices but words as errors have them."""
        self._other_api: StreamFault | None = None
        """The fault of the first event that shows another API."""
        self._watch = Watch(self._limits.total_s)

    @property
    def outcome(self) -> Outcome:
        """How it ended. Raises RuntimeError while the iteration is not over."""
        if self._outcome is None:
            raise RuntimeError("The answer has not ended yet.")
        return self._outcome

    def stop(self) -> None:
        """Stop at once, whatever the reader waits for; what arrived is kept."""
        self._watch.stop()

    def __iter__(self) -> Generator[TimedEvent]:
        fault: StreamFault | None = StreamFault(ErrorKind.CANCELLED, "Stopped.")
        try:
            try:
                yield from self._masked(self._attempt_until_it_counts())
                fault = None
            except StreamFault as raised:
                fault = raised
            except Exception:  # a fault of our own must not look like a stop, nor lose what arrived
                logging.getLogger(__name__).exception("a stream ended by a fault of Tempera")
                fault = StreamFault(ErrorKind.INTERNAL, sentences.TEMPERA_FAILED)
            yield from self._flush()
        finally:
            # Also when the consumer leaves early: the generator is closed, and the answer counts as cancelled.
            self._conclude(fault)
            self._watch.close()
            # The fault knows this frame by its traceback: the two would live on, with all they hold, until collected.
            fault = None

    def _masked(self, events: Generator[TimedEvent]) -> Iterator[TimedEvent]:
        if self._masked_events is None:
            yield from events
            return
        with closing(events):
            for event in events:
                yield from self._masked_events.feed(event)

    def _flush(self) -> Iterator[TimedEvent]:
        """The text that was held back, however the stream ended."""
        if self._masked_events:
            yield from self._masked_events.flush()
        if deltas := self._answer.flush():
            yield TimedEvent("flush", "", self._moments.at_ms(), deltas)

    def _attempt_until_it_counts(self) -> Generator[TimedEvent]:
        while True:
            self._attempts += 1
            self._http_status = self._request_id = None
            try:
                yield from self._attempt()
                return
            except StreamFault as fault:
                # An address that is refused once is not tried again: another look-up is what a rebinder waits for.
                over = self._watch.ended or fault.kind is ErrorKind.ADDRESS_REFUSED
                pause = None if over else pause_before_retry(fault, self._attempts, self._limits)
                if pause is None:
                    raise
                self._retries.append(Retry(fault.kind, fault.http_status, round(pause * 1000, 3)))
                if self._on_retry:
                    self._on_retry(fault, pause)
            waits_from = self._clock()
            self._watch.expect(ErrorKind.DEADLINE, self._limits.total_s)
            self._watch.wait(pause)
            self._moments.wait_since(waits_from)
            self._raise_if_ended()

    def _attempt(self) -> Iterator[TimedEvent]:
        limits, watch = self._limits, self._watch
        self._moments.begin()
        # Without streaming the endpoint is silent until the whole answer is made.
        watch.expect(ErrorKind.FIRST_BYTE_TIMEOUT, limits.first_byte_s if self._streaming else limits.total_s)
        call = Call(watch, limits.connect_s, self._moments.send, self._allows)
        try:
            response = post_json(call, self._url, self._body, self._key)
        except StreamFault:
            self._raise_if_ended()
            raise
        try:
            self._moments.mark("first_byte")
            first_event_s = limits.first_event_s if self._streaming else limits.total_s
            watch.expect(ErrorKind.FIRST_EVENT_TIMEOUT, first_event_s, since=self._moments.sent)
            yield from self._read(response)
        finally:
            response.close()

    def _read(self, response: requests.Response) -> Iterator[TimedEvent]:
        self._http_status = status = response.status_code
        self._moments.queued_ms = queue_ms(response.headers.get("Server-Timing"))
        ids = filter(None, (plain_text(response.headers.get(name, ""), _MAX_REQUEST_ID) for name in _REQUEST_IDS))
        self._request_id = next(ids, None)
        self._tells_its_end = tells_its_end(response)
        if status < 200:
            raise sentences.not_http(status)
        if status < 300:
            yield from self._answered(response)
        elif status < 400:
            raise sentences.redirected(status, response.headers.get("Location", ""), self._hide)
        else:
            error_body = self._error_body(body_pieces(response))
            raise fault_for_status(
                status,
                error_body,
                media_type=self._media_type(response),
                path=urlsplit(self._url).path,
                sent_bytes=len(self._body),
                retry_after=wanted_wait(response.headers, error_body),
                max_retry_after_s=self._limits.max_retry_after_s,
                hide=self._hide,
            )

    def _answered(self, response: requests.Response) -> Iterator[TimedEvent]:
        body = self._body_of(response)
        media_type = self._media_type(response)
        if media_type == "text/event-stream":
            yield from self._events(self._remembered(body))
            yield from self._instead_of_events()
        elif media_type in _UNTOLD or media_type == "application/json" or media_type.endswith("+json"):
            yield from self._sniffed(body, media_type)
        else:
            raise self._no_answer(self._error_body(body), media_type)

    def _body_of(self, response: requests.Response) -> Iterator[bytes]:
        """The decoded body, as it arrives, up to the limit."""
        size = 0
        try:
            for data in body_pieces(response):
                self._moments.arrive()
                # What waits in the socket's buffer can still be read when the socket is shut down.
                self._raise_if_ended()
                size += len(data)
                if size > self._limits.max_stream_bytes:
                    raise StreamFault(
                        ErrorKind.DEADLINE,
                        sentences.STREAM_TOO_LARGE.format(max_stream_bytes=self._limits.max_stream_bytes),
                    )
                yield data
        except StreamFault:
            self._raise_if_ended()
            raise
        self._raise_if_ended()

    def _events(self, body: Iterator[bytes]) -> Iterator[TimedEvent]:
        guard = EventGuard(self._limits.max_event_bytes)
        blocks = (block for data in body for block in guard.feed(data))
        for event in SSEClient(blocks).events():
            for data in _apart(event.data):
                yield from self._event(event.event, data)
        if self._tells_its_end:
            for event in SSEClient(iter([guard.unfinished()])).events():
                parts = _apart(event.data)
                if any(self._ends_the_answer(event.event, data) for data in parts):
                    for data in parts:
                        yield from self._event(event.event, data)
        if guard.replaced_bytes:
            self._answer.warn("bytes that are no UTF-8 were replaced")

    def _ends_the_answer(self, name: str, data: str) -> bool:
        """Whether an event that no blank line ended is the last one, and not the beginning of one that was cut."""
        if data.strip() == DONE or name == "error":
            return True
        try:
            chunk = read_chunk(data)
        except UnreadableEvent:
            return False
        return bool(chunk.error) or self._answer.complete or any(choice.finish_reason for choice in chunk.choices)

    def _remembered(self, body: Iterator[bytes]) -> Iterator[bytes]:
        for data in body:
            if "first_event" not in self._moments:
                self._beginning += data[: self._limits.max_error_body_bytes - len(self._beginning)]
            yield data

    def _instead_of_events(self) -> Iterator[TimedEvent]:
        """Interpret a body that claimed to be an event stream but held no event."""
        begin = bytes(self._beginning).removeprefix(_BOM)
        lines = [line for line in begin.splitlines() if line.strip() and not line.startswith(b":")]
        if "first_event" in self._moments or not lines:
            return
        if lines[0].startswith((b"{", b"[")):
            self._answer.warn("one JSON document came as text/event-stream")
            yield from self._document(iter([begin]))
        elif any(line.startswith(field) or field.startswith(line) for line in lines for field in _SSE_LINE_BEGINS):
            raise sentences.closed_early()
        else:
            raw = self._hide(begin.decode(errors="replace"), cut=True)
            raise self._no_answer(raw, "something that only calls itself one")

    def _event(self, name: str, data: str) -> Iterator[TimedEvent]:
        answer, watch = self._answer, self._watch
        if not data.strip():  # carries no more than a comment
            yield TimedEvent(name, data, self._moments.at_ms())
            return
        self._moments.mark("first_event")
        if not answer.done:
            answer.done = data.strip() == DONE
            silence = self._limits.after_done_s if answer.done else self._limits.idle_between_events_s
            watch.expect(ErrorKind.STALL, silence)
        if data.strip() == DONE:
            yield TimedEvent(name, data, self._moments.at_ms())
            return
        if name == "error":
            yield TimedEvent(name, data, self._moments.at_ms())
            raise self._reported(data, data)
        try:
            chunk = read_chunk(data)
        except UnreadableEvent as unreadable:
            yield TimedEvent(name, data, self._moments.at_ms())
            if has_words_of_an_error(data):
                raise self._reported(data, data) from None
            if name == "message" and not answer.done:
                answer.add_unreadable(str(unreadable))
            else:
                answer.warn("an event that is no part of the answer was skipped")
            return
        if chunk.error:
            yield TimedEvent(name, data, self._moments.at_ms(), answer.add(chunk))
            raise self._reported(chunk.error, data)
        self._complaint = None if chunk.choices or chunk.usage or not has_words_of_an_error(data) else data
        if not chunk.choices and answer.chunk_count == 0:
            self._other_api = self._of_another_api(data)
        deltas = answer.add(chunk)
        # Held text has arrived all the same.
        self._moments.take(chunk.choices)
        yield TimedEvent(name, data, self._moments.at_ms(), deltas)
        answer.check_size()

    def _document(self, body: Iterator[bytes]) -> Iterator[TimedEvent]:
        """The whole answer in one JSON document."""
        self._streamed = False
        document = bytearray()
        for piece in body:
            document += piece
            if len(document) > self._limits.max_document_bytes:
                raise StreamFault(
                    ErrorKind.OVERSIZE_EVENT,
                    sentences.DOCUMENT_TOO_LARGE.format(max_document_bytes=self._limits.max_document_bytes),
                )
        data = document.removeprefix(_BOM).decode(errors="replace")
        if not data.strip():
            return
        try:
            chunk = read_completion(data)
        except UnreadableEvent:
            raise self._no_answer(data, "application/json") from None
        self._moments.mark("first_event")
        if chunk.error:
            if chunk.choices:
                yield TimedEvent("message", data, self._moments.at_ms(), self._answer.add(chunk))
            raise self._reported(chunk.error, data)
        if not chunk.choices:
            raise self._no_answer(data, "application/json")
        if self._streaming:
            self._answer.warn("the endpoint ignored stream=true and sent the whole answer at once")
        yield TimedEvent("message", data, self._moments.at_ms(), self._answer.add(chunk))
        self._answer.check_size()
        self._answer.done = True

    def _sniffed(self, body: Iterator[bytes], media_type: str) -> Iterator[TimedEvent]:
        """A body whose type says nothing, or not enough: its first line decides."""
        begin = b""
        for data in body:
            begin += data
            first = begin.removeprefix(_BOM).lstrip()
            if re.search(rb"[\r\n]", first) or len(first) > _SNIFF_SIZE or len(begin) > _MAX_BLANKS:
                break
        rest = chain([begin], body)
        first = begin.removeprefix(_BOM).lstrip()
        if first.startswith(_SSE_LINE_BEGINS):
            self._answer.warn(f"the events came with the wrong content type ({media_type or 'none'})")
            yield from self._events(rest)
        elif first.startswith((b"{", b"[")):
            yield from self._document(rest)
        elif first:
            raise self._no_answer(self._error_body(rest), media_type)

    def _error_body(self, pieces: Iterator[bytes]) -> str:
        """The beginning of an error body within the limits of size and time, without the key."""
        limits = self._limits
        self._watch.expect(ErrorKind.FIRST_EVENT_TIMEOUT, limits.error_body_s)
        body = b""
        # Whatever breaks here, what came before it says more about the fault than the rest of this body could.
        with suppress(StreamFault):
            for data in pieces:
                body += data
                if len(body) >= limits.max_error_body_bytes:
                    break
        if self._watch.ended is ErrorKind.CANCELLED:
            self._raise_if_ended()
        # Whether the body went on is not known when its time was up: its end is treated as a cut in any case.
        return self._hide(body[: limits.max_error_body_bytes].decode(errors="replace"), cut=True)

    def _reported(self, said: str, data: str) -> StreamFault:
        """The fault of an error that the event with this data reports; ``said`` is what its words stand in."""
        error = read_error(said, hide=self._hide)
        return StreamFault(ErrorKind.SERVER_ERROR_EVENT, error.sentence, raw=self._hide(data), fields=error.fields)

    def _no_answer(self, data: str, media_type: str) -> StreamFault:
        """The fault of a body that is no answer, in its own words where it has those of an error."""
        if has_words_of_an_error(data):
            return self._reported(data, data)
        raw = self._hide(data)[: self._limits.max_error_body_bytes]
        return self._of_another_api(data) or sentences.not_an_answer(raw, media_type)

    def _of_another_api(self, data: str) -> StreamFault | None:
        found = other_api(data)
        return found and sentences.other_api(*found, self._hide(data)[: self._limits.max_error_body_bytes])

    def _raise_if_ended(self) -> None:
        if ended := self._watch.ended:
            raise sentences.ended(ended, self._limits, self._url)

    def _media_type(self, response: requests.Response) -> str:
        # A header that came twice is joined by a comma.
        content_type = self._hide(response.headers.get("Content-Type", ""))
        return re.split("[;,]", content_type, maxsplit=1)[0].strip().lower()

    def _hide(self, text: str, *, cut: bool = False) -> str:
        """``text`` from outside without the key, and without its first part where a limit has cut the text."""
        return self._mask.out_of(text, cut=cut) if self._mask else text

    def _conclude(self, fault: StreamFault | None) -> None:
        answer = self._answer
        answer.flush()  # what a consumer who left early did not wait for has arrived as well
        status, fault = answer.conclude(fault)
        told_better = fault.kind in _TOLD_BETTER_BY_A_COMPLAINT if fault else not answer.finished
        if told_better and self._complaint is not None:
            status = status if fault else Status.INTERRUPTED
            fault = self._reported(self._complaint, self._complaint)
        elif told_better and not answer.choices[0].text:
            fault = self._other_api or fault
        first, *further = answer.choices
        if first.text and _asks_for_probabilities(self._body) and not answer.likelihood.count:
            answer.warn(sentences.NO_PROBABILITIES)

        def without_key(text: str | None) -> str | None:
            return self._hide(text) if text else text

        self._outcome = Outcome(
            status=status,
            error_kind=fault.kind if fault else None,
            message=without_key(fault.sentence) if fault else None,
            raw_error=without_key(fault.raw) if fault else None,
            error_fields=tuple(map(self._hide, fault.fields)) if fault else (),
            http_status=None if status is Status.REJECTED else self._http_status,
            finish_reason=without_key(first.finish_reason),
            usage=answer.usage,
            served_model=without_key(answer.model),
            system_fingerprint=without_key(answer.system_fingerprint),
            request_id=without_key(self._request_id),
            text=first.text,
            reasoning=first.reasoning,
            tool_calls=first.tool_calls,
            further_choices=tuple(further),
            timings=self._moments.timings(),
            likelihood=answer.likelihood.likelihood(),
            chunk_count=answer.chunk_count,
            attempts=self._attempts,
            retries=tuple(self._retries),
            streamed=self._streamed,
            warnings=tuple(map(self._hide, answer.warnings)),
        )


def _apart(data: str) -> list[str]:
    """The events in an event's data: some endpoints leave out the blank line between two, or write ``data:`` twice."""
    if "\n" not in data and not data.startswith("data:"):
        return [data]
    lines = [line.removeprefix("data:").strip() for line in data.split("\n")]
    try:
        for line in lines:
            if line != DONE:
                read_object(line)
    except UnreadableEvent:
        return [data]
    return lines


def _asks_for_probabilities(body: bytes) -> bool:
    """Whether a request asks for the probabilities of tokens."""
    if b'"logprobs"' not in body:  # a long conversation is not read for nothing
        return False
    try:
        return bool(read_object(body.decode(errors="replace")).get("logprobs"))
    except UnreadableEvent:
        return False


def _asks_for_several(body: bytes) -> bool:
    """Whether a request asks for more than one choice."""
    if b'"n"' not in body:  # a long conversation is not read for nothing
        return False
    try:
        count = read_object(body.decode(errors="replace")).get("n")
    except UnreadableEvent:
        return False
    return isinstance(count, int) and count > 1
