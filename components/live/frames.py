"""Frames: the change from the blocks that a reader has to the blocks that it needs."""

from __future__ import annotations

from rapidfuzz.distance import Prefix

Frame = list[int | str]
"""The index of the first changed block, the length of its unchanged beginning, its new end, and each later block.

The length is in UTF-16 code units, as in browsers. Blocks after the last one named are removed.
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
        # Settled blocks are the same objects, so comparing them is cheap.
        pairs = enumerate(zip(seen, blocks, strict=False))
        start = next((index for index, (old, new) in pairs if old != new), min(len(seen), len(blocks)))
        if start == len(seen) == len(blocks):
            return None
        self._seen = list(blocks)
        if start == len(blocks):
            # Fewer blocks than before: naming the last remaining one drops those behind it.
            return [start - 1, _utf16_length(blocks[start - 1]), ""] if start else [0, 0, ""]
        unchanged = Prefix.similarity(seen[start], blocks[start]) if start < len(seen) else 0
        return [start, _utf16_length(blocks[start][:unchanged]), blocks[start][unchanged:], *blocks[start + 1 :]]


def _utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
