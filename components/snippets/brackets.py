"""A program's text as a tree of its brackets, whatever stands between them, and the request in such a program.

JavaScript and PowerShell are read this way: their values are followed, and all else is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar, cast

from components.snippets import sentences
from components.snippets.credentials import names_a_credential
from components.snippets.first_request import FirstRequest
from components.snippets.found import (
    LOOP_NOT_FOLLOWED,
    UNWRITTEN,
    Budget,
    Found,
    Template,
    Unwritten,
    request_in,
    with_pairs_joined,
)
from components.snippets.problem import ImportProblem

_MOST_TOKENS = 200_000
_MOST_LEVELS = 100
_CLOSES = {"}": "{", "]": "[", ")": "("}
_MOST_OF_A_NAME = 60
TEXTS = ("double", "single", "template", "here", "here_double")
"""The kinds of tokens that are texts."""
_ADDS = re.compile(r"(?:^|\.)(?:add|append|set|setHeader|setRequestHeader)$", re.IGNORECASE)
# What may stand at ``credentials`` of a fetch.
_NO_SECRETS = ("", "include", "omit", "same-origin")
_HEADER = re.compile(r"\s*([\w-]{1,40}):")


@dataclass
class Token:
    """A name, a text, a number, a sign or the end of a line."""

    kind: str
    said: str


@dataclass
class Group:
    """What stands in brackets; ``opening`` is the bracket, with the sign before it that belongs to it."""

    opening: str
    items: list[Token | Group] = field(default_factory=list)
    closed: bool = False


Item = Token | Group
_T = TypeVar("_T")


def tree(text: str, pattern: re.Pattern[str]) -> list[Item]:
    """The items of a text; the groups of ``pattern`` are the kinds of its tokens, ``open`` and ``close`` of brackets.

    Raises ImportProblem for more tokens or levels than any program has.
    """
    root = Group("")
    within = [root]
    for count, match in enumerate(pattern.finditer(text)):
        kind = match.lastgroup
        if count > _MOST_TOKENS:
            raise ImportProblem(sentences.TOO_MANY_WORDS)
        if kind == "open":
            group = Group(match["open"])
            within[-1].items.append(group)
            within.append(group)
            if len(within) > _MOST_LEVELS:
                raise ImportProblem(sentences.NESTS_TOO_DEEPLY)
        elif kind == "close":
            # A bracket that closes another than the last is one of prose.
            if within[-1].opening[-1:] == _CLOSES[match["close"]]:
                within.pop().closed = True
            else:
                within[-1].items.append(Token("sign", match["close"]))
        elif kind is not None:
            within[-1].items.append(Token(kind, match[kind]))
    return root.items


class Program(FirstRequest):
    """The values of a program, as it is read from top to bottom, and the first request in it.

    Each language says what its names, objects and texts are.
    """

    constants: ClassVar[Mapping[str, Any]]
    loops: frozenset[str]
    """The words, in lower case, before what is done more than once."""

    def __init__(self, text: str) -> None:
        super().__init__(Budget(text))
        self.names: dict[str, Any] = dict(self.constants)
        self._known: dict[int, Any] = {}
        self._texts: list[str] = []

    def name(self, items: list[Item], place: int, *, in_a_loop: bool) -> None:
        """Follow what is done with the name at a place."""
        raise NotImplementedError

    def object(self, group: Group) -> Any:
        """The object that is in brackets."""
        raise NotImplementedError

    def is_an_object(self, group: Group) -> bool:
        """Whether brackets where no value is expected hold an object."""
        raise NotImplementedError

    def text(self, token: Token) -> str:
        """The value of a text token."""
        raise NotImplementedError

    def request(self, items: list[Item]) -> Found | None:
        """The first request in a program, with the credentials that stand beside it. Raises as ``found`` does."""
        found = self.found(lambda: self._read(items))
        return found and replace(found, credentials=(*found.credentials, *_credentials_beside(items, found.fields)))

    def _read(self, items: list[Item]) -> None:
        try:
            self._run(items)
        finally:
            if not self.is_found:
                self.objects += filter(None, map(request_in, self._texts))

    def _run(self, items: list[Item], *, in_a_loop: bool = False) -> None:
        """Follow what stands in a row, and what stands in its brackets after it."""
        for place, item in enumerate(items):
            if isinstance(item, Group):
                before = items[max(place - 2, 0) : place]
                if self.is_an_object(item):
                    self.object(item)
                self._run(item.items, in_a_loop=in_a_loop or any(said(one).lower() in self.loops for one in before))
            elif item.kind == "name":
                self.name(items, place, in_a_loop=in_a_loop)
            elif item.kind in TEXTS and item.said.lstrip().startswith("{"):
                self._texts.append(self.text(item))

    def once(self, group: Group, made: _T, fill: Callable[[list[Item], _T], None]) -> _T | Unwritten:
        """The value in brackets, filled with their items; it is one and the same, however often it is asked for."""
        if not group.closed:
            return UNWRITTEN
        if id(group) not in self._known:
            self._known[id(group)] = made
            fill(group.items, made)
        return cast("_T", self._known[id(group)])

    def replaced(self, text: str, pieces: re.Pattern[str], piece: Callable[[re.Match[str]], str]) -> str:
        """``text`` with what stands for each of the pieces that the pattern finds in it."""
        texts: list[str] = []
        end = 0
        for match in pieces.finditer(text):
            texts += (text[end : match.start()], piece(match))
            end = match.end()
        made = self.budget.joined([*texts, text[end:]])
        return made if isinstance(made, Template) else with_pairs_joined(made)

    def extend(self, held: Any, values: Any, *, in_a_loop: bool) -> None:
        """Add ``values`` to a list, or doubt it when they are not known."""
        if isinstance(held, list) and in_a_loop:
            self.budget.doubt(held, LOOP_NOT_FOLLOWED)
        elif isinstance(held, list):
            self.budget.extend(held, values)


def _credentials_beside(items: list[Item], fields: Mapping[str, object]) -> tuple[str, ...]:
    """The names under which a program holds texts that are credentials, beside the fields of its request."""
    return tuple(dict.fromkeys(name for name in _credentials(items) if name not in fields))


def _credentials(items: list[Item]) -> Iterator[str]:
    for place, item in enumerate(items):
        if isinstance(item, Group):
            yield from _credentials(item.items)
            continue
        after = items[place + 1 : place + 3]
        if item.said in ("-H", "--header") and after and (header := _HEADER.match(said(after[0]))):
            yield from filter(names_a_credential, [header[1]])
        match after:
            case [Group(items=[Token(kind=kind, said=text), *_]), *_] if kind in TEXTS and _ADDS.search(item.said):
                yield from filter(names_a_credential, [text[:_MOST_OF_A_NAME]])
        if item.kind not in ("name", *TEXTS) or not names_a_credential(item.said[-_MOST_OF_A_NAME:]):
            continue
        name = item.said[-_MOST_OF_A_NAME:].rpartition(".")[2].lstrip("$")
        match after:
            case [Token(said=":" | "="), Token(kind=kind, said=text)] if kind in TEXTS and text not in _NO_SECRETS:
                yield name
            case [Group(items=[Token(kind=kind), *_]), *_] if kind in TEXTS:
                yield name


def said(item: Item) -> str:
    """What a token says; nothing for a group."""
    return item.said if isinstance(item, Token) else ""


def said_at(items: list[Item], place: int) -> str:
    """What the token at a place says; nothing for a group, and past the end."""
    return said(items[place]) if 0 <= place < len(items) else ""


def number(digits: str) -> Any:
    """The number that is written in digits."""
    try:
        if digits.lstrip("-").isdigit():
            return int(digits)
        return int(digits, 0) if digits[:2] in ("0x", "0X") else float(digits)
    except ValueError:  # more digits than Python reads
        return UNWRITTEN
