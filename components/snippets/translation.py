"""Translates tokens into Python's syntax tree, so that ``code.py`` evaluates all languages in the same way.

Only assignments, calls and the literals in them are translated; a name without a value stands for everything else.
"""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import ClassVar, TypeVar

from components.snippets.tokens import TEXTS, Group, Item, Token, index_after, index_of, number, text_at

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
    """The tokens that end a value within brackets."""
    gaps: ClassVar[tuple[str, ...]]
    """The tokens that may precede a value within brackets."""
    blanks: ClassVar[tuple[str, ...]] = ()
    """Tokens without a meaning within brackets."""
    joins_lists: ClassVar[bool] = False
    """Whether lists within a list are joined."""

    def __init__(self) -> None:
        self._of_group: dict[tuple[int, type[ast.expr]], ast.expr] = {}

    @abstractmethod
    def named(self, items: list[Item], index: int) -> Iterator[ast.stmt]:
        """The statements that begin with the name at ``index``."""

    @abstractmethod
    def is_an_object(self, group: Group) -> bool:
        """Whether a group outside of an expression is an object."""

    @abstractmethod
    def text(self, token: Token) -> ast.expr:
        """A string literal."""

    def statements(self, items: list[Item], *, in_a_loop: bool = False) -> Iterator[ast.stmt]:
        """The statements of a program in order; those within brackets follow the statement with the brackets."""
        for index, item in enumerate(items):
            if isinstance(item, Group):
                if self.is_an_object(item):
                    yield ast.Expr(self.object_in(item))
                repeated = not self.loops.isdisjoint(text_at(items, index - back).lower() for back in (1, 2))
                yield from self.statements(item.items, in_a_loop=in_a_loop or repeated)
            elif item.kind == "name":
                for statement in self.named(items, index):
                    repeated = in_a_loop and _adds(statement)
                    yield ast.For(NOTHING_KNOWN, NOTHING_KNOWN, [statement], []) if repeated else statement
            elif item.kind in TEXTS and item.text.lstrip().startswith("{"):
                yield ast.Expr(self.text(item))

    def expression(self, items: list[Item], index: int) -> tuple[ast.expr, int]:
        """The value at ``index``, which may be a sum, and the index after it."""
        value, index = self.term(items, index)
        while text_at(items, index := index_after(items, index, *self.blanks)) == "+":
            right, index = self.term(items, index + 1)
            value = ast.BinOp(value, ast.Add(), right)
        return value, index

    def term(self, items: list[Item], index: int) -> tuple[ast.expr, int]:
        """An operand, and the index after it."""
        match items[index : index + 1]:
            case [Token(kind="number", text=digits)]:
                return ast.Constant(number(digits.replace("_", ""))), index + 1
            case [Token(kind=kind) as token] if kind in TEXTS:
                return self.text(token), index + 1
            case [Token(text=name)]:
                return ast.Name(name), index + 1
            case [Group(opening=self.object_opening) as group]:
                return self.object_in(group), index + 1
            case [Group(opening=opening) as group]:
                elements = self.elements(group)
                alone = opening != self.list_opening and len(elements) == 1
                value = elements[0] if alone else self._list_in(group)
                return value.value if alone and isinstance(value, ast.Starred) else value, index + 1
        return NOTHING_KNOWN, index

    def elements(self, group: Group) -> list[ast.expr]:
        """The elements of a list, or the arguments of a call."""
        node = self._list_in(group)
        return node.elts if isinstance(node, ast.List) else []

    def _list_in(self, group: Group) -> ast.expr:
        return self._node_of(group, ast.List([]), self._add_elements)

    def _add_elements(self, items: list[Item], node: ast.List) -> None:
        index = 0
        while (index := index_after(items, index, *self.gaps)) < len(items):
            spread = text_at(items, index) == "..."
            value, index = self._entry(items, *self.expression(items, index + spread))
            node.elts.append(ast.Starred(value) if spread or self.joins_lists else value)

    def object_in(self, group: Group) -> ast.expr:
        """The object in a group."""
        return self._node_of(group, ast.Dict([], []), self._add_keys)

    def _add_keys(self, items: list[Item], node: ast.Dict) -> None:
        index = 0
        while (index := index_after(items, index, *self.gaps)) < len(items):
            item, begin = items[index], index_after(items, index + 1, *self.blanks)
            key: ast.expr | None = ast.Constant(text_at(items, index))
            if text_at(items, index) == "...":
                key = None
                value, index = self.expression(items, index + 1)
            elif text_at(items, begin) == self.equals:
                value, index = self.keyed(text_at(items, index), items, begin + 1)
            elif self.equals == "=":
                index += 1  # not a key of PowerShell
                continue
            else:
                # A name alone is its own value; methods are skipped.
                alone = text_at(items, begin) in (",", "")
                value, index = ast.Name(text_at(items, index)) if alone else NOTHING_KNOWN, index + 1
            if key and isinstance(item, Token) and item.kind in TEXTS:
                key = self.text(item)
            value, index = self._entry(items, value, index)
            node.keys.append(key)
            node.values.append(value)

    def keyed(self, key: str, items: list[Item], index: int) -> tuple[ast.expr, int]:
        """The value of a key."""
        return self.expression(items, index)

    def whole(self, items: list[Item], value: ast.expr, index: int) -> ast.expr:
        """``value``, or unknown when something other than a separator or a pipe follows it."""
        ends = index >= len(items) or text_at(items, index) in (*self.separators, "|")
        return value if ends else NOTHING_KNOWN

    def _entry(self, items: list[Item], value: ast.expr, index: int) -> tuple[ast.expr, int]:
        """``value`` as in ``whole``, and the index after the next separator."""
        index = index_after(items, index, *self.blanks)
        return self.whole(items, value, index), index_of(items, index, *self.separators) + 1

    def _node_of(self, group: Group, node: _Node, fill: Callable[[list[Item], _Node], object]) -> ast.expr:
        """The node of a group, made once by ``fill``; later calls return the same node."""
        if not group.closed:
            return NOTHING_KNOWN
        key = (id(group), type(node))
        if key not in self._of_group:
            self._of_group[key] = node
            fill(group.items, node)
        return self._of_group[key]


def literal(text: str, pieces: re.Pattern[str], piece: Callable[[re.Match[str]], str | ast.expr]) -> ast.expr:
    """A string literal in which each match of ``pieces`` stands for a character or an expression."""
    parts: list[ast.expr] = []
    texts: list[str] = []
    end = 0
    for match in pieces.finditer(text):
        texts.append(text[end : match.start()])
        end = match.end()
        part = piece(match)
        if isinstance(part, str):
            texts.append(part)
        else:
            parts += (ast.Constant("".join(texts)), part)
            texts = []
    # As UTF-16, adjacent halves of surrogate pairs join.
    last_text = "".join([*texts, text[end:]]).encode("utf-16-le", "surrogatepass")
    last = ast.Constant(last_text.decode("utf-16-le", "surrogatepass"))
    return ast.JoinedStr([*parts, last]) if parts else last


def call(function: str | ast.expr, arguments: list[ast.expr]) -> ast.Call:
    """A call with positional arguments."""
    return ast.Call(ast.Name(function) if isinstance(function, str) else function, arguments, [])


def key_of(mapping: ast.expr, key: str) -> ast.Subscript:
    """An object's key."""
    return ast.Subscript(mapping, ast.Constant(key))


def _adds(statement: ast.stmt) -> bool:
    match statement:
        case ast.AugAssign() | ast.Expr(value=ast.Call(func=ast.Attribute(attr="add" | "push"))):
            return True
    return False
