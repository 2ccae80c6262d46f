"""Finds the request in PowerShell: the body of ``Invoke-RestMethod`` or ``curl.exe``, as JSON or a hashtable.

Nothing is executed.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from components.snippets.brackets import TEXTS, Group, Item, Program, Token, number, text_at, text_of, tree
from components.snippets.found import UNKNOWN, Found, Template

_IS_ONE = re.compile(
    r"\b(?:Invoke-WebRequest|Invoke-RestMethod|irm|iwr|ConvertTo-Json|curl\.exe)\b|[ \t]`\n|=[ \t]*+@['\"{]",
    re.IGNORECASE,
)
# The beginning of the first command in other text.
_BEGINS = re.compile(
    r"^[ \t]*+(?:PS[^>\n]*+>[ \t]*+)?+(?=\$\w++[ \t]*+[=+.]|Invoke-|(?:irm|iwr|curl(?:\.exe)?)[ \t])",
    re.IGNORECASE | re.MULTILINE,
)
# All repetitions are possessive, and an unclosed string ends with the text: matching takes linear time.
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
    """The first request in ``text``, or None. Raises ImportProblem when its values are unknown."""
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
        name = text_of(items[place]).lower()
        after = [*items[place + 1 : place + 2]]
        self.calls += name in _SENDS
        if name in _BODY:
            value, _ = self._term(items, place + 1)
            self.take(value)
        match after:
            case [Token(text="=")] if name.startswith("$"):
                value, _ = self._expression(items, place + 2)
                holder, _, key = name.partition(".")
                held = self.names.get(holder)
                if not key:
                    self.names[name] = value
                elif isinstance(held, dict):
                    held[text_of(items[place]).partition(".")[2]] = value
                    self.noted(held)
            case [Token(text="+=")] if name.startswith("$"):
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
        """A value, a sum, or values separated by commas; a pipe ends it."""
        values: list[Any] = []
        of_one = text_at(items, place) == ","  # a leading comma makes a list of one item
        place += of_one
        while True:
            value, place = self._term(items, place)
            while text_at(items, place) == "+":
                right, place = self._term(items, place + 1)
                value = self.budget.sum(value, right)
            values.append(value)
            if text_at(items, place) != ",":
                break
            place += 1
            while text_at(items, place) == "\n":
                place += 1
        if place < len(items) and text_at(items, place) not in ("\n", ";", "|"):
            values = [UNKNOWN]
        return (values[0] if len(values) == 1 and not of_one else values), place

    def _term(self, items: list[Item], place: int) -> tuple[Any, int]:
        item = items[place] if place < len(items) else None
        if isinstance(item, Group):
            return self._group(items, place, item)
        if item is None or item.text in ("\n", ";"):
            return UNKNOWN, place
        if item.kind in TEXTS:
            return self.text(item), place + 1
        if item.kind == "number":
            return number(item.text), place + 1
        if item.text.lower() == "convertto-json":
            while text_at(items, place + 1).startswith("-") or text_at(items, place + 1).isdigit():
                place += 1
            return self._term(items, place + 1)
        return self.names.get(item.text.lower(), UNKNOWN), place + 1

    def _group(self, items: list[Item], place: int, group: Group) -> tuple[Any, int]:
        match group.opening, items[place + 1 : place + 3]:
            case "[", [Token(text=method), Group(opening="(") as inner] if method.lower().endswith(".getbytes"):
                return self._inner(inner), place + 3
            case "[", [Group() | Token(), *_]:
                return self._term(items, place + 1)  # a cast
            case "@{", _:
                return self.object(group), place + 1
            case "@(", _:
                return self._list(group), place + 1
            case "(" | "$(", _:
                return self._inner(group), place + 1
        return UNKNOWN, place + 1

    def _inner(self, group: Group) -> Any:
        values = self._list(group)
        return values[0] if isinstance(values, list) and len(values) == 1 else values

    def _list(self, group: Group) -> Any:
        """The elements of a group."""
        return self.once(group, list[Any](), self._add_elements)

    def _add_elements(self, items: list[Item], values: list[Any]) -> None:
        place = 0
        while place < len(items):
            if text_at(items, place) in ("\n", ";", ","):
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
            if isinstance(item, Token) and text_at(items, place + 1) == "=":
                value, place = self._expression(items, place + 2)
                place = _past_statement(items, place)
                made[self.text(item) if item.kind in TEXTS else item.text] = value
            else:
                place += 1
        self.noted(made)

    def text(self, token: Token) -> str:
        if token.kind == "here":
            return token.text
        if token.kind == "single":
            return token.text.replace("''", "'")

        def piece(match: re.Match[str]) -> str:
            if match["name"]:
                value = self.names.get(f"${match['name'].lower()}", UNKNOWN)
                return value if isinstance(value, str) else Template(match[0])
            if match["character"]:
                return _character(match["character"])
            if match["asked"]:
                return Template(match[0])
            if match["twice"]:
                return '""' if token.kind == "here_double" else '"'
            return _LETTERS.get(match["letter"], match["letter"])

        return self.replaced(token.text, _ESCAPE, piece)


def _past_statement(items: list[Item], place: int) -> int:
    """The position of the end of the statement, after any pipes."""
    while place < len(items) and text_at(items, place) not in ("\n", ";"):
        place += 1
    return place


def _character(digits: str) -> str:
    try:
        return chr(int(digits, 0))
    except ValueError:  # invalid number or character
        return "\ufffd"
