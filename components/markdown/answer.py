"""Renders an answer as blocks of HTML: as Markdown, or verbatim."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Literal

from components.contract.strict_json import holds_too_much
from components.markdown.blocks import MarkdownBlocks

View = Literal["markdown", "plain"]

_PLAIN_BLOCK = 1_000
_LONGEST_INDENTED = 200_000
"""Characters. Indenting nested JSON grows quadratically; longer results are shown unchanged."""
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++')
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class PlainBlocks:
    """The text verbatim: the blocks, joined and unescaped, are the text."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.settled = 0
        """The number of blocks that will not change: all but the last one before the end."""

    def update(self, text: str, *, ended: bool = False) -> None:
        """Set the whole text so far, which begins with the previous one."""
        del self.blocks[self.settled :]
        for start in range(self.settled * _PLAIN_BLOCK, len(text), _PLAIN_BLOCK):
            self.blocks.append(_escaped(text[start : start + _PLAIN_BLOCK]))
        self.settled = len(self.blocks) if ended else max(0, len(self.blocks) - 1)


class AnswerBlocks:
    """An answer's text in one of two views. The Markdown view indents complete JSON."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._inner = MarkdownBlocks() if view == "markdown" else PlainBlocks()
        self._length = 0
        self._ended = False

    @property
    def blocks(self) -> list[str]:
        """The HTML so far."""
        return self._inner.blocks

    def update(self, text: str, *, ended: bool = False) -> None:
        """Set the whole text so far, which begins with the previous one.

        An older text, which a lane with an older record may have, is ignored, and so is any text after the end.
        """
        if self._ended or len(text) < self._length:
            return
        self._length, self._ended = len(text), ended
        if ended and self._view == "markdown" and (pretty := pretty_json(text)) is not None:
            self._inner = MarkdownBlocks()
            text = f"~~~json\n{pretty}\n~~~"
        self._inner.update(text, ended=ended)


def pretty_json(text: str) -> str | None:
    """The text indented if all of it is one JSON object or list, as from JSON mode and tool calls.

    Numbers and keys stay as the model wrote them: parsing would round large numbers and drop repeated keys.
    """
    if not text.lstrip().startswith(("{", "[")) or holds_too_much(text):
        return None
    pieces: list[str] = []
    length = 0
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    for piece in _indented(text):
        pieces.append(piece)
        length += len(piece)
        if length > _LONGEST_INDENTED:
            return None
    return "".join(pieces)


def _indented(text: str) -> Iterator[str]:
    depth = 0
    opened = False
    for sign in _JSON_TOKEN.findall(text):
        closes = sign in ("}", "]")
        depth -= closes
        if opened is not closes and (opened or closes):
            yield "\n" + "  " * depth
        if sign.startswith('"'):
            sign = _SURROGATE.sub("\ufffd", json.dumps(json.loads(sign), ensure_ascii=False))
        yield sign
        opened = sign in ("{", "[")
        depth += opened
        if sign == ",":
            yield "\n" + "  " * depth
        elif sign == ":":
            yield " "


def _escaped(text: str) -> str:
    # A browser would read a bare carriage return as a new line.
    return html.escape(text, quote=False).replace("\r", "&#13;")
