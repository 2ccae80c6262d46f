"""An answer as blocks of HTML, and what a reader who has seen some of them needs next."""

from __future__ import annotations

import html
import json
from typing import Literal, Protocol

from components.contract.strict_json import read_json
from components.live.markdown import MarkdownBlocks
from components.streaming.guard import safe_text

View = Literal["markdown", "plain"]
Frame = list[int | str]
"""First block that changes, how much of it stays, what follows in it, and each later block whole.

How much stays is counted in UTF-16 code units, as browsers count. Blocks behind the last one named are gone.
"""

_PLAIN_BLOCK = 1_000


class Blocks(Protocol):
    """A growing text as HTML that may enter a page."""

    blocks: list[str]
    settled: int
    """How many blocks will not change any more."""

    def update(self, text: str, *, ended: bool = False) -> None:
        """Take in the whole text so far."""


class PlainBlocks:
    """The text as it came, character for character: joined and unescaped, the blocks are the text."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.settled = 0
        self._read = 0

    def update(self, text: str, *, ended: bool = False) -> None:
        """Take in the whole text so far, which begins with what it was before."""
        del self.blocks[self.settled :]
        while len(text) - self._read > (0 if ended else _PLAIN_BLOCK):
            piece = text[self._read : self._read + _PLAIN_BLOCK]
            self.blocks.append(_escaped(piece))
            self._read += len(piece)
            self.settled += 1
        if self._read < len(text):
            self.blocks.append(_escaped(text[self._read :]))


class AnswerBlocks:
    """An answer's text in one of the two views. JSON that is whole is shown indented in the Markdown view."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._inner: Blocks = MarkdownBlocks() if view == "markdown" else PlainBlocks()

    @property
    def blocks(self) -> list[str]:
        """The HTML so far."""
        return self._inner.blocks

    def update(self, text: str, *, ended: bool = False) -> None:
        """Take in the whole text so far, which begins with what it was before."""
        if ended and self._view == "markdown" and (pretty := pretty_json(text)) is not None:
            self._inner = MarkdownBlocks()
            text = f"~~~json\n{pretty}\n~~~"
        self._inner.update(text, ended=ended)


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


def pretty_json(text: str) -> str | None:
    """The text indented, if it is a JSON object or list as a whole, as JSON mode and tool calls give it."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        # Where readers would not agree on what it says, it is shown as it came.
        return safe_text(json.dumps(read_json(text), ensure_ascii=False, indent=2))
    except (ValueError, RecursionError):
        return None


def _escaped(text: str) -> str:
    # A browser would read a bare carriage return as a new line.
    return html.escape(text, quote=False).replace("\r", "&#13;")


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
