"""What a paste says: plain values, and what was left out on the way to them."""

from __future__ import annotations

import json
import math
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from components.contract.strict_json import read_json
from components.snippets import sentences
from components.snippets.credentials import is_for_the_call
from components.snippets.problem import ImportProblem

LOOP_NOT_FOLLOWED = "What the code adds to a list in a loop was left out."
ADDED_UNWRITTEN = "What the code adds to a list without writing it out was left out."

# No more digits than Python turns into text and back.
_MOST_BITS = 14_000
_MOST_LEFT_OUT = 5
_MOST_OF_A_NAME = 40
_NEEDED = ("model", "messages", "prompt", "input", "extra_body")


@dataclass(frozen=True)
class Found:
    """What a text says, before anybody asks whether it is a request, and sentences about what was left out.

    ``credentials`` are names of those that stood beside it and were not taken.
    ``fills_in`` says that None in a message stands for nothing at all, as with the mistralai client.
    """

    fields: Any
    notes: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    fills_in: bool = False


class BrokenJson(ImportProblem):
    """Text that is not JSON."""


def read_body(text: str) -> Any:
    """The value of JSON. Raises ImportProblem: BrokenJson for what is none, and for what is refused."""
    try:
        return read_json(text)
    except json.JSONDecodeError as error:
        raise BrokenJson(sentences.JSON_BROKEN.format(line=error.lineno, column=error.colno)) from None
    except ValueError as error:
        raise ImportProblem(sentences.JSON_UNUSABLE.format(error=error)) from None


class Unwritten:
    """Stands for a value that is not written out in the code."""


UNWRITTEN = Unwritten()


class Template(str):
    """A text with the names of values in it that are not written out in the code."""

    __slots__ = ()


class Budget:
    """What the values of one paste may hold in all, and the doubts about some of them.

    Names make it possible to write a very large value in few words: what a text may hold goes by its length.
    """

    def __init__(self, text: str) -> None:
        self._left = 2_000 + 8 * len(text)
        self._doubted: dict[int, tuple[object, str]] = {}
        self.notes: dict[str, None] = {}

    def spend(self, amount: int) -> None:
        """Count so many characters or items. Raises ImportProblem when they are too many."""
        self._left -= amount
        if self._left < 0:
            raise ImportProblem(sentences.VALUES_TOO_LARGE)

    def doubt(self, value: object, note: str) -> None:
        """Say ``note`` when this very value becomes part of a request."""
        self._doubted[id(value)] = (value, note)

    def joined(self, texts: list[str]) -> str:
        """One text of several."""
        self.spend(sum(map(len, texts)))
        made = "".join(texts)
        return Template(made) if any(isinstance(text, Template) for text in texts) else made

    def sum(self, left: Any, right: Any) -> Any:
        """``left + right`` of two texts or two lists."""
        if isinstance(left, str) and isinstance(right, str):
            return self.joined([left, right])
        if isinstance(left, list) and isinstance(right, list):
            self.spend(len(left) + len(right))
            return left + right
        return UNWRITTEN

    def extend(self, held: list[Any], values: Any, place: int | None = None) -> None:
        """Add ``values`` to a list, or doubt it when they are not written out."""
        if not isinstance(values, list) or not self.is_plain(values):
            self.doubt(held, ADDED_UNWRITTEN)
            return
        self.spend(len(values))
        place = len(held) if place is None else place
        held[place:place] = values

    def plain(self, value: object) -> Any:
        """``value`` as JSON has it, with lists for tuples. Raises ValueError for what is not written out or no JSON."""
        self.spend(1 + (len(value) if isinstance(value, str) else 0))
        if id(value) in self._doubted:
            self.notes[self._doubted[id(value)][1]] = None
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
        if isinstance(value, int) and value.bit_length() <= _MOST_BITS:
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        raise ValueError

    def is_plain(self, value: object) -> bool:
        """Whether all of ``value`` is written out."""
        noted = dict(self.notes)
        try:
            self.plain(value)
        except ValueError:
            return False
        finally:
            self.notes = noted
        return True

    def request(self, values: Mapping[str, object], *, fills_in: bool = False) -> Found:
        """The request that these keys and values say; those that are not written out are left out with a note.

        Raises ImportProblem when there is no request without them.
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
                if is_for_the_call(name):
                    credentials.append(name)
                elif len(notes) < _MOST_LEFT_OUT:
                    said = name[:_MOST_OF_A_NAME]
                    notes.append(f"{said} was left out: its value is not written out in the code.")
        return Found(fields, (*notes, *self.notes), tuple(credentials), fills_in)


def with_pairs_joined(text: str) -> str:
    """``text`` with one character for two halves of a surrogate pair that meet."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def request_in(value: object) -> dict[str, Any] | None:
    """The object with messages, or with a model and a prompt, that ``value`` is or holds as JSON, else None."""
    if isinstance(value, str) and value.lstrip().startswith("{") and '"messages"' in value.replace("\\", ""):
        # Windows takes the backslashes away that stand before quotes.
        for text in (value, value.replace('\\"', '"')):
            try:
                value = read_json(text)
                break
            except ValueError:
                continue
    return value if isinstance(value, dict) and names_a_request(value) else None


def names_a_request(names: Container[str]) -> bool:
    """Whether keys or arguments of these names say a request; ``contract_messages`` makes messages of a prompt."""
    return "messages" in names or ("model" in names and ("prompt" in names or "input" in names))
