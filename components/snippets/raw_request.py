"""The result of parsing a paste, and the limits and notes of evaluating its values."""

from __future__ import annotations

import json
import math
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from components.contract.credentials import is_call_option
from components.contract.strict_json import read_json
from components.snippets import sentences
from components.snippets.problem import ImportProblem

LOOP_NOT_FOLLOWED = "What the code adds to a list in a loop was left out."
ADDED_UNKNOWN = "What the code adds to a list without writing it out was left out."

# Python converts no more digits to text.
_MAX_BITS = 14_000
_MAX_LEFT_OUT = 5
_MAX_NAME_CHARS = 40
_NEEDED = ("model", "messages", "prompt", "input", "extra_body")


@dataclass(frozen=True)
class RawRequest:
    """The fields in a text, not yet validated, and notes on omitted parts.

    ``credentials`` are the names of credentials outside of the fields. ``fills_in``: None in a message means that the
    key is omitted, as with the mistralai client.
    """

    fields: Any
    notes: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    fills_in: bool = False


class BrokenJson(ImportProblem):
    """Invalid JSON."""


def read_body(text: str) -> Any:
    """The value of JSON. Raises BrokenJson for invalid JSON, and ImportProblem for refused values."""
    try:
        return read_json(text)
    except json.JSONDecodeError as error:
        raise BrokenJson(sentences.JSON_BROKEN.format(line=error.lineno, column=error.colno)) from None
    except ValueError as error:
        raise ImportProblem(sentences.JSON_UNUSABLE.format(error=error)) from None


UNKNOWN: Any = object()
"""A value that the code does not contain."""


class Template(str):
    """A text in which names replace unknown values."""

    __slots__ = ()


class Budget:
    """Limits the total size of the values of one paste, and collects notes on incomplete ones.

    Names and sums can build a very large value from little code, so the limit depends on the length of the text.
    """

    def __init__(self, text: str) -> None:
        self._left = 2_000 + 8 * len(text)
        self._incomplete: dict[int, tuple[object, str]] = {}
        self.notes: dict[str, None] = {}

    def spend(self, amount: int) -> None:
        """Count characters or items. Raises ImportProblem beyond the limit."""
        self._left -= amount
        if self._left < 0:
            raise ImportProblem(sentences.VALUES_TOO_LARGE)

    def mark_incomplete(self, value: object, note: str) -> None:
        """Add ``note`` to a request that contains this object."""
        self._incomplete[id(value)] = (value, note)

    def joined(self, texts: list[str]) -> str:
        """The texts joined."""
        self.spend(sum(map(len, texts)))
        result = "".join(texts)
        return Template(result) if any(isinstance(text, Template) for text in texts) else result

    def extend(self, items: list[Any], values: Any, index: int | None = None) -> None:
        """Insert ``values`` into a list, or mark it as incomplete when they are unknown."""
        if not isinstance(values, list) or not self.is_plain(values):
            self.mark_incomplete(items, ADDED_UNKNOWN)
            return
        self.spend(len(values))
        index = len(items) if index is None else index
        items[index:index] = values

    def plain(self, value: object) -> Any:
        """A copy of ``value`` with JSON types. Raises ValueError for unknown values and those beyond JSON."""
        self.spend(1 + (len(value) if isinstance(value, str) else 0))
        if id(value) in self._incomplete:
            self.notes[self._incomplete[id(value)][1]] = None
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                raise ValueError
            return {str(key): self.plain(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.plain(inner) for inner in value]
        if isinstance(value, Template):
            self.notes["Values that are not written out in the code were kept as their names in braces."] = None
            return str(value)
        if value is None or isinstance(value, str | bool):
            return value
        if isinstance(value, int) and value.bit_length() <= _MAX_BITS:
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        raise ValueError

    def is_plain(self, value: object) -> bool:
        """Whether all of ``value`` is known."""
        notes = dict(self.notes)
        try:
            self.plain(value)
        except ValueError:
            return False
        finally:
            self.notes = notes
        return True

    def request(self, values: Mapping[str, object], *, fills_in: bool = False) -> RawRequest:
        """The request with these keys and values. Unknown values are left out with a note.

        Raises ImportProblem when a required value is unknown.
        """
        fields: dict[str, Any] = {}
        credentials: list[str] = []
        notes: list[str] = []
        for name, value in values.items():
            try:
                fields[name] = self.plain(value)
            except (ValueError, RecursionError):
                if name in _NEEDED:
                    raise ImportProblem(sentences.NOT_WRITTEN_OUT.format(name=name)) from None
                if is_call_option(name):
                    credentials.append(name)
                elif len(notes) < _MAX_LEFT_OUT:
                    shown = name[:_MAX_NAME_CHARS]
                    notes.append(f"{shown} was left out: its value is not written out in the code.")
        return RawRequest(fields, (*notes, *self.notes), tuple(credentials), fills_in)


def request_in(value: object) -> dict[str, Any] | None:
    """``value``, or the object in its JSON text, when it has messages or a model and a prompt; else None."""
    if isinstance(value, str) and value.lstrip().startswith("{") and '"messages"' in value.replace("\\", ""):
        # Windows removes backslashes before quotes.
        for text in (value, value.replace('\\"', '"')):
            try:
                value = read_json(text)
                break
            except ValueError:
                continue
    return value if isinstance(value, dict) and has_request_keys(value) else None


def has_request_keys(names: Container[str]) -> bool:
    """Whether these keys or arguments are those of a request; ``with_messages`` converts prompts."""
    return "messages" in names or ("model" in names and ("prompt" in names or "input" in names))
