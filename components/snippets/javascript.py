"""The request in JavaScript or TypeScript: what is given to ``fetch`` or a client, or an object with messages.

Nothing is executed. Objects are read as JavaScript writes them: keys and texts in any quotes or none, and comments.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from components.snippets.brackets import TEXTS, Group, Item, Program, Token, number, said, said_at, tree
from components.snippets.found import UNWRITTEN, Found, Template

# Every repetition is possessive and a text that is not closed ends with the line, so that nothing is read twice.
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
    """The first request in ``text``, or None. Raises ImportProblem for one that is not written out."""
    items, program = tree(text, _TOKEN), _JavaScript(text)
    return program.object_alone(items) if text.startswith(("{", "[")) else program.request(items)


class _JavaScript(Program):
    constants: ClassVar = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
    loops = frozenset({"for", "while", "foreach", "map"})

    def object_alone(self, items: list[Item]) -> Found | None:
        """An object that is the whole text, or stands on lines before other words; all of it must be written out."""
        value, place = self._term(items, 0)
        rest = [said(item) for item in items[place:] if said(item) not in (";", ",")]
        if not self.budget.is_plain(value) or (rest and rest[0] != "\n"):
            return None
        return self.found(lambda: self.take(value))

    def name(self, items: list[Item], place: int, *, in_a_loop: bool) -> None:
        name = said(items[place])
        match [*items[place + 1 : place + 4]]:
            case [Token(said="="), *_]:
                value, _ = self._expression(items, place + 2)
                holder = self.names.get(said(items[place - 2])) if place > 1 else None
                if place and said(items[place - 1]) == ".":
                    if isinstance(holder, dict):
                        holder[name] = value
                        self.noted(holder)
                else:
                    self.names[name] = value
            case [Token(said="+="), *_]:
                value, _ = self._expression(items, place + 2)
                self.names[name] = self.budget.sum(self.names.get(name), value)
            case [Token(said="."), Token(said="push"), Group(opening="(") as group]:
                self.extend(self.names.get(name), self._elements(group), in_a_loop=in_a_loop)
            case [Token(said=":"), *_] if place and said(items[place - 1]) in ("const", "let", "var"):
                # A name with its type, in TypeScript.
                end = next((n for n in range(place, min(place + 9, len(items))) if said(items[n]) == "="), None)
                if end is not None:
                    self.names[name], _ = self._expression(items, end + 1)
            case [Group(opening="(") as group, *_] if name not in _NO_CALL:
                self.calls += name in _SENDS
                values = self._elements(group)
                for value in values if isinstance(values, list) else ():
                    self.take(value)

    def _expression(self, items: list[Item], place: int) -> tuple[Any, int]:
        value, place = self._term(items, place)
        while (sign := said_at(items, place := _past_lines(items, place))) in ("+", "||", "??"):
            right, place = self._term(items, place + 1)
            if sign == "+":
                value = self.budget.sum(value, right)
            elif value is UNWRITTEN:
                value = right
        return value, place

    def _term(self, items: list[Item], place: int) -> tuple[Any, int]:
        place = _past_lines(items, place)
        item = items[place] if place < len(items) else None
        value: Any = UNWRITTEN
        if isinstance(item, Group):
            if item.opening == "[":
                value = self._elements(item)
            elif item.opening == "{":
                value = self.object(item)
            else:
                values = self._elements(item)
                value = values[0] if isinstance(values, list) and len(values) == 1 else UNWRITTEN
        elif item is None:
            return UNWRITTEN, place
        elif item.kind in TEXTS:
            value = self.text(item)
        elif item.kind == "number":
            value = number(item.said.replace("_", ""))
        elif item.said in ("-", "+"):
            value, place = self._term(items, place + 1)
            value = (-value if item.said == "-" else value) if type(value) in (int, float) else UNWRITTEN
            return value, place
        elif item.said == "await":
            return self._term(items, place + 1)
        elif item.said == "JSON" and said_at(items, place + 2) in ("stringify", "parse") and place + 3 < len(items):
            group = items[place + 3]
            values = self._elements(group) if isinstance(group, Group) else UNWRITTEN
            value, place = values[0] if isinstance(values, list) and values else UNWRITTEN, place + 3
        else:
            value = self.names.get(item.said, UNWRITTEN)
        return self._further(items, place + 1, value)

    def _further(self, items: list[Item], place: int, value: Any) -> tuple[Any, int]:
        """``value`` with the properties, calls and types that follow it."""
        while place < len(items):
            match [*items[place : place + 3]]:
                case [Token(said="." | "?."), Token(said=name), Group(opening="(") as group]:
                    value = self._method(value, name, self._elements(group))
                    place += 3
                case [Token(said="." | "?."), Token(said=name), *_]:
                    value = value.get(name, UNWRITTEN) if isinstance(value, dict) else UNWRITTEN
                    place += 2
                case [Token(said="as" | "satisfies"), Token(), *_]:
                    place += 2
                case [Group(opening="(" | "["), *_]:
                    value = UNWRITTEN
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
        return UNWRITTEN

    def _elements(self, group: Group) -> Any:
        """The list that is in brackets."""
        return self.once(group, list[Any](), self._add_elements)

    def _add_elements(self, items: list[Item], values: list[Any]) -> None:
        place = 0
        while (place := _past_lines(items, place)) < len(items):
            spread = said_at(items, place) == "..."
            value, place = self._expression(items, place + spread)
            value, place = _to_the_comma(items, place, value)
            if spread and isinstance(value, list):
                self.budget.spend(len(value))
                values += value
            else:
                values.append(UNWRITTEN if spread else value)

    def object(self, group: Group) -> Any:
        return self.once(group, dict[str, Any](), self._add_keys)

    def is_an_object(self, group: Group) -> bool:
        items = [item for item in group.items[:6] if said(item) != "\n"]
        first = said_at(items, 0)
        return group.opening == "{" and (first == "..." or (first != "" and said_at(items, 1) in (":", ",")))

    def _add_keys(self, items: list[Item], made: dict[str, Any]) -> None:
        place = 0
        while (place := _past_lines(items, place)) < len(items):
            item = items[place]
            sign = said_at(items, _past_lines(items, place + 1))
            key = self.text(item) if isinstance(item, Token) and item.kind in TEXTS else said(item)
            if key == "...":
                value, place = self._expression(items, place + 1)
                value, place = _to_the_comma(items, place, value)
                self.budget.spend(len(value) if isinstance(value, dict) else 0)
                made |= value if isinstance(value, dict) else {"What ... adds": UNWRITTEN}
            elif sign == ":":
                begin = _past_lines(items, place + 1) + 1
                value, place = self._expression(items, begin)
                if key == "model" and value is UNWRITTEN:
                    value = self._model(items[begin:place])
                made[key], place = _to_the_comma(items, place, value)
            else:
                # A name alone stands for the value of that name; a function is not read.
                value = self.names.get(key, UNWRITTEN) if sign in (",", "") else UNWRITTEN
                made[key], place = _to_the_comma(items, place + 1, value)
        self.noted(made)

    def _model(self, items: list[Item]) -> Any:
        """The name in ``openai("gpt-4o")``, of the Vercel AI SDK."""
        match items:
            case [Token(), *_, Group(opening="(", items=[Token() as name, *_])] if name.kind in TEXTS:
                return self.text(name)
        return UNWRITTEN

    def text(self, token: Token) -> str:
        def piece(match: re.Match[str]) -> str:
            if match["name"] is None:
                return _character(match)
            value = self.names.get(match["name"], UNWRITTEN)
            return value if isinstance(value, str) else Template(f"{{{match['name'] or '…'}}}")

        return self.replaced(token.said, _TEMPLATE_PIECE if token.kind == "template" else _ESCAPE, piece)


def _past_lines(items: list[Item], place: int) -> int:
    while said_at(items, place) == "\n":
        place += 1
    return place


def _to_the_comma(items: list[Item], place: int, value: Any) -> tuple[Any, int]:
    """``value`` when nothing else stands before the next comma, and the place after that."""
    place = _past_lines(items, place)
    if place < len(items) and said_at(items, place) != ",":
        value = UNWRITTEN
    while place < len(items) and said_at(items, place) != ",":
        place += 1
    return value, place + 1


def _character(match: re.Match[str]) -> str:
    if match["letter"]:
        return _LETTERS.get(match["letter"], match["letter"])
    code = int(match["braced"] or match["four"] or match["two"], 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"
