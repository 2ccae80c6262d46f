"""Finds the request in JavaScript or TypeScript: an argument of ``fetch`` or a client, or an object with messages.

Nothing is executed. Objects may have unquoted keys, any quotes and comments.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from components.snippets.code import object_alone, request_of
from components.snippets.raw_request import RawRequest
from components.snippets.tokens import TEXTS, Group, Item, Token, index_after, index_of, text_at, tree
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


def javascript_request(text: str) -> RawRequest | None:
    """The first request in ``text``, or None. Raises ImportProblem when its values are unknown."""
    items, translation = tree(text, _TOKEN), _JavaScript()
    if not text.startswith(("{", "[")):
        return request_of(text, items, translation, _SENDS)
    # An object alone: only further lines may follow it.
    value, index = translation.term(items, 0)
    index = index_after(items, index, ";", ",")
    return object_alone(text, value) if text_at(items, index) == "\n" or index >= len(items) else None


class _JavaScript(Translation):
    loops = frozenset({"for", "while", "foreach", "map"})
    object_opening = "{"
    list_opening = "["
    equals = ":"
    separators = (",",)
    gaps = blanks = ("\n",)

    def named(self, items: list[Item], index: int) -> Iterator[ast.stmt]:
        name = text_at(items, index)
        match items[index + 1 : index + 4]:
            case [Token(text="=" | "+=" as sign), *_]:
                value, _ = self.expression(items, index + 2)
                if sign == "+=":
                    yield ast.AugAssign(ast.Name(name), ast.Add(), value)
                elif text_at(items, index - 1) == ".":
                    yield ast.Assign([key_of(ast.Name(text_at(items, index - 2)), name)], value)
                else:
                    yield ast.Assign([ast.Name(name)], value)
            case [Token(text="."), Token(text="push"), Group(opening="(") as group]:
                yield ast.Expr(call(ast.Attribute(ast.Name(name), "push"), self.elements(group)))
            case [Token(text=":"), *_] if text_at(items, index - 1) in ("const", "let", "var"):
                # TypeScript: a name with its type.
                equals = index_of(items[: index + 9], index, "=")
                if text_at(items, equals) == "=":
                    yield ast.Assign([ast.Name(name)], self.expression(items, equals + 1)[0])
            case [Group(opening="(") as group, *_] if name not in _NO_CALL:
                yield ast.Expr(call(name, self.elements(group)))

    def is_an_object(self, group: Group) -> bool:
        items = [item for item in group.items[:6] if item != Token("line", "\n")]
        first = text_at(items, 0)
        return group.opening == "{" and (first == "..." or (first != "" and text_at(items, 1) in (":", ",")))

    def expression(self, items: list[Item], index: int) -> tuple[ast.expr, int]:
        value, index = super().expression(items, index)
        while text_at(items, index) in ("||", "??"):
            right, index = super().expression(items, index + 1)
            value = ast.BoolOp(ast.Or(), [value, right])
        return value, index

    def term(self, items: list[Item], index: int) -> tuple[ast.expr, int]:
        """An operand with the properties, calls and type assertions that follow it."""
        index = index_after(items, index, "\n")
        match items[index : index + 4]:
            case [Token(text="-" | "+" as sign), *_]:
                value, index = self.term(items, index + 1)
                return ast.UnaryOp(ast.USub() if sign == "-" else ast.UAdd(), value), index
            case [Token(text="await"), *_]:
                return self.term(items, index + 1)
            case [Token(text="JSON"), Token(), Token(text="stringify" | "parse"), Group() as group]:
                value, index = (self.elements(group) or [NOTHING_KNOWN])[0], index + 4
            case _:
                value, index = super().term(items, index)
        while True:
            match items[index : index + 3]:
                case [Token(text="." | "?."), Token(text=name), Group(opening="(") as group]:
                    value = call(ast.Attribute(value, name), self.elements(group))
                    index += 3
                case [Token(text="." | "?."), Token(text=name), *_]:
                    value = key_of(value, name)
                    index += 2
                case [Token(text="as" | "satisfies"), Token(), *_]:
                    index += 2
                case [Group(opening="(" | "["), *_]:
                    value = NOTHING_KNOWN
                    index += 1
                case _:
                    return value, index

    def keyed(self, key: str, items: list[Item], index: int) -> tuple[ast.expr, int]:
        value, end = self.expression(items, index)
        match key, items[index:end]:
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
