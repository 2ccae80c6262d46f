"""The part of an answer that has arrived: its text, reasoning, events and times."""

from __future__ import annotations

import sys
from itertools import chain
from typing import Any

from components.log.events import StoredEvent, stored
from components.streaming.answer import TimedEvent
from components.streaming.limits import Limits
from components.streaming.rate import rate_within

_SIZE_OF_AN_EMPTY_EVENT = 128


class Arrived:
    """The part of an answer that has arrived so far. It has no lock; its run has one."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._events: list[StoredEvent] = []
        self._event_chars = 0
        self._event_count = 0
        self._chunks = 0
        self._first_chunks = 0
        self._ttft_ms: float | None = None
        self._ttfo_ms: float | None = None
        self._last_ms: float | None = None

    def take(self, event: TimedEvent) -> None:
        """Add one event of the stream: store it, and add its deltas to the answer."""
        # Text that was held back until the end comes without data; it belongs to no event of the endpoint.
        if event.data or not event.deltas:
            self._keep(event)
        if event.deltas:
            self._add(event)

    def events(self, since: int = 0) -> list[StoredEvent]:
        """The stored events from that index on, in order of arrival."""
        return self._events[since:]

    @property
    def kept_events(self) -> int:
        """The number of readable events; it grows until a limit is reached."""
        return len(self._events)

    @property
    def size(self) -> int:
        """The approximate memory use, in bytes."""
        events = chain.from_iterable((each.name, each.data) for each in self._events)
        of_events = _SIZE_OF_AN_EMPTY_EVENT * len(self._events) + sum(map(sys.getsizeof, events))
        return of_events + sum(map(sys.getsizeof, (*self._text, *self._reasoning)))

    def texts(self) -> tuple[str, str]:
        """The text of the answer and the reasoning."""
        # The joined text replaces the pieces, so that the next call does not join them again.
        self._text = ["".join(self._text)]
        self._reasoning = ["".join(self._reasoning)]
        return self._text[0], self._reasoning[0]

    def forget_texts(self) -> None:
        """Release the texts, once the outcome has them."""
        self._text, self._reasoning = [], []

    def facts(self) -> dict[str, Any]:
        """The facts for a record, apart from the texts."""
        return {
            "event_count": self._event_count,
            "chunk_count": self._chunks,
            "ttft_ms": self._ttft_ms,
            "ttfo_ms": self._ttfo_ms,
            # Until the endpoint reports its tokens, only chunks can be counted; the page labels them as chunks.
            "tokens_per_second": self._chunk_rate(),
            "rate_basis": "chunks, for the tokens are reported at the end",
        }

    def _add(self, event: TimedEvent) -> None:
        for delta in event.deltas:
            if delta.index == 0:
                self._text.append(delta.text)
                self._reasoning.append(delta.reasoning)
            if delta.text and self._ttfo_ms is None:
                self._ttfo_ms = event.at_ms
        if self._ttft_ms is None:
            self._ttft_ms = event.at_ms
        self._chunks += 1
        self._first_chunks += event.at_ms == self._ttft_ms
        self._last_ms = event.at_ms

    def _keep(self, event: TimedEvent) -> None:
        # After the first event over a limit, none is stored, so that the stored events have no gaps.
        if self._event_count == len(self._events) < self._limits.max_kept_events:
            stored_event = stored(event)
            chars = self._event_chars + len(stored_event.name) + len(stored_event.data)
            if chars <= self._limits.max_kept_event_chars:
                self._events.append(stored_event)
                self._event_chars = chars
        self._event_count += 1

    def _chunk_rate(self) -> float | None:
        if self._ttft_ms is None or self._last_ms is None or self._last_ms <= self._ttft_ms:
            return None
        return rate_within(self._last_ms - self._ttft_ms, self._chunks, self._chunks, self._first_chunks)
