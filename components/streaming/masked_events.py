"""Removes a key from the events of a stream, also when it is split over several events."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from components.streaming.answer import TimedEvent
from components.streaming.masking import MASK, Mask

_MAX_OPEN = 64
_MIN_WAITING = 64
_MAX_WAITING_CHARS = 256 * 1024


@dataclass(eq=False)
class _Waiting:
    """An event that may contain a part of the key.

    ``content`` has its name, unless that is the default, and its data: as text, or parsed from JSON in a list of one.
    """

    event: TimedEvent
    content: dict[str, Any] = field(default_factory=dict)
    open: int = 0
    changed: bool = False


@dataclass
class _Part:
    """A possible part of the key: the end of the text ``holder[key]``, from ``begin`` on."""

    waiting: _Waiting
    holder: Any
    key: Any
    begin: int
    text: str

    def cut(self, begin: int, mask: str = "") -> None:
        self.holder[self.key] = self.holder[self.key][: self.begin + begin] + mask
        self.waiting.changed = True


class MaskedEvents:
    """Passes on the events of a stream in order. One that may contain a part of the key waits until that is known.

    Texts at the same place in the JSON of their events are read as one. The mask replaces the last part of a complete
    key; its parts in earlier events are removed, so that the events still add up to the answer.
    """

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._waiting: deque[_Waiting] = deque()
        self._waiting_chars = 0
        self._open: dict[int, list[_Part]] = {}

    def feed(self, event: TimedEvent) -> Iterator[TimedEvent]:
        """The events that can be passed on now. The masked text that an event adds is never delayed."""
        mask = self._mask
        name, data = event.event, mask.out_of(event.data)
        repeats = data != event.data
        look = self._open or mask.may_begin_in_event(data) or (repeats and "logprobs" in data)
        if name != "message":
            name = mask.out_of(name)
            look = look or mask.may_begin_in(name)
        if repeats or name != event.event:
            event = event._replace(event=name, data=data)
        if not look and not self._waiting:
            yield event
            return
        waiting = _Waiting(event)
        if look:
            self._search(waiting)
            waiting.changed |= repeats and "logprobs" in data
        if not self._waiting and not waiting.open:
            yield _masked(waiting)
            return
        if event.deltas:
            yield TimedEvent("flush", "", event.at_ms, event.deltas)
            waiting.event = event._replace(deltas=())
        self._waiting.append(waiting)
        self._waiting_chars += len(data)
        while self._waiting and (not self._waiting[0].open or self._too_many):
            yield self._next()

    def flush(self) -> Iterator[TimedEvent]:
        """The events that still wait at the end of the stream."""
        while self._waiting:
            yield self._next()

    @property
    def _too_many(self) -> bool:
        return len(self._waiting) > max(_MIN_WAITING, 4 * len(self._mask)) or self._waiting_chars > _MAX_WAITING_CHARS

    def _search(self, waiting: _Waiting) -> None:
        name, data = waiting.event.event, waiting.event.data
        try:
            waiting.content["data"] = [json.loads(data)]
        except (ValueError, RecursionError):
            waiting.content["data"] = data
        if name != "message":
            waiting.content["name"] = name
        for places, holder, key in _texts_in(waiting.content):
            for place in places:
                self._follow(place, waiting, holder, key)

    def _follow(self, place: int, waiting: _Waiting, holder: Any, key: Any) -> None:
        """Check whether a key that began at this place continues here, and whether one begins."""
        text: str = holder[key]
        before = self._open.pop(place, [])
        if not text and before:
            self._open[place] = before
        if not text or not (before or self._mask.may_begin_in(text)):
            return
        carried = "".join(part.text for part in before)
        if not before and self._mask.continues_in(text):
            # Its first character, if any, is in an earlier event and may stay there.
            carried, before = self._mask.first, [_Part(_Waiting(waiting.event), {"": ""}, "", 0, self._mask.first)]
        joined = carried + text
        if occurrence := next(self._mask.places_in(joined), None):
            begin, end = occurrence
            at = 0
            for part in before:
                if at + len(part.text) > begin:
                    part.cut(max(begin - at, 0))
                at += len(part.text)
            rest = self._mask.out_of(text[end - len(carried) :])
            holder[key] = text = text[: max(begin - len(carried), 0)] + MASK + rest
            waiting.changed = True
            self._leave(before)
            before, joined = [], text
        at = self._mask.opens_at(joined)
        if len(joined) - at < 2:
            self._leave(before)
            return
        while before and at >= len(before[0].text):
            at -= len(before[0].text)
            self._leave([before.pop(0)])
        if before:
            before[0] = replace(before[0], begin=before[0].begin + at, text=before[0].text[at:])
            at = 0
        part = _Part(waiting, holder, key, at, text[at:])
        waiting.open += 1
        self._open[place] = [*before, part]
        if len(self._open) > _MAX_OPEN:
            self._leave(self._open.pop(next(iter(self._open))))

    @staticmethod
    def _leave(parts: list[_Part]) -> None:
        for part in parts:
            part.waiting.open -= 1

    def _next(self) -> TimedEvent:
        """Release the oldest event. A long text in it that may still be a part of the key is masked.

        The rest of the key is recognised later all the same.
        """
        waiting = self._waiting.popleft()
        self._waiting_chars -= len(waiting.event.data)
        for parts in self._open.values() if waiting.open else ():
            if self._mask.shows_too_much("".join(part.text for part in parts)):
                for part in parts:
                    if part.waiting is waiting:
                        part.cut(0, MASK)
        return _masked(waiting)


def _masked(waiting: _Waiting) -> TimedEvent:
    if not waiting.changed:
        return waiting.event
    data = waiting.content["data"]
    if isinstance(data, list):
        [data] = data
        # The probabilities of tokens repeat the masked text, also as bytes.
        choices = data.get("choices") if isinstance(data, dict) else None
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and choice.get("logprobs"):
                choice["logprobs"] = None
        try:
            data = json.dumps(data, ensure_ascii=False)
        except RecursionError:
            data = MASK
    return waiting.event._replace(event=waiting.content.get("name", "message"), data=data)


def _texts_in(content: Any) -> Iterator[tuple[dict[int, None], Any, Any]]:
    """Each text with its places, its holder and its key. An item of a list has the places of its index and of the list.

    Iterative, for JSON of any depth; a place is the hash of a path.
    """
    pending: list[tuple[int, int, Any, Any]] = [(0, 0, {"": content}, "")]
    while pending:
        numbered, place, holder, key = pending.pop()
        value = holder[key]
        if isinstance(value, str):
            yield dict.fromkeys((numbered, place)), holder, key
        elif isinstance(value, list):
            pending += [(numbered, place, value, at) for at in reversed(range(len(value)))]
        elif isinstance(value, dict):
            index = value.get("index")
            if isinstance(index, int):
                numbered = hash((numbered, index))
            pending += [(hash((numbered, name)), hash((place, name)), value, name) for name in reversed(value)]
