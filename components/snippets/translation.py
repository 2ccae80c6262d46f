"""Translates tokens into Python's syntax tree, so that ``code.py`` evaluates all languages alike.

Only assignments, calls and the literals in them are translated; a name without a value stands for everything else.
"""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import ClassVar, TypeVar

from components.snippets.found import join_surrogates
from components.snippets.tokens import TEXTS, Group, Item, Token, number, place_after, place_of, text_at

NOTHING_KNOWN = ast.Name("")
"""An expression whose value is unknown."""
_Node = TypeVar("_Node", bound=ast.expr)


class Translation(ABC):
    """A program as statements. Each language has its signs, and translates its statements and string literals."""

    loops: ClassVar[frozenset[str]]
    """The keywords of loops, in lower case."""
    object_opening: ClassVar[str]
    list_opening: ClassVar[str]
    equals: ClassVar[str]
    """The sign between a key and its value."""
    separators: ClassVar[tuple[str, ...]]
    """What ends a value within brackets."""
    gaps: ClassVar[tuple[str, ...]]
    """What may precede a value within brackets."""
    blanks: ClassVar[tuple[str, ...]] = ()
    """Tokens without a meaning within brackets."""
    joins_lists: ClassVar[bool] = False
    """Whether lists within a list are joined."""

    def __init__(self) -> None:
        self._of_group: dict[tuple[int, type[ast.expr]], ast.expr] = {}

    @abstractmethod
    def named(self, items: list[Item], place: int) -> Iterator[ast.stmt]:
        """The statements that begin with the name at ``place``."""

    @abstractmethod
    def is_an_object(self, group: Group) -> bool:
        """Whether a group outside of an expression is an object."""

    @abstractmethod
    def text(self, token: Token) -> ast.expr:
        """A string literal."""

    def statements(self, items: list[Item], *, in_a_loop: bool = False) -> Iterator[ast.stmt]:
        """The statements of a program in order; those within brackets follow the statement with the brackets."""
        for place, item in enumerate(items):
            if isinstance(item, Group):
                if self.is_an_object(item):
                    yield ast.Expr(self.object_in(item))
                repeated = not self.loops.isdisjoint(text_at(items, place - back).lower() for back in (1, 2))
                yield from self.statements(item.items, in_a_loop=in_a_loop or repeated)
            elif item.kind == "name":
                for statement in self.named(items, place):
                    repeated = in_a_loop and _adds(statement)
                    yield ast.For(NOTHING_KNOWN, NOTHING_KNOWN, [statement], []) if repeated else statement
            elif item.kind in TEXTS and item.text.lstrip().startswith("{"):
                yield ast.Expr(self.text(item))

    def expression(self, items: list[Item], place: int) -> tuple[ast.expr, int]:
        """The value at ``place``, which may be a sum, and the place after it."""
        value, place = self.term(items, place)
        while text_at(items, place := place_after(items, place, *self.blanks)) == "+":
            right, place = self.term(items, place + 1)
            value = ast.BinOp(value, ast.Add(), right)
        return value, place

    def term(self, items: list[Item], place: int) -> tuple[ast.expr, int]:
        """An operand, and the place after it."""
        match items[place : place + 1]:
            case [Token(kind="number", text=digits)]:
                return ast.Constant(number(digits.replace("_", ""))), place + 1
            case [Token(kind=kind) as token] if kind in TEXTS:
                return self.text(token), place + 1
            case [Token(text=name)]:
                return ast.Name(name), place + 1
            case [Group(opening=self.object_opening) as group]:
                return self.object_in(group), place + 1
            case [Group(opening=opening) as group]:
                elements = self.elements(group)
                alone = opening != self.list_opening and len(elements) == 1
                value = elements[0] if alone else self._list_in(group)
                return value.value if alone and isinstance(value, ast.Starred) else value, place + 1
        return NOTHING_KNOWN, place

    def elements(self, group: Group) -> list[ast.expr]:
        """The elements of a list, or the arguments of a call."""
        made = self._list_in(group)
        return made.elts if isinstance(made, ast.List) else []

    def _list_in(self, group: Group) -> ast.expr:
        return self._once(group, ast.List([]), self._add_elements)

    def _add_elements(self, items: list[Item], made: ast.List) -> None:
        place = 0
        while (place := place_after(items, place, *self.gaps)) < len(items):
            spread = text_at(items, place) == "..."
            value, place = self._entry(items, *self.expression(items, place + spread))
            made.elts.append(ast.Starred(value) if spread or self.joins_lists else value)

    def object_in(self, group: Group) -> ast.expr:
        """The object in a group."""
        return self._once(group, ast.Dict([], []), self._add_keys)

    def _add_keys(self, items: list[Item], made: ast.Dict) -> None:
        place = 0
        while (place := place_after(items, place, *self.gaps)) < len(items):
            item, begin = items[place], place_after(items, place + 1, *self.blanks)
            key: ast.expr | None = ast.Constant(text_at(items, place))
            if text_at(items, place) == "...":
                key = None
                value, place = self.expression(items, place + 1)
            elif text_at(items, begin) == self.equals:
                value, place = self.keyed(text_at(items, place), items, begin + 1)
            elif self.equals == "=":
                place += 1  # not a key of PowerShell
                continue
            else:
                # A name alone is its own value; methods are skipped.
                alone = text_at(items, begin) in (",", "")
                value, place = ast.Name(text_at(items, place)) if alone else NOTHING_KNOWN, place + 1
            if key and isinstance(item, Token) and item.kind in TEXTS:
                key = self.text(item)
            value, place = self._entry(items, value, place)
            made.keys.append(key)
            made.values.append(value)

    def keyed(self, key: str, items: list[Item], place: int) -> tuple[ast.expr, int]:
        """The value of a key."""
        return self.expression(items, place)

    def whole(self, items: list[Item], value: ast.expr, place: int) -> ast.expr:
        """``value``, or unknown when something other than a separator or a pipe follows it."""
        ends = place >= len(items) or text_at(items, place) in (*self.separators, "|")
        return value if ends else NOTHING_KNOWN

    def _entry(self, items: list[Item], value: ast.expr, place: int) -> tuple[ast.expr, int]:
        """``value`` as in ``whole``, and the place after the next separator."""
        place = place_after(items, place, *self.blanks)
        return self.whole(items, value, place), place_of(items, place, *self.separators) + 1

    def _once(self, group: Group, made: _Node, fill: Callable[[list[Item], _Node], object]) -> ast.expr:
        """The node of a group, made once by ``fill``; later calls return the same node."""
        if not group.closed:
            return NOTHING_KNOWN
        key = (id(group), type(made))
        if key not in self._of_group:
            self._of_group[key] = made
            fill(group.items, made)
        return self._of_group[key]


def literal(text: str, pieces: re.Pattern[str], piece: Callable[[re.Match[str]], str | ast.expr]) -> ast.expr:
    """A string literal in which each match of ``pieces`` stands for a character or an expression."""
    parts: list[ast.expr] = []
    texts: list[str] = []
    end = 0
    for match in pieces.finditer(text):
        texts.append(text[end : match.start()])
        end = match.end()
        made = piece(match)
        if isinstance(made, str):
            texts.append(made)
        else:
            parts += (ast.Constant("".join(texts)), made)
            texts = []
    last = ast.Constant(join_surrogates("".join([*texts, text[end:]])))
    return ast.JoinedStr([*parts, last]) if parts else last


def call(function: str | ast.expr, arguments: list[ast.expr]) -> ast.Call:
    """A call with positional arguments."""
    return ast.Call(ast.Name(function) if isinstance(function, str) else function, arguments, [])


def key_of(held: ast.expr, key: str) -> ast.Subscript:
    """An object's key."""
    return ast.Subscript(held, ast.Constant(key))


def _adds(statement: ast.stmt) -> bool:
    match statement:
        case ast.AugAssign() | ast.Expr(value=ast.Call(func=ast.Attribute(attr="add" | "push"))):
            return True
    return False
