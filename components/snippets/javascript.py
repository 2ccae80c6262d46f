"""The request in JavaScript or TypeScript: what is given to ``fetch`` or a client, or an object with messages.

Nothing is executed. Objects are read as JavaScript writes them: keys and texts in any quotes or none, and comments.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from components.snippets.brackets import TEXTS, Group, Item, Program, Token, credentials_beside, said, tree
from components.snippets.found import UNWRITTEN, Found, Template, with_pairs_joined

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
_ESCAPE = re.compile(
    r"\\(?:u\{(?P<braced>[0-9a-fA-F]{1,6})\}|u(?P<four>[0-9a-fA-F]{4})|x(?P<two>[0-9a-fA-F]{2})|(?P<letter>.))",
    re.DOTALL,
)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_PLACEHOLDER = re.compile(r"\$\{\s*+(?P<name>[\w$.]*+)[^}]*+\}")
_CONSTANTS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_NO_CALL = {"if", "for", "while", "switch", "catch", "function", "log", "push", "concat"}
_SENDS = {"axios", "fetch", "post", "request"}
_LOOPS = {"for", "while", "forEach", "map"}


def javascript_request(text: str) -> Found | None:
    """The first request in ``text``, or None. Raises ImportProblem for one that is not written out."""
    items = tree(text, _TOKEN)
    reading = _Reading(text)
    if text.startswith(("{", "[")):
        return reading.object_alone(items)
    found = reading.program.found(lambda: reading.run(items))
    return found and replace(found, credentials=(*found.credentials, *credentials_beside(items, found.fields)))


class _Reading:
    def __init__(self, text: str) -> None:
        self.program = Program(text)
        self.program.names |= _CONSTANTS
        self._known: dict[int, Any] = {}

    def object_alone(self, items: list[Item]) -> Found | None:
        """An object that is the whole text, or stands on lines before other words; all of it must be written out."""
        value, place = self._term(items, 0)
        rest = [said(item) for item in items[place:] if said(item) not in (";", ",")]
        if not self.program.budget.is_plain(value) or (rest and rest[0] != "\n"):
            return None
        return self.program.found(lambda: self.program.take(value))

    def run(self, items: list[Item], *, in_a_loop: bool = False) -> None:
        """Follow what stands in a row, and what stands in its brackets after it."""
        for place, item in enumerate(items):
            if isinstance(item, Group):
                before = items[max(place - 2, 0) : place]
                loops = in_a_loop or any(said(one) in _LOOPS for one in before)
                if item.opening == "{" and _is_an_object(item):
                    self._object(item)
                self.run(item.items, in_a_loop=loops)
            elif item.kind == "name":
                self._name(items, place, in_a_loop=in_a_loop)
            elif item.kind in TEXTS and item.said.startswith("{"):
                self.program.texts.append(self._text(item))

    def _name(self, items: list[Item], place: int, *, in_a_loop: bool) -> None:
        name = said(items[place])
        match [*items[place + 1 : place + 4]]:
            case [Token(said="="), *_]:
                value, _ = self._expression(items, place + 2)
                holder = self.program.names.get(said(items[place - 2])) if place > 1 else None
                if place and said(items[place - 1]) == ".":
                    if isinstance(holder, dict):
                        holder[name] = value
                        self.program.made(holder)
                else:
                    self.program.names[name] = value
            case [Token(said="+="), *_]:
                value, _ = self._expression(items, place + 2)
                self.program.names[name] = self.program.sum(self.program.names.get(name), value)
            case [Token(said="."), Token(said="push"), Group(opening="(") as group]:
                self.program.extend(self.program.names.get(name), self._elements(group), in_a_loop=in_a_loop)
            case [Token(said=":"), *_] if place and said(items[place - 1]) in ("const", "let", "var"):
                # A name with its type, in TypeScript.
                end = next((n for n in range(place, min(place + 9, len(items))) if said(items[n]) == "="), None)
                if end is not None:
                    self.program.names[name], _ = self._expression(items, end + 1)
            case [Group(opening="(") as group, *_] if name not in _NO_CALL:
                self.program.calls += name in _SENDS
                values = self._elements(group)
                for value in values if isinstance(values, list) else ():
                    self.program.take(value)

    def _expression(self, items: list[Item], place: int) -> tuple[Any, int]:
        value, place = self._term(items, place)
        while _said_at(items, place := _past_lines(items, place)) == "+":
            right, place = self._term(items, place + 1)
            value = self.program.sum(value, right)
        return value, place

    def _term(self, items: list[Item], place: int) -> tuple[Any, int]:
        place = _past_lines(items, place)
        item = items[place] if place < len(items) else None
        value: Any = UNWRITTEN
        if isinstance(item, Group):
            if item.opening == "[":
                value = self._elements(item)
            elif item.opening == "{":
                value = self._object(item)
            else:
                values = self._elements(item)
                value = values[0] if isinstance(values, list) and len(values) == 1 else UNWRITTEN
        elif item is None:
            return UNWRITTEN, place
        elif item.kind in TEXTS:
            value = self._text(item)
        elif item.kind == "number":
            value = _number(item.said)
        elif item.said in ("-", "+"):
            value, place = self._term(items, place + 1)
            value = (-value if item.said == "-" else value) if type(value) in (int, float) else UNWRITTEN
            return value, place
        elif item.said == "await":
            return self._term(items, place + 1)
        elif item.said == "JSON" and _said_at(items, place + 2) in ("stringify", "parse") and place + 3 < len(items):
            group = items[place + 3]
            values = self._elements(group) if isinstance(group, Group) else UNWRITTEN
            value, place = values[0] if isinstance(values, list) and values else UNWRITTEN, place + 3
        else:
            value = self.program.names.get(item.said, UNWRITTEN)
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
                return self.program.budget.joined([one for text in value for one in (between, text)][1:])
            case "concat", list(), [list() as more]:
                return self.program.sum(value, more)
        return UNWRITTEN

    def _elements(self, group: Group) -> Any:
        """The list that is in brackets; it is one and the same, however often it is asked for."""
        if not group.closed:
            return UNWRITTEN
        if id(group) in self._known:
            return self._known[id(group)]
        values: list[Any] = []
        self._known[id(group)] = values
        items, place = group.items, 0
        while (place := _past_lines(items, place)) < len(items):
            spread = _said_at(items, place) == "..."
            value, place = self._expression(items, place + spread)
            value, place = _to_the_comma(items, place, value)
            if spread and isinstance(value, list):
                self.program.budget.spend(len(value))
                values += value
            else:
                values.append(UNWRITTEN if spread else value)
        return values

    def _object(self, group: Group) -> Any:
        if not group.closed:
            return UNWRITTEN
        if id(group) in self._known:
            return self._known[id(group)]
        made: dict[str, Any] = {}
        self._known[id(group)] = made
        items, place = group.items, 0
        while (place := _past_lines(items, place)) < len(items):
            item = items[place]
            sign = _said_at(items, _past_lines(items, place + 1))
            key = self._text(item) if isinstance(item, Token) and item.kind in TEXTS else said(item)
            if key == "...":
                value, place = self._expression(items, place + 1)
                value, place = _to_the_comma(items, place, value)
                self.program.budget.spend(len(value) if isinstance(value, dict) else 0)
                made |= value if isinstance(value, dict) else {"What ... adds": UNWRITTEN}
            elif sign == ":":
                value, place = self._expression(items, _past_lines(items, place + 1) + 1)
                made[key], place = _to_the_comma(items, place, value)
            else:
                # A name alone stands for the value of that name; a function is not read.
                value = self.program.names.get(key, UNWRITTEN) if sign in (",", "") else UNWRITTEN
                made[key], place = _to_the_comma(items, place + 1, value)
        return self.program.made(made)

    def _text(self, token: Token) -> str:
        if token.kind != "template":
            return _unescaped(token.said)
        texts: list[str] = []
        end = 0
        for match in _PLACEHOLDER.finditer(token.said):
            texts.append(_unescaped(token.said[end : match.start()]))
            end = match.end()
            value = self.program.names.get(match["name"], UNWRITTEN)
            texts.append(value if isinstance(value, str) else Template(f"{{{match['name'] or '…'}}}"))
        return self.program.budget.joined([*texts, _unescaped(token.said[end:])])


def _said_at(items: list[Item], place: int) -> str:
    return said(items[place]) if place < len(items) else ""


def _past_lines(items: list[Item], place: int) -> int:
    while _said_at(items, place) == "\n":
        place += 1
    return place


def _to_the_comma(items: list[Item], place: int, value: Any) -> tuple[Any, int]:
    """``value`` when nothing else stands before the next comma, and the place after that."""
    place = _past_lines(items, place)
    if place < len(items) and _said_at(items, place) != ",":
        value = UNWRITTEN
    while place < len(items) and _said_at(items, place) != ",":
        place += 1
    return value, place + 1


def _is_an_object(group: Group) -> bool:
    items = [item for item in group.items[:6] if said(item) != "\n"]
    first = _said_at(items, 0)
    return first == "..." or (first != "" and _said_at(items, 1) in (":", ","))


def _number(digits: str) -> Any:
    digits = digits.replace("_", "")
    try:
        return int(digits, 0) if digits[:2] in ("0x", "0X") else int(digits) if digits.isdigit() else float(digits)
    except ValueError:  # more digits than Python reads
        return UNWRITTEN


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return with_pairs_joined(_ESCAPE.sub(_character, text))


def _character(match: re.Match[str]) -> str:
    if match["letter"]:
        return _LETTERS.get(match["letter"], match["letter"])
    number = int(match["braced"] or match["four"] or match["two"], 16)
    return chr(number) if number <= 0x10FFFF else "\ufffd"
