"""Assigns the parts of chunks to choices, also when an endpoint misuses their index."""

from __future__ import annotations

from components.contract.chunk import ChoiceDelta

_Parts = tuple[ChoiceDelta, ...]


class ChoicePlaces:
    """The choices of one answer, numbered from 0.

    A request for one choice gets one, at any index. Some endpoints increase the index with each event. Unrequested
    further choices are recognised because they share an event, or because their indexes recur. If the second event has
    a higher index, it is held until the next event decides between the two.
    """

    def __init__(self, several: bool) -> None:
        self._several = several
        """Whether all indexes count, except that of the first choice."""
        self._index_increases = False
        self._first: int | None = 0 if several else None
        self._first_is_over = False
        self._held: _Parts = ()

    def of(self, parts: _Parts) -> _Parts:
        """The held parts and these, with the numbers of their choices as indexes."""
        if self._several:
            return tuple(map(self._own, parts)) if self._first else parts
        if self._index_increases:
            return tuple(part._replace(index=0) for part in parts)
        if not parts:
            return parts
        index = parts[0].index
        if self._first is None:
            self._first = index if len(parts) == 1 else 0
            self._several = len(parts) > 1
            self._first_is_over = bool(parts[0].finish_reason)
        elif self._held:
            self._index_increases = len(parts) == 1 and index >= self._held[0].index
            self._several = not self._index_increases
            parts, self._held = self._held + parts, ()
        elif len(parts) == 1 and index > self._first and not self._first_is_over:
            self._held = parts
            return ()
        else:
            self._several = True
        return self.of(parts) if self._index_increases else tuple(map(self._own, parts))

    def rest(self) -> _Parts:
        """The parts that are still held at the end; they belong to the first choice."""
        held, self._held = self._held, ()
        return tuple(part._replace(index=0) for part in held)

    def _own(self, part: ChoiceDelta) -> ChoiceDelta:
        if part.index not in (0, self._first):
            return part
        return part._replace(index=0 if part.index == self._first else self._first or 0)
