"""Finds the request in JavaScript or TypeScript: an argument of ``fetch`` or a client, or an object with messages.

Nothing is executed. Objects may have unquoted keys, any quotes and comments.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from components.snippets.brackets import TEXTS, Group, Item, Program, Token, number, text_at, text_of, tree
from components.snippets.found import UNKNOWN, Found, Template

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
_SENDS = {"axios", "fetch", "post", "request"}


def javascript_request(text: str) -> Found | None:
    """The first request in ``text``, or None. Raises ImportProblem when its values are unknown."""
    items, program = tree(text, _TOKEN), _JavaScript(text)
    return program.object_alone(items) if text.startswith(("{", "[")) else program.request(items)


class _JavaScript(Program):
    constants: ClassVar = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
    loops = frozenset({"for", "while", "foreach", "map"})

    def object_alone(self, items: list[Item]) -> Found | None:
        """An object at the beginning of the text, without unknown values, that only further lines may follow."""
        value, place = self._term(items, 0)
        rest = [text_of(item) for item in items[place:] if text_of(item) not in (";", ",")]
        if not self.budget.is_plain(value) or (rest and rest[0] != "\n"):
            return None
        return self.found(lambda: self.take(value))

    def name(self, items: list[Item], place: int, *, in_a_loop: bool) -> None:
        name = text_of(items[place])
        match [*items[place + 1 : place + 4]]:
            case [Token(text="="), *_]:
                value, _ = self._expression(items, place + 2)
                holder = self.names.get(text_of(items[place - 2])) if place > 1 else None
                if place and text_of(items[place - 1]) == ".":
                    if isinstance(holder, dict):
                        holder[name] = value
                        self.noted(holder)
                else:
                    self.names[name] = value
            case [Token(text="+="), *_]:
                value, _ = self._expression(items, place + 2)
                self.names[name] = self.budget.sum(self.names.get(name), value)
            case [Token(text="."), Token(text="push"), Group(opening="(") as group]:
                self.extend(self.names.get(name), self._elements(group), in_a_loop=in_a_loop)
            case [Token(text=":"), *_] if place and text_of(items[place - 1]) in ("const", "let", "var"):
                # TypeScript: a name with its type.
                end = next((n for n in range(place, min(place + 9, len(items))) if text_of(items[n]) == "="), None)
                if end is not None:
                    self.names[name], _ = self._expression(items, end + 1)
            case [Group(opening="(") as group, *_] if name not in _NO_CALL:
                self.calls += name in _SENDS
                values = self._elements(group)
                for value in values if isinstance(values, list) else ():
                    self.take(value)

    def _expression(self, items: list[Item], place: int) -> tuple[Any, int]:
        value, place = self._term(items, place)
        while (sign := text_at(items, place := _past_lines(items, place))) in ("+", "||", "??"):
            right, place = self._term(items, place + 1)
            if sign == "+":
                value = self.budget.sum(value, right)
            elif value is UNKNOWN:
                value = right
        return value, place

    def _term(self, items: list[Item], place: int) -> tuple[Any, int]:
        place = _past_lines(items, place)
        item = items[place] if place < len(items) else None
        value: Any = UNKNOWN
        if isinstance(item, Group):
            if item.opening == "[":
                value = self._elements(item)
            elif item.opening == "{":
                value = self.object(item)
            else:
                values = self._elements(item)
                value = values[0] if isinstance(values, list) and len(values) == 1 else UNKNOWN
        elif item is None:
            return UNKNOWN, place
        elif item.kind in TEXTS:
            value = self.text(item)
        elif item.kind == "number":
            value = number(item.text.replace("_", ""))
        elif item.text in ("-", "+"):
            value, place = self._term(items, place + 1)
            value = (-value if item.text == "-" else value) if type(value) in (int, float) else UNKNOWN
            return value, place
        elif item.text == "await":
            return self._term(items, place + 1)
        elif item.text == "JSON" and text_at(items, place + 2) in ("stringify", "parse") and place + 3 < len(items):
            group = items[place + 3]
            values = self._elements(group) if isinstance(group, Group) else UNKNOWN
            value, place = values[0] if isinstance(values, list) and values else UNKNOWN, place + 3
        else:
            value = self.names.get(item.text, UNKNOWN)
        return self._further(items, place + 1, value)

    def _further(self, items: list[Item], place: int, value: Any) -> tuple[Any, int]:
        """``value`` after the properties, calls and type assertions that follow it."""
        while place < len(items):
            match [*items[place : place + 3]]:
                case [Token(text="." | "?."), Token(text=name), Group(opening="(") as group]:
                    value = self._method(value, name, self._elements(group))
                    place += 3
                case [Token(text="." | "?."), Token(text=name), *_]:
                    value = value.get(name, UNKNOWN) if isinstance(value, dict) else UNKNOWN
                    place += 2
                case [Token(text="as" | "satisfies"), Token(), *_]:
                    place += 2
                case [Group(opening="(" | "["), *_]:
                    value = UNKNOWN
                    place += 1
                case _:
                    break
        return value, place

    def _method(self, value: Any, name: str, given: Any) -> Any:
        match name, value, given:
            case "trim", str(), _:
                return type(value)(value.strip())
            case "join", list(), [str() as between] if all(isinstance(one, str) for one in value):
                return self.budget.joined([one for text in value for one in (between, text)][1:])
            case "concat", list(), [list() as more]:
                return self.budget.sum(value, more)
        return UNKNOWN

    def _elements(self, group: Group) -> Any:
        """The elements of a group."""
        return self.once(group, list[Any](), self._add_elements)

    def _add_elements(self, items: list[Item], values: list[Any]) -> None:
        place = 0
        while (place := _past_lines(items, place)) < len(items):
            spread = text_at(items, place) == "..."
            value, place = self._expression(items, place + spread)
            value, place = _to_the_comma(items, place, value)
            if spread and isinstance(value, list):
                self.budget.spend(len(value))
                values += value
            else:
                values.append(UNKNOWN if spread else value)

    def object(self, group: Group) -> Any:
        return self.once(group, dict[str, Any](), self._add_keys)

    def is_an_object(self, group: Group) -> bool:
        items = [item for item in group.items[:6] if text_of(item) != "\n"]
        first = text_at(items, 0)
        return group.opening == "{" and (first == "..." or (first != "" and text_at(items, 1) in (":", ",")))

    def _add_keys(self, items: list[Item], made: dict[str, Any]) -> None:
        place = 0
        while (place := _past_lines(items, place)) < len(items):
            item = items[place]
            sign = text_at(items, _past_lines(items, place + 1))
            key = self.text(item) if isinstance(item, Token) and item.kind in TEXTS else text_of(item)
            if key == "...":
                value, place = self._expression(items, place + 1)
                value, place = _to_the_comma(items, place, value)
                self.budget.spend(len(value) if isinstance(value, dict) else 0)
                made |= value if isinstance(value, dict) else {"What ... adds": UNKNOWN}
            elif sign == ":":
                begin = _past_lines(items, place + 1) + 1
                value, place = self._expression(items, begin)
                if key == "model" and value is UNKNOWN:
                    value = self._model(items[begin:place])
                made[key], place = _to_the_comma(items, place, value)
            else:
                # A shorthand property; methods are skipped.
                value = self.names.get(key, UNKNOWN) if sign in (",", "") else UNKNOWN
                made[key], place = _to_the_comma(items, place + 1, value)
        self.noted(made)

    def _model(self, items: list[Item]) -> Any:
        """The model's name in ``openai("gpt-4o")`` of the Vercel AI SDK."""
        match items:
            case [Token(), *_, Group(opening="(", items=[Token() as name, *_])] if name.kind in TEXTS:
                return self.text(name)
        return UNKNOWN

    def text(self, token: Token) -> str:
        def piece(match: re.Match[str]) -> str:
            if match["name"] is None:
                return _character(match)
            value = self.names.get(match["name"], UNKNOWN)
            return value if isinstance(value, str) else Template(f"{{{match['name'] or '…'}}}")

        return self.replaced(token.text, _TEMPLATE_PIECE if token.kind == "template" else _ESCAPE, piece)


def _past_lines(items: list[Item], place: int) -> int:
    while text_at(items, place) == "\n":
        place += 1
    return place


def _to_the_comma(items: list[Item], place: int, value: Any) -> tuple[Any, int]:
    """``value``, or UNKNOWN when more precedes the next comma; and the position after the comma."""
    place = _past_lines(items, place)
    if place < len(items) and text_at(items, place) != ",":
        value = UNKNOWN
    while place < len(items) and text_at(items, place) != ",":
        place += 1
    return value, place + 1


def _character(match: re.Match[str]) -> str:
    if match["letter"]:
        return _LETTERS.get(match["letter"], match["letter"])
    code = int(match["braced"] or match["four"] or match["two"], 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"
