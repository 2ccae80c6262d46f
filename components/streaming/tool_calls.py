"""Joins the pieces of tool calls. Their text is kept as received and never executed."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence

from components.contract.chunk import read_index
from components.streaming.guard import SafeText, safe_text
from components.streaming.masking import Mask, MaskedText
from components.streaming.outcome import ToolCall

_MAX_CALLS = 128
_MAX_NAME = 200


class _Call:
    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self._arguments = io.StringIO()
        self._last = ""
        """The last piece of the arguments."""
        self._safe = SafeText()

    def add_name(self, piece: str) -> None:
        """Join a name's pieces; endpoints that repeat a name repeat it whole."""
        if piece != self.name and not (self.name and self._arguments.tell()):
            self.name = (piece if piece.startswith(self.name) else self.name + piece)[:_MAX_NAME]

    def add_arguments(self, piece: str) -> int:
        """Add a piece; returns the number of characters added."""
        self._last = self._safe.feed(piece)
        return self._arguments.write(self._last)

    @property
    def arguments(self) -> str:
        """The joined pieces. If the last piece alone is JSON, it repeats the others and is used alone."""
        joined = self._arguments.getvalue()
        repeats = joined.startswith("{") and _is_json(self._last) and not _is_json(joined)
        return self._last if repeats else joined

    def is_over(self, name: str, arguments: str) -> bool:
        """Whether a piece without an id, but with this name, begins another call."""
        if not name or not self.name or not self._arguments.tell():
            return False
        return name != self.name or (arguments != "" and _is_json(self.arguments))


class ToolCalls:
    """The calls of one choice; true once there is one. All output is without the key of ``mask``."""

    def __init__(self, mask: Mask | None = None) -> None:
        self._mask = mask
        self._calls: list[_Call] = []
        self._by_id: dict[str, _Call] = {}
        self._by_index: dict[int, _Call] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, pieces: Sequence[object]) -> int:
        """Add pieces; returns the number of characters added.

        A new id begins a call; a known id continues its call. A piece without an id continues the call of its index,
        or else the last call.
        """
        size = 0
        continued: list[_Call] = []
        for position, piece in enumerate(pieces):
            if not isinstance(piece, Mapping):
                continue
            content = piece  # some endpoints put the name and the arguments here
            for key in ("custom", "function"):
                content = piece[key] if isinstance(piece.get(key), Mapping) else content
            id_, name = _word(piece.get("id")), _word(content.get("name"))
            # A custom tool takes its input as a text of any kind.
            arguments = _text(content.get("arguments")) or _text(content.get("input"))
            index = read_index(piece.get("index"))
            if index is None and len(pieces) > 1:
                index = position
            call = self._call_of(id_, index, name, arguments)
            if call is None or (name and not id_ and call in continued):  # one list never splits a name
                if not id_ and not name and arguments in ("", "{}"):
                    continue  # a placeholder without a call
                call = self._begin()
            continued.append(call)
            if id_:
                call.id = call.id or id_
                self._by_id[id_] = call
            if index is not None:
                self._by_index[index] = call
            if name:
                call.add_name(name)
            if arguments:
                size += call.add_arguments(arguments)
        return size

    def _call_of(self, id_: str, index: int | None, name: str, arguments: str) -> _Call | None:
        """The call that a piece continues; None for the first of one."""
        at_index = None if index is None else self._by_index.get(index)
        if id_:
            # An id may follow the first piece of its call, and some endpoints give each piece another id.
            continues = at_index and (not at_index.id or (at_index.name and arguments and not name))
            return self._by_id.get(id_) or (at_index if continues else None)
        if at_index is None and name and index is not None:
            return None
        last = self._calls[-1] if self._calls else None
        call = at_index or last
        if call and call is not last and not name and arguments and _is_json(call.arguments):
            call = last  # the index is wrong: that call has all its arguments
        return None if call is None or call.is_over(name, arguments) else call

    def _begin(self) -> _Call:
        if len(self._calls) == _MAX_CALLS:  # beyond any real number of calls
            return self._calls[-1]
        self._calls.append(_Call())
        return self._calls[-1]

    def joined(self) -> tuple[ToolCall, ...]:
        """The calls so far, in the order in which they began."""
        return tuple(
            ToolCall(*map(self._masked, (safe_text(call.id), safe_text(call.name), call.arguments)))
            for call in self._calls
        )

    def _masked(self, text: str) -> str:
        masked = MaskedText(self._mask)
        return masked.feed(text) + masked.flush()


def _word(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < _MAX_NAME:
        return str(value)
    return value[:_MAX_NAME] if isinstance(value, str) else ""


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping | list):
        return ""
    try:  # some endpoints send the arguments as the object itself
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return ""


def _is_json(text: str) -> bool:
    if not text.rstrip().endswith("}"):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
