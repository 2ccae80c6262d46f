"""Joins the pieces in which calls of tools arrive. Their text is kept as it came and never acted on."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence

from components.streaming.guard import SafeText, safe_text
from components.streaming.masking import Mask, MaskedText
from components.streaming.outcome import ToolCall

# A place in a list; one beyond any real number of calls counts as none.
_MAX_CALLS = 128
_MAX_NAME = 200


class _Call:
    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments = io.StringIO()
        self.safe = SafeText()


class ToolCalls:
    """The calls of one choice. It is true once a piece has come. What it tells is without the key of ``mask``."""

    def __init__(self, mask: Mask | None = None) -> None:
        self._mask = mask
        self._calls: dict[int, _Call] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, pieces: Sequence[object]) -> int:
        """Take pieces in; how many characters they added.

        A piece says by its ``index`` which call it belongs to. Without one its place in the list counts.
        """
        size = 0
        for place, piece in enumerate(pieces):
            if not isinstance(piece, Mapping):
                continue
            index = piece.get("index")
            if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < _MAX_CALLS:
                index = min(place, _MAX_CALLS - 1)
            call = self._calls.setdefault(index, _Call())
            function = piece.get("function")
            function = function if isinstance(function, Mapping) else {}
            # Id and name come once; endpoints that repeat them repeat them whole.
            call.id = call.id or _text(piece.get("id"))[:_MAX_NAME]
            call.name = call.name or _text(function.get("name"))[:_MAX_NAME]
            arguments = call.safe.feed(_text(function.get("arguments")))
            call.arguments.write(arguments)
            size += len(arguments)
        return size

    def joined(self) -> tuple[ToolCall, ...]:
        """The calls as far as they came, by index."""
        return tuple(
            ToolCall(*map(self._masked, (safe_text(call.id), safe_text(call.name), call.arguments.getvalue())))
            for _, call in sorted(self._calls.items())
        )

    def _masked(self, text: str) -> str:
        masked = MaskedText(self._mask)
        return masked.feed(text) + masked.flush()


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping | list):
        return ""
    try:  # some endpoints send the arguments as the object itself
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return ""
