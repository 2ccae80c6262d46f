"""Says which choice the parts of a chunk belong to, whatever an endpoint makes of their index."""

from __future__ import annotations

from components.contract.chunk import ChoiceDelta

_Parts = tuple[ChoiceDelta, ...]


class ChoicePlaces:
    """The places of one answer's choices, from 0.

    An answer that was asked for once has one choice, at whatever index it comes. Some endpoints count the index up with
    each event. Several choices that nobody asked for show themselves: they stand in one event, or their indexes
    return. Where the second event has a higher index, it is held until the next one shows which it is.
    """

    def __init__(self, several: bool) -> None:
        self._several = several
        """Whether the indexes are taken as they are, but for that of the first choice."""
        self._counts_up = False
        self._first: int | None = 0 if several else None
        self._first_is_over = False
        self._held: _Parts = ()

    def of(self, parts: _Parts) -> _Parts:
        """These parts, and what was held, with their places for indexes."""
        if self._several:
            return tuple(map(self._own, parts)) if self._first else parts
        if self._counts_up:
            return tuple(part._replace(index=0) for part in parts)
        if not parts:
            return parts
        index = parts[0].index
        if self._first is None:
            self._first = index if len(parts) == 1 else 0
            self._several = len(parts) > 1
            self._first_is_over = bool(parts[0].finish_reason)
        elif self._held:
            self._counts_up = len(parts) == 1 and index >= self._held[0].index
            self._several = not self._counts_up
            parts, self._held = self._held + parts, ()
        elif len(parts) == 1 and index > self._first and not self._first_is_over:
            self._held = parts
            return ()
        else:
            self._several = True
        return self.of(parts) if self._counts_up else tuple(map(self._own, parts))

    def rest(self) -> _Parts:
        """What was held until the end: the answer's own."""
        held, self._held = self._held, ()
        return tuple(part._replace(index=0) for part in held)

    def _own(self, part: ChoiceDelta) -> ChoiceDelta:
        if part.index not in (0, self._first):
            return part
        return part._replace(index=0 if part.index == self._first else self._first or 0)
