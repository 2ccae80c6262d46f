"""Reads the events of an answer: chunks, reported errors, and data that is neither."""

from __future__ import annotations

from collections.abc import Iterator

from sseclient import SSEClient

from components.contract.chunk import UnreadableEvent, read_chunk, read_object
from components.contract.errors import has_words_of_an_error
from components.streaming.answer import TimedEvent
from components.streaming.exchange import Exchange
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.guard import EventGuard

DONE = "[DONE]"
"""The data of the event that ends a stream."""


class EventReader:
    """Adds the events of a stream to its answer and yields each with its time.

    ``error_data`` is the data of the last event if it has no choices but the words of an error. ``other_api`` is the
    fault of a first event in the format of another API. Both explain a stream that ends without a finish reason.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.error_data: str | None = None
        self.other_api: StreamFault | None = None
        self._exchange = exchange

    def read(self, body: Iterator[bytes], *, is_framed: bool) -> Iterator[TimedEvent]:
        """The events in a body. ``is_framed``: the end of the body differs from a broken connection.

        Raises StreamFault for a reported error and beyond a limit.
        """
        guard = EventGuard(self._exchange.limits.max_event_bytes)
        blocks = (block for data in body for block in guard.feed(data))
        for event in SSEClient(blocks).events():
            for data in _separate_events(event.data):
                yield from self._read(event.event, data)
        if is_framed:
            for event in SSEClient(iter([guard.unfinished()])).events():
                parts = _separate_events(event.data)
                if any(self._ends_the_answer(event.event, data) for data in parts):
                    for data in parts:
                        yield from self._read(event.event, data)
        if guard.replaced_bytes:
            self._exchange.answer.warn("bytes that are no UTF-8 were replaced")

    def _ends_the_answer(self, name: str, data: str) -> bool:
        """Whether an event without a final blank line is complete, rather than the beginning of one."""
        if data.strip() == DONE or name == "error":
            return True
        try:
            chunk = read_chunk(data)
        except UnreadableEvent:
            return False
        complete = self._exchange.answer.complete
        return bool(chunk.error) or complete or any(choice.finish_reason for choice in chunk.choices)

    def _read(self, name: str, data: str) -> Iterator[TimedEvent]:
        exchange = self._exchange
        answer, moments = exchange.answer, exchange.moments
        if not data.strip():  # means no more than a comment
            yield TimedEvent(name, data, moments.at_ms())
            return
        moments.mark("first_event")
        is_done = data.strip() == DONE
        if not answer.done:
            answer.done = is_done
            silence_s = exchange.limits.after_done_s if is_done else exchange.limits.idle_between_events_s
            exchange.watch.expect(ErrorKind.STALL, silence_s)
        if is_done:
            yield TimedEvent(name, data, moments.at_ms())
            return
        if name == "error":
            yield TimedEvent(name, data, moments.at_ms())
            raise exchange.reported_fault(data, data)
        try:
            chunk = read_chunk(data)
        except UnreadableEvent as unreadable:
            yield TimedEvent(name, data, moments.at_ms())
            if has_words_of_an_error(data):
                raise exchange.reported_fault(data, data) from None
            if name == "message" and not answer.done:
                answer.add_unreadable(str(unreadable))
            else:
                answer.warn("an event that is no part of the answer was skipped")
            return
        if chunk.error:
            yield TimedEvent(name, data, moments.at_ms(), answer.add(chunk))
            raise exchange.reported_fault(chunk.error, data)
        self.error_data = None if chunk.choices or chunk.usage or not has_words_of_an_error(data) else data
        if not chunk.choices and answer.chunk_count == 0:
            self.other_api = exchange.fault_of_other_api(data)
        deltas = answer.add(chunk)
        # Also for text that is held back: it has arrived.
        moments.take(chunk.choices)
        yield TimedEvent(name, data, moments.at_ms(), deltas)
        answer.check_size()


def _separate_events(data: str) -> list[str]:
    """The events in an event's data: some endpoints omit the blank line between two, or write ``data:`` twice."""
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
