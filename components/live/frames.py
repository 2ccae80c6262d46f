"""Frames: the change from the blocks that a reader has to the blocks that it needs."""

from __future__ import annotations

Frame = list[int | str]
"""First block that changes, how much of it stays, what follows in it, and each later block whole.

How much stays is counted in UTF-16 code units, as browsers count. Blocks behind the last one named are gone.
"""


class Reader:
    """The blocks that one reader has received."""

    def __init__(self) -> None:
        self._seen: list[str] = []

    def resume(self, blocks: list[str], count: int, size: int) -> None:
        """Resume for a reader that reports having the first ``count`` blocks, if their total size matches."""
        if 0 < count <= len(blocks) and sum(map(_utf16_length, blocks[:count])) == size:
            self._seen = blocks[:count]

    def frame(self, blocks: list[str]) -> Frame | None:
        """The frame that turns the reader's blocks into these; None when they are equal."""
        seen = self._seen
        start = _first_difference(seen, blocks)
        if start == len(seen) == len(blocks):
            return None
        self._seen = list(blocks)
        if start == len(blocks):
            # Fewer blocks than before: naming the last remaining one drops those behind it.
            return [start - 1, _utf16_length(blocks[start - 1]), ""] if start else [0, 0, ""]
        kept = _common_length(seen[start], blocks[start]) if start < len(seen) else 0
        return [start, _utf16_length(blocks[start][:kept]), blocks[start][kept:], *blocks[start + 1 :]]


def _first_difference(before: list[str], after: list[str]) -> int:
    # Settled blocks are the same objects, so comparing them is cheap.
    for index, (one, other) in enumerate(zip(before, after, strict=False)):
        if one is not other and one != other:
            return index
    return min(len(before), len(after))


def _common_length(one: str, other: str) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
