"""The request in PowerShell lines: the body of ``Invoke-RestMethod`` or ``curl.exe``, in JSON or as a hashtable.

Nothing is executed.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from components.snippets.brackets import TEXTS, Group, Item, Program, Token, credentials_beside, said, tree
from components.snippets.found import UNWRITTEN, Found, Template, with_pairs_joined

_IS_ONE = re.compile(
    r"\b(?:Invoke-WebRequest|Invoke-RestMethod|irm|iwr|ConvertTo-Json|curl\.exe)\b|[ \t]`\n|=[ \t]*+@['\"{]",
    re.IGNORECASE,
)
# Where a command begins in a text with other words around it.
_BEGINS = re.compile(
    r"^[ \t]*+(?:PS[^>\n]*+>[ \t]*+)?+(?=\$\w++[ \t]*+[=+.]|Invoke-|(?:irm|iwr|curl(?:\.exe)?)[ \t])",
    re.IGNORECASE | re.MULTILINE,
)
# Every repetition is possessive and a text that is not closed ends with all, so that nothing is read twice.
_TOKEN = re.compile(
    r"""
      @'[ \t]*+\n(?P<here>(?:[^\n]++|\n(?!'@))*+)(?:\n'@)?
    | @"[ \t]*+\n(?P<here_double>(?:[^\n]++|\n(?!"@))*+)(?:\n"@)?
    | '(?P<single>(?:[^']++|'')*+)'?
    | "(?P<double>(?:[^"`\\]++|`.|""|\\"|\\)*+)"?
    | `[ \t]*+\n | <\#(?:[^#]++|\#(?!>))*+(?:\#>)? | (?<!\S)\#[^\n]*+
    | (?P<number>-?[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+(?![\w.]))
    | (?P<open>@\{|@\(|\$\(|[{\[(]) | (?P<close>[}\])])
    | (?P<name>[$-]*+[\w:][\w.:/?&%~-]*+)
    | (?P<line>[\n;])
    | (?P<sign>\+=|[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(
    r"`(?P<letter>.)|\"(?P<twice>\")|\$\{?(?P<name>[A-Za-z_]\w*+)\}?"
    r"|\$\(\[char\](?P<character>(?:0x)?[0-9a-fA-F]{1,6})\)|(?P<asked>\$\()",
    re.DOTALL,
)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "a": "\a", "e": "\x1b", "\n": ""}
_CONSTANTS = {"$true": True, "$false": False, "$null": None}
_SENDS = {"invoke-restmethod", "invoke-webrequest", "irm", "iwr", "curl", "curl.exe"}
_BODY = {"-body", "-d", "--data", "--data-raw", "--data-binary", "--json"}
_LOOPS = {"for", "foreach", "while", "foreach-object", "%"}


def powershell_request(text: str) -> Found | None:
    """The first request in ``text``, or None. Raises ImportProblem for one that is not written out."""
    if not _IS_ONE.search(text):
        return None
    begin = _BEGINS.search(text)
    items = tree(text[begin.end() if begin else 0 :], _TOKEN)
    reading = _Reading(text)
    found = reading.program.found(lambda: reading.run(items))
    return found and replace(found, credentials=(*found.credentials, *credentials_beside(items, found.fields)))


class _Reading:
    def __init__(self, text: str) -> None:
        self.program = Program(text)
        self.program.names |= _CONSTANTS
        self._known: dict[int, Any] = {}

    def run(self, items: list[Item], *, in_a_loop: bool = False) -> None:
        """Follow what stands in a row, and what stands in its brackets after it."""
        for place, item in enumerate(items):
            if isinstance(item, Group):
                before = items[max(place - 2, 0) : place]
                loops = in_a_loop or any(said(one).lower() in _LOOPS for one in before)
                if item.opening == "@{":
                    self._hashtable(item)
                self.run(item.items, in_a_loop=loops)
            elif item.kind == "name":
                self._name(items, place, in_a_loop=in_a_loop)
            elif item.kind in TEXTS and item.said.lstrip().startswith("{"):
                self.program.texts.append(self._text(item))

    def _name(self, items: list[Item], place: int, *, in_a_loop: bool) -> None:
        name = said(items[place]).lower()
        after = [*items[place + 1 : place + 2]]
        self.program.calls += name in _SENDS
        if name in _BODY:
            value, _ = self._term(items, place + 1)
            self.program.take(value)
        match after:
            case [Token(said="=")] if name.startswith("$"):
                value, _ = self._expression(items, place + 2)
                holder, _, key = name.partition(".")
                held = self.program.names.get(holder)
                if not key:
                    self.program.names[name] = value
                elif isinstance(held, dict):
                    held[said(items[place]).partition(".")[2]] = value
                    self.program.made(held)
            case [Token(said="+=")] if name.startswith("$"):
                held = self.program.names.get(name)
                value, _ = self._expression(items, place + 2)
                if isinstance(held, list):
                    values = value if isinstance(value, list) else [value]
                    self.program.extend(held, values, in_a_loop=in_a_loop)
                else:
                    self.program.names[name] = self.program.sum(held, value)
            case [Group(opening="(") as group] if name.endswith(".add"):
                held = self.program.names.get(name.removesuffix(".add"))
                self.program.extend(held, self._list(group), in_a_loop=in_a_loop)

    def _expression(self, items: list[Item], place: int) -> tuple[Any, int]:
        """A value, a sum, or values with commas between them; what it is piped into is passed over."""
        values: list[Any] = []
        while True:
            value, place = self._term(items, place)
            while _at(items, place) == "+":
                right, place = self._term(items, place + 1)
                value = self.program.sum(value, right)
            values.append(value)
            if _at(items, place) != ",":
                break
            place += 1
            while _at(items, place) == "\n":
                place += 1
        if _at(items, place) not in ("", "\n", ";", "|"):
            values = [UNWRITTEN]
        return (values[0] if len(values) == 1 else values), place

    def _term(self, items: list[Item], place: int) -> tuple[Any, int]:
        item = items[place] if place < len(items) else None
        if isinstance(item, Group):
            return self._group(items, place, item)
        if item is None or item.said in ("\n", ";"):
            return UNWRITTEN, place
        if item.kind in TEXTS:
            return self._text(item), place + 1
        if item.kind == "number":
            return _number(item.said), place + 1
        if item.said.lower() == "convertto-json":
            while _at(items, place + 1, group=True).startswith("-") or _at(items, place + 1).isdigit():
                place += 1
            return self._term(items, place + 1)
        return self.program.names.get(item.said.lower(), UNWRITTEN), place + 1

    def _group(self, items: list[Item], place: int, group: Group) -> tuple[Any, int]:
        match group.opening, items[place + 1 : place + 3]:
            case "[", [Token(said=method), Group(opening="(") as inner] if method.lower().endswith(".getbytes"):
                return self._inner(inner), place + 3
            case "[", [Group() | Token(), *_]:
                return self._term(items, place + 1)  # of this type
            case "@{", _:
                return self._hashtable(group), place + 1
            case "@(", _:
                return self._list(group), place + 1
            case "(" | "$(", _:
                return self._inner(group), place + 1
        return UNWRITTEN, place + 1

    def _inner(self, group: Group) -> Any:
        values = self._list(group)
        return values[0] if isinstance(values, list) and len(values) == 1 else values

    def _list(self, group: Group) -> Any:
        """The list that is in brackets; it is one and the same, however often it is asked for."""
        if not group.closed:
            return UNWRITTEN
        if id(group) not in self._known:
            values: list[Any] = []
            self._known[id(group)] = values
            place = 0
            while place < len(group.items):
                if _at(group.items, place) in ("\n", ";", ","):
                    place += 1
                    continue
                value, place = self._expression(group.items, place)
                place = _past_statement(group.items, place)
                values += value if isinstance(value, list) else [value]
        return self._known[id(group)]

    def _hashtable(self, group: Group) -> Any:
        if not group.closed:
            return UNWRITTEN
        if id(group) not in self._known:
            made: dict[str, Any] = {}
            self._known[id(group)] = made
            items, place = group.items, 0
            while place < len(items):
                item = items[place]
                if isinstance(item, Token) and _at(items, place + 1) == "=":
                    value, place = self._expression(items, place + 2)
                    place = _past_statement(items, place)
                    made[self._text(item) if item.kind in TEXTS else item.said] = value
                else:
                    place += 1
            self.program.made(made)
        return self._known[id(group)]

    def _text(self, token: Token) -> str:
        if token.kind == "here":
            return token.said
        if token.kind == "single":
            return token.said.replace("''", "'")
        texts: list[str] = []
        end = 0
        for match in _ESCAPE.finditer(token.said):
            texts.append(token.said[end : match.start()])
            end = match.end()
            if match["name"]:
                value = self.program.names.get(f"${match['name'].lower()}", UNWRITTEN)
                texts.append(value if isinstance(value, str) else Template(match[0]))
            elif match["character"]:
                texts.append(_character(match["character"]))
            elif match["asked"]:
                texts.append(Template(match[0]))
            elif match["twice"]:
                texts.append('""' if token.kind == "here_double" else '"')
            else:
                texts.append(_LETTERS.get(match["letter"], match["letter"]))
        text = self.program.budget.joined([*texts, token.said[end:]])
        return text if isinstance(text, Template) else with_pairs_joined(text)


def _at(items: list[Item], place: int, *, group: bool = False) -> str:
    """What the token at a place says; nothing at the end, and of a group its bracket or nothing."""
    if place >= len(items):
        return ""
    item = items[place]
    return item.said if isinstance(item, Token) else item.opening if group else "("


def _past_statement(items: list[Item], place: int) -> int:
    """Past what a value is piped into."""
    while _at(items, place, group=True) not in ("", "\n", ";"):
        place += 1
    return place


def _character(digits: str) -> str:
    try:
        return chr(int(digits, 0))
    except ValueError:  # no such number, or no such character
        return "\ufffd"


def _number(digits: str) -> Any:
    try:
        return int(digits) if digits.lstrip("-").isdigit() else float(digits)
    except ValueError:  # more digits than Python reads
        return UNWRITTEN
