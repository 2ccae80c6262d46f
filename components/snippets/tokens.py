"""Splits a program into tokens and nested brackets, for the languages that Python's parser does not read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from components.contract.credentials import is_credential_name
from components.snippets import sentences
from components.snippets.problem import ImportProblem
from components.snippets.raw_request import UNKNOWN

_MAX_TOKENS = 200_000
_MAX_LEVELS = 100
_CLOSES = {"}": "{", "]": "[", ")": "("}
_MAX_NAME_CHARS = 60
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


def tree(text: str, pattern: re.Pattern[str]) -> list[Item]:
    """The tokens and groups of a text. The groups of ``pattern`` name the kinds; ``open`` and ``close`` are brackets.

    Raises ImportProblem for too many tokens or levels.
    """
    root = Group("")
    open_groups = [root]
    for count, match in enumerate(pattern.finditer(text)):
        kind = match.lastgroup
        if count > _MAX_TOKENS:
            raise ImportProblem(sentences.TOO_MANY_WORDS)
        if kind == "open":
            group = Group(match["open"])
            open_groups[-1].items.append(group)
            open_groups.append(group)
            if len(open_groups) > _MAX_LEVELS:
                raise ImportProblem(sentences.NESTS_TOO_DEEPLY)
        elif kind == "close":
            # A closing bracket without its opening one is prose.
            if open_groups[-1].opening[-1:] == _CLOSES[match["close"]]:
                open_groups.pop().closed = True
            else:
                open_groups[-1].items.append(Token("sign", match["close"]))
        elif kind is not None:
            open_groups[-1].items.append(Token(kind, match[kind]))
    return root.items


def text_at(items: list[Item], index: int) -> str:
    """The text of the token at ``index``, empty for a group and beyond the end."""
    item = items[index] if 0 <= index < len(items) else None
    return item.text if isinstance(item, Token) else ""


def index_after(items: list[Item], index: int, *texts: str) -> int:
    """The first index from ``index`` on with another token than ``texts``."""
    while text_at(items, index) in texts:
        index += 1
    return index


def index_of(items: list[Item], index: int, *texts: str) -> int:
    """The first index from ``index`` on with one of ``texts``, or the end."""
    while index < len(items) and text_at(items, index) not in texts:
        index += 1
    return index


def number(digits: str) -> Any:
    """The number in a literal."""
    try:
        if digits.lstrip("-").isdigit():
            return int(digits)
        return int(digits, 0) if digits[:2] in ("0x", "0X") else float(digits)
    except ValueError:  # more digits than Python parses
        return UNKNOWN


def credentials_in(items: list[Item]) -> Iterator[str]:
    """The names of the credentials that a program holds as string literals."""
    for index, item in enumerate(items):
        if isinstance(item, Group):
            yield from credentials_in(item.items)
            continue
        after = items[index + 1 : index + 3]
        if item.text in ("-H", "--header") and (header := _HEADER.match(text_at(after, 0))):
            yield from filter(is_credential_name, [header[1]])
        match after:
            case [Group(items=[Token(kind=kind, text=text), *_]), *_] if kind in TEXTS and _ADDS.search(item.text):
                yield from filter(is_credential_name, [text[:_MAX_NAME_CHARS]])
        if item.kind not in ("name", *TEXTS) or not is_credential_name(item.text[-_MAX_NAME_CHARS:]):
            continue
        name = item.text[-_MAX_NAME_CHARS:].rpartition(".")[2].lstrip("$")
        match after:
            case [Token(text=":" | "="), Token(kind=kind, text=text)] if kind in TEXTS and text not in _NO_SECRETS:
                yield name
            case [Group(items=[Token(kind=kind), *_]), *_] if kind in TEXTS:
                yield name
