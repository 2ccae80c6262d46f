"""Finds the request in PowerShell: the body of ``Invoke-RestMethod`` or ``curl.exe``, as JSON or a hashtable.

Nothing is executed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from components.snippets.code import request_of
from components.snippets.raw_request import RawRequest, Template
from components.snippets.tokens import Group, Item, Token, index_after, text_at, tree
from components.snippets.translation import Translation, call, key_of, literal

_IS_POWERSHELL = re.compile(
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
    r"|\$\(\[char\](?P<character>(?:0x)?[0-9a-fA-F]{1,6})\)|(?P<subexpression>\$\()",
    re.DOTALL,
)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "a": "\a", "e": "\x1b", "\n": ""}
_SENDS = frozenset({"invoke-restmethod", "invoke-webrequest", "irm", "iwr", "curl", "curl.exe"})
_BODY = {"-body", "-d", "--data", "--data-raw", "--data-binary", "--json"}


def powershell_request(text: str) -> RawRequest | None:
    """The first request in ``text``, or None. Raises ImportProblem when its values are unknown."""
    if not _IS_POWERSHELL.search(text):
        return None
    begin = _BEGINS.search(text)
    return request_of(text, tree(text[begin.end() if begin else 0 :], _TOKEN), _PowerShell(), _SENDS)


class _PowerShell(Translation):
    loops = frozenset({"for", "foreach", "while", "foreach-object", "%"})
    object_opening = "@{"
    list_opening = "@("
    equals = "="
    separators = ("\n", ";")
    gaps = ("\n", ";", ",")
    joins_lists = True

    def named(self, items: list[Item], index: int) -> Iterator[ast.stmt]:
        name = text_at(items, index).lower()
        if name in _SENDS:
            yield ast.Expr(call(name, []))
        if name in _BODY:
            yield ast.Expr(call(name, [self.term(items, index + 1)[0]]))
        match items[index + 1 : index + 2]:
            case [Token(text="=" | "+=" as sign)] if name.startswith("$"):
                value = self.whole(items, *self.expression(items, index + 2))
                base, _, key = text_at(items, index).partition(".")
                target = ast.Name(base.lower())
                if sign == "+=":
                    yield ast.AugAssign(ast.Name(name), ast.Add(), value)
                else:
                    yield ast.Assign([key_of(target, key) if key else target], value)
            case [Group(opening="(") as group] if name.endswith(".add"):
                target_list = ast.Name(name.removesuffix(".add"))
                yield ast.Expr(call(ast.Attribute(target_list, "add"), self.elements(group)))

    def is_an_object(self, group: Group) -> bool:
        return group.opening == "@{"

    def expression(self, items: list[Item], index: int) -> tuple[ast.expr, int]:
        """A value, or a list of values separated by commas; a leading comma makes a list of one."""
        values: list[ast.expr] = []
        is_list = text_at(items, index) == ","
        index -= not is_list
        while not values or text_at(items, index) == ",":
            value, index = super().expression(items, index_after(items, index + 1, "\n") if values else index + 1)
            values.append(value)
        return (ast.List(values) if is_list or len(values) > 1 else values[0]), index

    def term(self, items: list[Item], index: int) -> tuple[ast.expr, int]:
        match items[index : index + 3]:
            case [Token(kind="name", text=name), *_] if name.lower() == "convertto-json":
                while text_at(items, index + 1).startswith("-") or text_at(items, index + 1).isdigit():
                    index += 1
                return self.term(items, index + 1)
            case [Token(kind="name", text=name), *_]:
                return ast.Name(name.lower()), index + 1
            case [Group(opening="["), Token(text=method), Group(opening="("), *_] if method.lower().endswith(
                ".getbytes"
            ):
                return self.term(items, index + 2)
            case [Group(opening="["), _, *_]:
                return self.term(items, index + 1)  # a cast
        return super().term(items, index)

    def text(self, token: Token) -> ast.expr:
        if token.kind in ("here", "single"):
            return ast.Constant(token.text if token.kind == "here" else token.text.replace("''", "'"))

        def piece(match: re.Match[str]) -> str | ast.expr:
            if match["name"]:
                variable = ast.Name(f"${match['name'].lower()}")
                return ast.FormattedValue(ast.BoolOp(ast.Or(), [variable, ast.Constant(Template(match[0]))]), -1)
            if match["character"]:
                return _character(match["character"])
            if match["subexpression"]:
                return ast.Constant(Template(match[0]))
            if match["twice"]:
                return '""' if token.kind == "here_double" else '"'
            return _LETTERS.get(match["letter"], match["letter"])

        return literal(token.text, _ESCAPE, piece)


def _character(digits: str) -> str:
    try:
        return chr(int(digits, 0))
    except ValueError:  # invalid number or character
        return "\ufffd"
