"""The stored events of a run: data and times, for display and replay, and their packed form."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from components.log import sentences
from components.log.storable import storable_text
from components.streaming.answer import TimedEvent

MAX_DATA_CHARS = 2_048
MAX_PROBABILITY_CHARS = 8_192
"""Of an event with the probabilities of tokens: some tokens with 20 alternatives each."""
_MAX_NAME_CHARS = 256
MAX_PACK_EVENTS = 1_024
MAX_PACK_CHARS = MAX_PACK_EVENTS * (MAX_DATA_CHARS + _MAX_NAME_CHARS)
"""Names and data in one pack, unless it is one event."""
_MAX_UNPACKED_BYTES = 16 * 1024 * 1024
"""More than a pack takes when every character is escaped as six."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event of a stream: its name, the first 2,048 characters of its data (8,192 with probabilities), and its time.

    All fields are public when a run is shared with its events. A new field needs a default, for events that are already
    stored.

    ``at_ms`` counts from the attempt's send. ``size`` is the number of characters of the whole data as received.
    """

    name: str
    data: str
    at_ms: float
    size: int


_events = TypeAdapter(list[StoredEvent])


def has_probabilities(data: str) -> bool:
    """Whether the data of an event may hold probabilities of tokens."""
    return '"logprob"' in data or '"token_logprobs"' in data or '"completion_probabilities"' in data


def stored(event: TimedEvent) -> StoredEvent:
    """The stored form of an event."""
    limit = MAX_PROBABILITY_CHARS if has_probabilities(event.data) else MAX_DATA_CHARS
    return StoredEvent(event.event[:_MAX_NAME_CHARS], event.data[:limit], event.at_ms, len(event.data))


def packed(events: Sequence[StoredEvent], first: int = 0) -> Iterator[tuple[int, bytes]]:
    """The events in packs, each with the index of its first event; ``first`` is that of the first of all."""
    begin = size = 0
    for number, event in enumerate(events):
        chars = len(event.name) + len(event.data)
        if number - begin == MAX_PACK_EVENTS or (number > begin and size + chars > MAX_PACK_CHARS):
            yield first + begin, pack(events[begin:number])
            begin, size = number, 0
        size += chars
    yield first + begin, pack(events[begin:])


def pack(events: Iterable[StoredEvent]) -> bytes:
    """At most ``MAX_PACK_EVENTS`` events, compressed, with texts that every database can store."""
    return zlib.compress(_events.dump_json(list(map(_storable, events))))


def _storable(event: StoredEvent) -> StoredEvent:
    name, data = storable_text(event.name), storable_text(event.data)
    return event if (name, data) == (event.name, event.data) else replace(event, name=name, data=data)


def unpack(content: bytes) -> list[StoredEvent]:
    """The events in a pack. Raises ValueError with a sentence for anything else."""
    inflating = zlib.decompressobj()
    try:
        text = inflating.decompress(content, _MAX_UNPACKED_BYTES)
        # Data that inflates beyond the limit has not reached its end here, like truncated data.
        if inflating.eof and not inflating.unused_data:
            return _events.validate_json(text, strict=True)
    except (zlib.error, ValidationError):
        pass
    raise ValueError(sentences.DAMAGED_EVENTS)
