"""The request in PowerShell lines: the body of ``Invoke-RestMethod`` or ``curl.exe``, in JSON or as a hashtable.

Nothing is executed.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from components.snippets.brackets import TEXTS, Group, Item, Program, Token, number, said, said_at, tree
from components.snippets.found import UNWRITTEN, Found, Template

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
_SENDS = {"invoke-restmethod", "invoke-webrequest", "irm", "iwr", "curl", "curl.exe"}
_BODY = {"-body", "-d", "--data", "--data-raw", "--data-binary", "--json"}


def powershell_request(text: str) -> Found | None:
    """The first request in ``text``, or None. Raises ImportProblem for one that is not written out."""
    if not _IS_ONE.search(text):
        return None
    begin = _BEGINS.search(text)
    return _PowerShell(text).request(tree(text[begin.end() if begin else 0 :], _TOKEN))


class _PowerShell(Program):
    constants: ClassVar = {"$true": True, "$false": False, "$null": None}
    loops = frozenset({"for", "foreach", "while", "foreach-object", "%"})

    def is_an_object(self, group: Group) -> bool:
        return group.opening == "@{"

    def name(self, items: list[Item], place: int, *, in_a_loop: bool) -> None:
        name = said(items[place]).lower()
        after = [*items[place + 1 : place + 2]]
        self.calls += name in _SENDS
        if name in _BODY:
            value, _ = self._term(items, place + 1)
            self.take(value)
        match after:
            case [Token(said="=")] if name.startswith("$"):
                value, _ = self._expression(items, place + 2)
                holder, _, key = name.partition(".")
                held = self.names.get(holder)
                if not key:
                    self.names[name] = value
                elif isinstance(held, dict):
                    held[said(items[place]).partition(".")[2]] = value
                    self.noted(held)
            case [Token(said="+=")] if name.startswith("$"):
                held = self.names.get(name)
                value, _ = self._expression(items, place + 2)
                if isinstance(held, list):
                    values = value if isinstance(value, list) else [value]
                    self.extend(held, values, in_a_loop=in_a_loop)
                else:
                    self.names[name] = self.budget.sum(held, value)
            case [Group(opening="(") as group] if name.endswith(".add"):
                held = self.names.get(name.removesuffix(".add"))
                self.extend(held, self._list(group), in_a_loop=in_a_loop)

    def _expression(self, items: list[Item], place: int) -> tuple[Any, int]:
        """A value, a sum, or values with commas between them; what it is piped into is passed over."""
        values: list[Any] = []
        of_one = said_at(items, place) == ","  # a comma before a value makes a list of it
        place += of_one
        while True:
            value, place = self._term(items, place)
            while said_at(items, place) == "+":
                right, place = self._term(items, place + 1)
                value = self.budget.sum(value, right)
            values.append(value)
            if said_at(items, place) != ",":
                break
            place += 1
            while said_at(items, place) == "\n":
                place += 1
        if place < len(items) and said_at(items, place) not in ("\n", ";", "|"):
            values = [UNWRITTEN]
        return (values[0] if len(values) == 1 and not of_one else values), place

    def _term(self, items: list[Item], place: int) -> tuple[Any, int]:
        item = items[place] if place < len(items) else None
        if isinstance(item, Group):
            return self._group(items, place, item)
        if item is None or item.said in ("\n", ";"):
            return UNWRITTEN, place
        if item.kind in TEXTS:
            return self.text(item), place + 1
        if item.kind == "number":
            return number(item.said), place + 1
        if item.said.lower() == "convertto-json":
            while said_at(items, place + 1).startswith("-") or said_at(items, place + 1).isdigit():
                place += 1
            return self._term(items, place + 1)
        return self.names.get(item.said.lower(), UNWRITTEN), place + 1

    def _group(self, items: list[Item], place: int, group: Group) -> tuple[Any, int]:
        match group.opening, items[place + 1 : place + 3]:
            case "[", [Token(said=method), Group(opening="(") as inner] if method.lower().endswith(".getbytes"):
                return self._inner(inner), place + 3
            case "[", [Group() | Token(), *_]:
                return self._term(items, place + 1)  # of this type
            case "@{", _:
                return self.object(group), place + 1
            case "@(", _:
                return self._list(group), place + 1
            case "(" | "$(", _:
                return self._inner(group), place + 1
        return UNWRITTEN, place + 1

    def _inner(self, group: Group) -> Any:
        values = self._list(group)
        return values[0] if isinstance(values, list) and len(values) == 1 else values

    def _list(self, group: Group) -> Any:
        """The list that is in brackets."""
        return self.once(group, list[Any](), self._add_elements)

    def _add_elements(self, items: list[Item], values: list[Any]) -> None:
        place = 0
        while place < len(items):
            if said_at(items, place) in ("\n", ";", ","):
                place += 1
                continue
            value, place = self._expression(items, place)
            place = _past_statement(items, place)
            values += value if isinstance(value, list) else [value]

    def object(self, group: Group) -> Any:
        return self.once(group, dict[str, Any](), self._add_keys)

    def _add_keys(self, items: list[Item], made: dict[str, Any]) -> None:
        place = 0
        while place < len(items):
            item = items[place]
            if isinstance(item, Token) and said_at(items, place + 1) == "=":
                value, place = self._expression(items, place + 2)
                place = _past_statement(items, place)
                made[self.text(item) if item.kind in TEXTS else item.said] = value
            else:
                place += 1
        self.noted(made)

    def text(self, token: Token) -> str:
        if token.kind == "here":
            return token.said
        if token.kind == "single":
            return token.said.replace("''", "'")

        def piece(match: re.Match[str]) -> str:
            if match["name"]:
                value = self.names.get(f"${match['name'].lower()}", UNWRITTEN)
                return value if isinstance(value, str) else Template(match[0])
            if match["character"]:
                return _character(match["character"])
            if match["asked"]:
                return Template(match[0])
            if match["twice"]:
                return '""' if token.kind == "here_double" else '"'
            return _LETTERS.get(match["letter"], match["letter"])

        return self.replaced(token.said, _ESCAPE, piece)


def _past_statement(items: list[Item], place: int) -> int:
    """Past what a value is piped into."""
    while place < len(items) and said_at(items, place) not in ("\n", ";"):
        place += 1
    return place


def _character(digits: str) -> str:
    try:
        return chr(int(digits, 0))
    except ValueError:  # no such number, or no such character
        return "\ufffd"
