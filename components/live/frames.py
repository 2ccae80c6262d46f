"""What a reader who has seen some blocks of an answer needs next."""

from __future__ import annotations

Frame = list[int | str]
"""First block that changes, how much of it stays, what follows in it, and each later block whole.

How much stays is counted in UTF-16 code units, as browsers count. Blocks behind the last one named are gone.
"""


class Reader:
    """What one reader of an answer has seen of it."""

    def __init__(self) -> None:
        self._seen: list[str] = []

    def resume(self, blocks: list[str], count: int, size: int) -> None:
        """Believe a reader who says that it has the first blocks, if their number and their size fit."""
        if 0 < count <= len(blocks) and sum(map(_utf16_length, blocks[:count])) == size:
            self._seen = blocks[:count]

    def frame(self, blocks: list[str]) -> Frame | None:
        """What changes the blocks that the reader has into these; None when it has them."""
        seen = self._seen
        start = _first_difference(seen, blocks)
        if start == len(seen) == len(blocks):
            return None
        self._seen = list(blocks)
        if start == len(blocks):
            # Fewer blocks than before: the last one that stays is named, so that those behind it go.
            return [start - 1, _utf16_length(blocks[start - 1]), ""] if start else [0, 0, ""]
        kept = _common_length(seen[start], blocks[start]) if start < len(seen) else 0
        return [start, _utf16_length(blocks[start][:kept]), blocks[start][kept:], *blocks[start + 1 :]]


def _first_difference(before: list[str], after: list[str]) -> int:
    # Blocks that have settled are the same objects, so that comparing them costs next to nothing.
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
