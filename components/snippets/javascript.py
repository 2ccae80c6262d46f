"""Finds the request in JavaScript or TypeScript: an argument of ``fetch`` or a client, or an object with messages.

Nothing is executed. Objects may have unquoted keys, any quotes and comments.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from components.snippets.code import object_alone, request_of
from components.snippets.found import Found
from components.snippets.tokens import TEXTS, Group, Item, Token, place_after, place_of, text_at, tree
from components.snippets.translation import NOTHING_KNOWN, Translation, call, key_of, literal

# All repetitions are possessive, and an unclosed string ends with its line: matching takes linear time.
_TOKEN = re.compile(
    r"""
      "(?P<double>(?:[^"\\\n]++|\\.)*+)"?
    | '(?P<single>(?:[^'\\\n]++|\\.)*+)'?
    | `(?P<template>(?:[^`\\]++|\\.)*+)`?
    | (?<!:)//[^\n]*+ | /\*(?:[^*]++|\*(?!/))*+(?:\*/)?
    | (?P<number>0[xX][0-9a-fA-F]++(?!\w) | (?:[0-9][0-9_]*+(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+(?![\w$]))
    | (?P<name>[\w$]++)
    | (?P<open>[{\[(]) | (?P<close>[}\])])
    | (?P<line>\n)
    | (?P<sign>\.\.\.|=>|[=!]==?|\+[=+]|&&|\|\||\?\?|\?\.|[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = r"\\(?:u\{(?P<braced>[0-9a-fA-F]{1,6})\}|u(?P<four>[0-9a-fA-F]{4})|x(?P<two>[0-9a-fA-F]{2})|(?P<letter>.))"
_ESCAPE = re.compile(rf"{_ESCAPED}|(?P<name>(?!))", re.DOTALL)
_TEMPLATE_PIECE = re.compile(rf"{_ESCAPED}|\$\{{\s*+(?P<name>[\w$.]*+)[^}}]*+\}}", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_NO_CALL = {"if", "for", "while", "switch", "catch", "function", "log", "push", "concat"}
_SENDS = frozenset({"axios", "fetch", "post", "request"})


def javascript_request(text: str) -> Found | None:
    """The first request in ``text``, or None. Raises ImportProblem when its values are unknown."""
    items, translation = tree(text, _TOKEN), _JavaScript()
    if not text.startswith(("{", "[")):
        return request_of(text, items, translation, _SENDS)
    # An object alone: only further lines may follow it.
    value, place = translation.term(items, 0)
    place = place_after(items, place, ";", ",")
    return object_alone(text, value) if text_at(items, place) == "\n" or place >= len(items) else None


class _JavaScript(Translation):
    loops = frozenset({"for", "while", "foreach", "map"})
    object_opening = "{"
    list_opening = "["
    equals = ":"
    separators = (",",)
    gaps = blanks = ("\n",)

    def named(self, items: list[Item], place: int) -> Iterator[ast.stmt]:
        name = text_at(items, place)
        match items[place + 1 : place + 4]:
            case [Token(text="=" | "+="), *_]:
                yield self._assignment(items, place)
            case [Token(text="."), Token(text="push"), Group(opening="(") as group]:
                yield ast.Expr(call(ast.Attribute(ast.Name(name), "push"), self.elements(group)))
            case [Token(text=":"), *_] if text_at(items, place - 1) in ("const", "let", "var"):
                # TypeScript: a name with its type.
                equals = place_of(items[: place + 9], place, "=")
                if text_at(items, equals) == "=":
                    yield ast.Assign([ast.Name(name)], self.expression(items, equals + 1)[0])
            case [Group(opening="(") as group, *_] if name not in _NO_CALL:
                yield ast.Expr(call(name, self.elements(group)))

    def _assignment(self, items: list[Item], place: int) -> ast.stmt:
        name = text_at(items, place)
        value, _ = self.expression(items, place + 2)
        if text_at(items, place + 1) == "+=":
            return ast.AugAssign(ast.Name(name), ast.Add(), value)
        if text_at(items, place - 1) == ".":
            return ast.Assign([key_of(ast.Name(text_at(items, place - 2)), name)], value)
        return ast.Assign([ast.Name(name)], value)

    def is_an_object(self, group: Group) -> bool:
        items = [item for item in group.items[:6] if item != Token("line", "\n")]
        first = text_at(items, 0)
        return group.opening == "{" and (first == "..." or (first != "" and text_at(items, 1) in (":", ",")))

    def expression(self, items: list[Item], place: int) -> tuple[ast.expr, int]:
        value, place = super().expression(items, place)
        while text_at(items, place) in ("||", "??"):
            right, place = super().expression(items, place + 1)
            value = ast.BoolOp(ast.Or(), [value, right])
        return value, place

    def term(self, items: list[Item], place: int) -> tuple[ast.expr, int]:
        """An operand with the properties, calls and type assertions that follow it."""
        place = place_after(items, place, "\n")
        match items[place : place + 4]:
            case [Token(text="-" | "+" as sign), *_]:
                value, place = self.term(items, place + 1)
                return ast.UnaryOp(ast.USub() if sign == "-" else ast.UAdd(), value), place
            case [Token(text="await"), *_]:
                return self.term(items, place + 1)
            case [Token(text="JSON"), Token(), Token(text="stringify" | "parse"), Group() as group]:
                value, place = (self.elements(group) or [NOTHING_KNOWN])[0], place + 4
            case _:
                value, place = super().term(items, place)
        while True:
            match items[place : place + 3]:
                case [Token(text="." | "?."), Token(text=name), Group(opening="(") as group]:
                    value = call(ast.Attribute(value, name), self.elements(group))
                    place += 3
                case [Token(text="." | "?."), Token(text=name), *_]:
                    value = key_of(value, name)
                    place += 2
                case [Token(text="as" | "satisfies"), Token(), *_]:
                    place += 2
                case [Group(opening="(" | "["), *_]:
                    value = NOTHING_KNOWN
                    place += 1
                case _:
                    return value, place

    def keyed(self, key: str, items: list[Item], place: int) -> tuple[ast.expr, int]:
        value, end = self.expression(items, place)
        match key, items[place:end]:
            case "model", [Token(), *_, Group(items=[Token(kind=kind) as name, *_])] if kind in TEXTS:
                value = self.text(name)  # openai("gpt-4o") of the Vercel AI SDK
        return value, end

    def text(self, token: Token) -> ast.expr:
        def piece(match: re.Match[str]) -> str | ast.expr:
            return _character(match) if match["name"] is None else ast.FormattedValue(ast.Name(match["name"]), -1)

        return literal(token.text, _TEMPLATE_PIECE if token.kind == "template" else _ESCAPE, piece)


def _character(match: re.Match[str]) -> str:
    if match["letter"]:
        return _LETTERS.get(match["letter"], match["letter"])
    code = int(match["braced"] or match["four"] or match["two"], 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"
