"""Cuts a growing Markdown text into blocks that will not change any more and an open tail."""

from __future__ import annotations

import re

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


class SettledText:
    """Splits at blank lines outside code fences. Feed it the whole text so far; it reads only what is new.

    Settled blocks are gathered into pieces of at least ``piece_size`` characters, so that a long text is few pieces.
    """

    def __init__(self, piece_size: int = 1500) -> None:
        self.pieces: list[str] = []
        """Settled text, each piece final. Joined and followed by ``tail`` they are the whole text."""
        self.tail = ""
        self._piece_size = piece_size
        self._read = 0
        self._settled = 0
        self._fence: str | None = None

    def update(self, text: str) -> None:
        """Take in the text so far, which begins with what it was before."""
        while (end := text.find("\n", self._read)) >= 0:
            self._take_line(text, self._read, end)
            self._read = end + 1
        self.tail = text[self._settled :]

    def _take_line(self, text: str, start: int, end: int) -> None:
        line = text[start:end]
        fence = _FENCE.match(line)
        if self._fence:
            # CommonMark 4.5: a fence ends with at least as many of the same character, and nothing after them.
            if fence and fence[1].startswith(self._fence) and not line[fence.end() :].strip():
                self._fence = None
        elif fence:
            self._fence = fence[1]
        elif not line.strip() and end + 1 > self._settled:
            self._settle(text[self._settled : end + 1], end + 1)

    def _settle(self, block: str, end: int) -> None:
        if self.pieces and len(self.pieces[-1]) < self._piece_size:
            self.pieces[-1] += block
        else:
            self.pieces.append(block)
        self._settled = end
