"""Reads one answer: calls the endpoint, turns what comes into timed events, and says at the end how it went.

A fault never leaves this module as an exception: whoever iterates gets what arrived, then reads the outcome.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass

import requests
from sseclient import SSEClient

from components.contract.chunk import UnreadableEvent, read_chunk, read_completion
from components.contract.errors import read_error
from components.streaming.answer import Answer, Delta
from components.streaming.call import body_pieces, post_json
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.guard import EventGuard
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status, Timings
from components.streaming.session import ApiKey, Session
from components.streaming.status import fault_for_status, retry_after_seconds
from components.streaming.watch import Watch

DONE = "[DONE]"
"""The data of the event that ends a stream."""

_SSE_LINE_BEGINS = (b":", b"data:", b"event:", b"id:", b"retry:")
_SNIFF_SIZE = 1024


@dataclass(frozen=True)
class TimedEvent:
    """One event of the stream as it came, when it came, and what it added.

    ``event`` is the event's name and ``data`` its data as text. ``at_ms`` counts from the attempt's send.
    """

    event: str
    data: str
    at_ms: float
    deltas: tuple[Delta, ...] = ()


class AnswerStream:
    """One answer, as an iterator of timed events. Iterate it once, in one thread; ``stop`` may come from any.

    ``on_retry`` is told of each wait before a retry: the fault and the seconds.
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
    ) -> None:
        self._outcome: Outcome | None = None
        self._url = f"{base_url}/chat/completions"
        self._body = body
        self._key = key
        self._streaming = streaming
        self._limits = limits or Limits()
        self._on_retry = on_retry
        self._answer = Answer(self._limits)
        self._started = self._sent = self._arrived = time.monotonic()
        self._waited = 0.0
        self._attempts = 0
        self._http_status: int | None = None
        self._streamed = streaming
        self._moments: dict[str, float] = {}
        self._watch = Watch(self._limits.total_s)

    @property
    def outcome(self) -> Outcome:
        """How it ended. Raises RuntimeError while the iteration is not over."""
        if self._outcome is None:
            raise RuntimeError("The answer has not ended yet.")
        return self._outcome

    def stop(self) -> None:
        """End the answer at once, whatever it waits for; what arrived is kept."""
        self._watch.stop()

    def __iter__(self) -> Generator[TimedEvent]:
        fault: StreamFault | None = StreamFault(ErrorKind.CANCELLED, "Stopped.")
        try:
            yield from self._attempt_until_it_counts()
            fault = None
        except StreamFault as raised:
            fault = raised
        except Exception:  # a fault of our own must not look like a stop, nor lose what arrived
            logging.getLogger(__name__).exception("a stream ended by a fault of Tempera")
            fault = StreamFault(ErrorKind.INTERNAL, "Tempera itself failed; its terminal says more. Run again.")
        finally:
            # Also when the consumer leaves early: the generator is closed, and the answer counts as cancelled.
            self._conclude(fault)
            self._watch.close()

    def _attempt_until_it_counts(self) -> Iterator[TimedEvent]:
        while True:
            self._attempts += 1
            self._moments.clear()
            self._http_status = None
            try:
                yield from self._attempt()
                return
            except StreamFault as fault:
                pause = self._pause_before_retry(fault)
                if pause is None:
                    raise
                if self._on_retry:
                    self._on_retry(fault, pause)
            waits_from = time.monotonic()
            self._watch.expect(ErrorKind.DEADLINE, self._limits.total_s)
            self._watch.wait(pause)
            self._waited += time.monotonic() - waits_from
            self._raise_if_ended()

    def _pause_before_retry(self, fault: StreamFault) -> float | None:
        """Seconds to wait before the next attempt, None when there must be none."""
        if not fault.unprocessed or self._watch.ended or self._attempts > self._limits.retries_before_first_byte:
            return None
        if fault.retry_after is not None:
            return fault.retry_after if fault.retry_after <= self._limits.max_retry_after_s else None
        backoff = min(0.5 * 2.0 ** (self._attempts - 1), 8.0)
        return backoff * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret

    def _attempt(self) -> Iterator[TimedEvent]:
        limits, watch = self._limits, self._watch
        self._sent = time.monotonic()
        # Without streaming the endpoint is silent until the whole answer is made.
        watch.expect(ErrorKind.FIRST_BYTE_TIMEOUT, limits.first_byte_s if self._streaming else limits.total_s)
        with Session(watch, limits.connect_s) as session:
            try:
                response = post_json(session, self._url, self._body, self._key)
            except StreamFault:
                self._raise_if_ended()
                raise
            try:
                self._mark("first_byte")
                first_event_s = limits.first_event_s if self._streaming else limits.total_s
                watch.expect(ErrorKind.FIRST_EVENT_TIMEOUT, first_event_s, since=self._sent)
                yield from self._read(response)
            finally:
                response.close()

    def _read(self, response: requests.Response) -> Iterator[TimedEvent]:
        self._http_status = status = response.status_code
        if 300 <= status < 400:
            raise StreamFault(
                ErrorKind.REDIRECT_REFUSED,
                "The endpoint answered with a redirect, which is never followed. Give its final address as base URL.",
                http_status=status,
            )
        if status >= 400:
            retry_after = retry_after_seconds(response.headers.get("Retry-After"))
            raise fault_for_status(status, self._error_body(response), retry_after)
        body = self._body_of(response)
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media_type == "text/event-stream":
            yield from self._events(body)
        elif media_type == "application/json" or media_type.endswith("+json"):
            yield from self._document(body)
        elif media_type in ("", "text/plain"):
            yield from self._sniffed(body, media_type)
        else:
            raise self._not_an_answer(self._error_body(response), media_type)

    def _body_of(self, response: requests.Response) -> Iterator[bytes]:
        """The decoded body, as it arrives, up to the limit."""
        size = 0
        try:
            for data in body_pieces(response):
                self._arrived = time.monotonic()
                size += len(data)
                if size > self._limits.max_stream_bytes:
                    raise StreamFault(
                        ErrorKind.DEADLINE,
                        f"The stream grew over {self._limits.max_stream_bytes:,} bytes, so it was ended there.",
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
            yield from self._event(event.event, event.data)
        if guard.replaced_bytes:
            self._answer.warn("bytes that are no UTF-8 were replaced")
        yield from self._flush()

    def _event(self, name: str, data: str) -> Iterator[TimedEvent]:
        answer, watch = self._answer, self._watch
        self._mark("first_event")
        if not answer.done:
            answer.done = data.strip() == DONE
            silence = self._limits.after_done_s if answer.done else self._limits.idle_between_events_s
            watch.expect(ErrorKind.STALL, silence)
        if data.strip() == DONE:
            yield TimedEvent(name, data, self._at_ms())
            return
        if name == "error":
            yield self._reported_event(name, data)
            raise self._reported(data)
        try:
            chunk = read_chunk(data)
        except UnreadableEvent as unreadable:
            yield TimedEvent(name, data, self._at_ms())
            answer.add_unreadable(str(unreadable))
            return
        if chunk.error:
            yield self._reported_event(name, data)
            raise self._reported(data)
        deltas = answer.add(chunk)
        for delta in deltas:
            self._mark("token" if delta.text else "reasoning")
        if deltas:
            self._moments["last_token"] = self._arrived
        yield TimedEvent(name, data, self._at_ms(), deltas)
        answer.check_size()

    def _document(self, body: Iterator[bytes]) -> Iterator[TimedEvent]:
        """The whole answer in one JSON document."""
        self._streamed = False
        data = b"".join(body).decode(errors="replace")
        if not data.strip():
            return
        try:
            chunk = read_completion(data)
        except UnreadableEvent:
            raise self._not_an_answer(data, "application/json") from None
        self._mark("first_event")
        if chunk.error:
            raise self._reported(data)
        if not chunk.choices:
            raise self._not_an_answer(data, "application/json")
        if self._streaming:
            self._answer.warn("the endpoint ignored stream=true and sent the whole answer at once")
        deltas = self._answer.add(chunk)
        self._answer.done = True
        yield TimedEvent("message", data, self._at_ms(), deltas)
        self._answer.check_size()
        yield from self._flush()

    def _sniffed(self, body: Iterator[bytes], media_type: str) -> Iterator[TimedEvent]:
        """A body whose type says nothing: its first line decides."""
        begin = b""
        for data in body:
            begin += data
            line, end, _ = begin.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").partition(b"\n")
            if end or len(line) > _SNIFF_SIZE:
                break
        rest = _joined(begin, body)
        first = begin.removeprefix(b"\xef\xbb\xbf").lstrip()
        if first.startswith(_SSE_LINE_BEGINS):
            self._answer.warn(f"the events came with the wrong content type ({media_type or 'none'})")
            yield from self._events(rest)
        elif first.startswith(b"{"):
            yield from self._document(rest)
        elif first:
            raise self._not_an_answer(first.decode(errors="replace"), media_type)

    def _flush(self) -> Iterator[TimedEvent]:
        if deltas := self._answer.flush():
            yield TimedEvent("flush", "", self._at_ms(), deltas)

    def _error_body(self, response: requests.Response) -> str:
        """The beginning of an error's body: as much as the limits allow, in the time they allow."""
        limits = self._limits
        self._watch.expect(ErrorKind.FIRST_EVENT_TIMEOUT, limits.error_body_s)
        body = b""
        # Whatever breaks here, the HTTP status says more about the fault than the rest of this body could.
        with suppress(StreamFault):
            for data in body_pieces(response):
                body += data
                if len(body) >= limits.max_error_body_bytes:
                    break
        if self._watch.ended is ErrorKind.CANCELLED:
            self._raise_if_ended()
        return body[: limits.max_error_body_bytes].decode(errors="replace")

    def _not_an_answer(self, raw: str, media_type: str) -> StreamFault:
        return StreamFault(
            ErrorKind.NOT_SSE,
            f"The endpoint answered with {media_type or 'something'} instead of an event stream. "
            "Check the base URL: it should end in /v1.",
            raw=raw[: self._limits.max_error_body_bytes],
        )

    def _reported_event(self, name: str, data: str) -> TimedEvent:
        return TimedEvent(name, self._hide(data), self._at_ms())

    def _reported(self, data: str) -> StreamFault:
        error = read_error(data)
        return StreamFault(ErrorKind.SERVER_ERROR_EVENT, error.sentence, raw=error.raw, fields=error.fields)

    def _mark(self, moment: str) -> None:
        """Note when something happened for the first time: at the read that brought it."""
        self._moments.setdefault(moment, time.monotonic() if moment == "first_byte" else self._arrived)

    def _at_ms(self) -> float:
        return round((self._arrived - self._sent) * 1000, 3)

    def _since_sent(self, moment: str) -> float | None:
        at = self._moments.get(moment)
        return None if at is None else round((at - self._sent) * 1000, 3)

    def _raise_if_ended(self) -> None:
        ended = self._watch.ended
        if ended:
            raise StreamFault(ended, self._ended_sentence(ended))

    def _ended_sentence(self, kind: ErrorKind) -> str:
        limits = self._limits
        hint = " If the address begins with https, its port may not speak TLS." if self._url[:5] == "https" else ""
        return {
            ErrorKind.CANCELLED: "Stopped.",
            ErrorKind.FIRST_BYTE_TIMEOUT: f"The endpoint did not answer within {limits.first_byte_s:g} s.{hint}",
            ErrorKind.FIRST_EVENT_TIMEOUT: f"The endpoint sent no event within {limits.first_event_s:g} s. Run again.",
            ErrorKind.STALL: (
                f"The stream stopped: {limits.idle_between_events_s:g} s of silence. What arrived is kept. Run again."
            ),
        }.get(kind, f"The run took longer than {limits.total_s:g} s and was ended. What arrived is kept.")

    def _hide(self, text: str) -> str:
        """``text`` from an error without the key."""
        return self._key.removed_from(text) if self._key else text

    def _conclude(self, fault: StreamFault | None) -> None:
        answer = self._answer
        status, fault = answer.conclude(fault)
        now = time.monotonic()
        self._outcome = Outcome(
            status=status,
            error_kind=fault.kind if fault else None,
            message=self._hide(fault.sentence) if fault else None,
            raw_error=self._hide(fault.raw) if fault and fault.raw is not None else None,
            error_fields=tuple(map(self._hide, fault.fields)) if fault else (),
            http_status=None if status is Status.REJECTED else self._http_status,
            finish_reason=answer.finish_reason,
            usage=answer.usage,
            model=answer.model,
            texts=answer.texts,
            reasoning=answer.reasoning,
            timings=Timings(
                first_byte_ms=self._since_sent("first_byte"),
                first_event_ms=self._since_sent("first_event"),
                reasoning_ms=self._since_sent("reasoning"),
                ttft_ms=self._since_sent("token"),
                last_token_ms=self._since_sent("last_token"),
                waited_ms=round(self._waited * 1000, 3),
                total_ms=round((now - self._started) * 1000, 3),
            ),
            chunk_count=answer.chunk_count,
            attempts=self._attempts,
            streamed=self._streamed,
            warnings=tuple(answer.warnings),
        )


def _joined(begin: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield begin
    yield from rest
