"""Cuts a growing Markdown text into pieces that will not change any more and an open end."""

from __future__ import annotations

import re

_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
# What continues a list or stands inside one: cut off from it, it would be numbered or indented anew.
_BELONGS_TO_LIST = re.compile(r"\s|[-*+] |\d{1,9}[.)] ")


class SettledText:
    """Cuts between blocks, outside code fences and lists. Feed it the whole text so far; it reads only what is new.

    A cut is made once at least ``piece_size`` characters stand before it, so that a long text is few pieces.
    """

    def __init__(self, piece_size: int = 500) -> None:
        self.pieces: list[str] = []
        """Settled text, each piece final. Joined and followed by ``open_end`` they are the whole text."""
        self.open_end = ""
        self._piece_size = piece_size
        self._read = 0
        self._settled = 0
        self._fence: str | None = None
        self._after_blank_line = False

    def update(self, text: str) -> None:
        """Take in the text so far, which begins with what it was before."""
        while (end := text.find("\n", self._read)) >= 0:
            self._take_line(text, self._read, end)
            self._read = end + 1
        self.open_end = text[self._settled :]

    def _take_line(self, text: str, start: int, end: int) -> None:
        line = text[start:end]
        begins_block = self._after_blank_line and line.strip() and not _BELONGS_TO_LIST.match(line)
        if begins_block and not self._fence and start - self._settled >= self._piece_size:
            self.pieces.append(text[self._settled : start])
            self._settled = start
        fence = _FENCE.match(line)
        if self._fence:
            # CommonMark 4.5: a fence ends with at least as many of the same character, and nothing after them.
            if fence and fence[1].startswith(self._fence) and not line[fence.end() :].strip():
                self._fence = None
        elif fence:
            self._fence = fence[1]
        self._after_blank_line = not line.strip()
