"""The stored events of a run: data and times, for display and replay, and their packed form."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from components.log import sentences
from components.log.storable import storable_text
from components.streaming.answer import TimedEvent

MOST_DATA_CHARS = 2_048
_MOST_NAME_CHARS = 256
MOST_IN_ONE_PACK = 1_024
_MOST_UNPACKED_BYTES = 16 * 1024 * 1024
"""More than ``MOST_IN_ONE_PACK`` events take when every character is escaped as six."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event of a stream: its name, the first 2,048 characters of its data, and its time.

    All fields are public when a run is shared with its events. A new field needs a default, for events that are already
    stored.

    ``at_ms`` counts from the attempt's send. ``size`` is the number of characters of the whole data as received.
    """

    name: str
    data: str
    at_ms: float
    size: int


_events = TypeAdapter(list[StoredEvent])


def stored(event: TimedEvent) -> StoredEvent:
    """The stored form of an event."""
    return StoredEvent(event.event[:_MOST_NAME_CHARS], event.data[:MOST_DATA_CHARS], event.at_ms, len(event.data))


def pack(events: Iterable[StoredEvent]) -> bytes:
    """At most ``MOST_IN_ONE_PACK`` events, compressed, with texts that every database can store."""
    return zlib.compress(_events.dump_json(list(map(_storable, events))))


def _storable(event: StoredEvent) -> StoredEvent:
    name, data = storable_text(event.name), storable_text(event.data)
    return event if (name, data) == (event.name, event.data) else replace(event, name=name, data=data)


def unpack(content: bytes) -> list[StoredEvent]:
    """The events in a pack. Raises ValueError with a sentence for anything else."""
    inflating = zlib.decompressobj()
    try:
        text = inflating.decompress(content, _MOST_UNPACKED_BYTES)
        # Data that inflates beyond the limit has not reached its end here, like truncated data.
        if inflating.eof and not inflating.unused_data:
            return _events.validate_json(text, strict=True)
    except (zlib.error, ValidationError):
        pass
    raise ValueError(sentences.DAMAGED_EVENTS)
