"""Parses a program into tokens and nested brackets, and finds the request in it.

The readers of JavaScript and PowerShell share it. They evaluate assignments and literals and skip everything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar, cast

from components.contract.credentials import is_credential_name
from components.snippets import sentences
from components.snippets.first_request import FirstRequest
from components.snippets.found import (
    LOOP_NOT_FOLLOWED,
    UNKNOWN,
    Budget,
    Found,
    Template,
    Unknown,
    join_surrogates,
    request_in,
)
from components.snippets.problem import ImportProblem

_MOST_TOKENS = 200_000
_MOST_LEVELS = 100
_CLOSES = {"}": "{", "]": "[", ")": "("}
_MOST_OF_A_NAME = 60
TEXTS = ("double", "single", "template", "here", "here_double")
"""The kinds of tokens that are string literals."""
_ADDS = re.compile(r"(?:^|\.)(?:add|append|set|setHeader|setRequestHeader)$", re.IGNORECASE)
# The values of ``credentials`` in a fetch.
_NO_SECRETS = ("", "include", "omit", "same-origin")
_HEADER = re.compile(r"\s*([\w-]{1,40}):")


@dataclass
class Token:
    """A name, a string literal, a number, an operator or the end of a line."""

    kind: str
    text: str


@dataclass
class Group:
    """A pair of brackets with its content. ``opening`` is the bracket with its prefix, such as ``@{``."""

    opening: str
    items: list[Token | Group] = field(default_factory=list)
    closed: bool = False


Item = Token | Group
_T = TypeVar("_T")


def tree(text: str, pattern: re.Pattern[str]) -> list[Item]:
    """The tokens and groups of a text. The groups of ``pattern`` name the kinds; ``open`` and ``close`` are brackets.

    Raises ImportProblem for too many tokens or levels.
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
            # A closing bracket without its opening one is prose.
            if within[-1].opening[-1:] == _CLOSES[match["close"]]:
                within.pop().closed = True
            else:
                within[-1].items.append(Token("sign", match["close"]))
        elif kind is not None:
            within[-1].items.append(Token(kind, match[kind]))
    return root.items


class Program(FirstRequest):
    """Evaluates a program from top to bottom. Each language implements names, objects and string literals."""

    constants: ClassVar[Mapping[str, Any]]
    loops: frozenset[str]
    """The keywords of loops, in lower case."""

    def __init__(self, text: str) -> None:
        super().__init__(Budget(text))
        self.names: dict[str, Any] = dict(self.constants)
        self._known: dict[int, Any] = {}
        self._texts: list[str] = []

    def name(self, items: list[Item], place: int, *, in_a_loop: bool) -> None:
        """Evaluate the assignment or call that begins with the name at ``place``."""
        raise NotImplementedError

    def object(self, group: Group) -> Any:
        """The object in a group."""
        raise NotImplementedError

    def is_an_object(self, group: Group) -> bool:
        """Whether a group outside of an expression is an object."""
        raise NotImplementedError

    def text(self, token: Token) -> str:
        """The value of a string literal."""
        raise NotImplementedError

    def request(self, items: list[Item]) -> Found | None:
        """The first request, with the names of credentials elsewhere in the program. Raises as ``found`` does."""
        found = self.found(lambda: self._read(items))
        return found and replace(found, credentials=(*found.credentials, *_credentials_beside(items, found.fields)))

    def _read(self, items: list[Item]) -> None:
        try:
            self._run(items)
        finally:
            if not self.is_found:
                self.objects += filter(None, map(request_in, self._texts))

    def _run(self, items: list[Item], *, in_a_loop: bool = False) -> None:
        """Evaluate items in order, and the content of each group after the group."""
        for place, item in enumerate(items):
            if isinstance(item, Group):
                before = items[max(place - 2, 0) : place]
                if self.is_an_object(item):
                    self.object(item)
                self._run(item.items, in_a_loop=in_a_loop or any(text_of(one).lower() in self.loops for one in before))
            elif item.kind == "name":
                self.name(items, place, in_a_loop=in_a_loop)
            elif item.kind in TEXTS and item.text.lstrip().startswith("{"):
                self._texts.append(self.text(item))

    def once(self, group: Group, made: _T, fill: Callable[[list[Item], _T], None]) -> _T | Unknown:
        """The value of a group, made once by ``fill``; later calls return the same object."""
        if not group.closed:
            return UNKNOWN
        if id(group) not in self._known:
            self._known[id(group)] = made
            fill(group.items, made)
        return cast("_T", self._known[id(group)])

    def replaced(self, text: str, pieces: re.Pattern[str], piece: Callable[[re.Match[str]], str]) -> str:
        """``text`` with each match of ``pieces`` replaced."""
        texts: list[str] = []
        end = 0
        for match in pieces.finditer(text):
            texts += (text[end : match.start()], piece(match))
            end = match.end()
        made = self.budget.joined([*texts, text[end:]])
        return made if isinstance(made, Template) else join_surrogates(made)

    def extend(self, held: Any, values: Any, *, in_a_loop: bool) -> None:
        """Add ``values`` to a list, or mark it as incomplete when they are unknown."""
        if isinstance(held, list) and in_a_loop:
            self.budget.mark_incomplete(held, LOOP_NOT_FOLLOWED)
        elif isinstance(held, list):
            self.budget.extend(held, values)


def _credentials_beside(items: list[Item], fields: Mapping[str, object]) -> tuple[str, ...]:
    """The names of credentials in a program, except for fields of its request."""
    return tuple(dict.fromkeys(name for name in _credentials(items) if name not in fields))


def _credentials(items: list[Item]) -> Iterator[str]:
    for place, item in enumerate(items):
        if isinstance(item, Group):
            yield from _credentials(item.items)
            continue
        after = items[place + 1 : place + 3]
        if item.text in ("-H", "--header") and after and (header := _HEADER.match(text_of(after[0]))):
            yield from filter(is_credential_name, [header[1]])
        match after:
            case [Group(items=[Token(kind=kind, text=text), *_]), *_] if kind in TEXTS and _ADDS.search(item.text):
                yield from filter(is_credential_name, [text[:_MOST_OF_A_NAME]])
        if item.kind not in ("name", *TEXTS) or not is_credential_name(item.text[-_MOST_OF_A_NAME:]):
            continue
        name = item.text[-_MOST_OF_A_NAME:].rpartition(".")[2].lstrip("$")
        match after:
            case [Token(text=":" | "="), Token(kind=kind, text=text)] if kind in TEXTS and text not in _NO_SECRETS:
                yield name
            case [Group(items=[Token(kind=kind), *_]), *_] if kind in TEXTS:
                yield name


def text_of(item: Item) -> str:
    """The text of a token, empty for a group."""
    return item.text if isinstance(item, Token) else ""


def text_at(items: list[Item], place: int) -> str:
    """The text of the token at ``place``, empty for a group and beyond the end."""
    return text_of(items[place]) if 0 <= place < len(items) else ""


def number(digits: str) -> Any:
    """The number in a literal."""
    try:
        if digits.lstrip("-").isdigit():
            return int(digits)
        return int(digits, 0) if digits[:2] in ("0x", "0X") else float(digits)
    except ValueError:  # more digits than Python parses
        return UNKNOWN
