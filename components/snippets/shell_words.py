"""A shell command's words, as bash would read them. Nothing is executed, looked up or replaced."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from components.snippets.problem import ImportProblem

# Every repetition is possessive or of one class only, so that no text, however long, is read more than once.
_PART = re.compile(
    r"""
      '(?P<single>[^']*+)'
    | \$'(?P<escaped>(?:[^'\\]++|\\.)*+)'
    | \$?"(?P<double>(?:[^"\\]++|\\.)*+)"
    | \\(?P<continued>\n|\Z)
    | \\(?P<one>.)
    | (?P<blank>[ \t\r]++)
    | (?P<comment>(?<![^ \t\n])\#[^\n]*+)
    | (?P<end>[\n;|&<>()])
    | (?P<plain>[^\s'"\\$;|&<>()\#]++|[$\#\s])
    """,
    re.VERBOSE | re.DOTALL,
)
# Words, blanks and quoted pieces; a long body with many quotes in it has some ten thousand.
_MOST_PARTS = 200_000

# In double quotes a backslash is one, unless it stands before these.
_IN_DOUBLE_QUOTES = re.compile(r"\\([$`\"\\\n])")
_REPLACED_BY_A_SHELL = re.compile(r"(?<!\\)(?:\\\\)*+(?:`|\$[A-Za-z0-9_{(])")

_ESCAPE = re.compile(
    r"\\(?:u(?P<short>[0-9a-fA-F]{1,4})|U(?P<long>[0-9a-fA-F]{1,8})|x(?P<hexadecimal>[0-9a-fA-F]{1,2})"
    r"|(?P<octal>[0-7]{1,3})|(?P<letter>.))",
    re.DOTALL,
)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "E": "\x1b"}


@dataclass
class Word:
    """One word of a command. ``replaced`` says that a shell would have put something else into it."""

    pieces: list[str] = field(default_factory=list)
    replaced: bool = False

    @property
    def text(self) -> str:
        """What the command would be given."""
        return "".join(self.pieces)


def commands(text: str) -> list[list[Word]]:
    """The simple commands in ``text``, in order, each as its words.

    Raises ImportProblem when a quote is not closed, and for far more words than any command has.
    """
    found: list[list[Word]] = [[]]
    word: Word | None = None
    position = parts = 0
    while position < len(text):
        match = _PART.match(text, position)
        parts += 1
        if parts > _MOST_PARTS:
            raise ImportProblem("The text holds far more words than a command. Paste the command alone.")
        if match is None:
            raise ImportProblem("A quote in the command is not closed. Copy the whole command again.")
        position = match.end()
        kind = match.lastgroup or ""
        part = match[kind]
        if kind in ("blank", "comment", "end"):
            word = None
            if kind == "end" and found[-1]:
                found.append([])
        elif kind != "continued":
            if word is None:
                word = Word()
                found[-1].append(word)
            word.pieces.append(_read(kind, part))
            word.replaced |= part == "$" if kind == "plain" else kind == "double" and _replaced(part)
    return found


def _replaced(part: str) -> bool:
    return _REPLACED_BY_A_SHELL.search(part) is not None


def _read(kind: str, part: str) -> str:
    if kind == "double":
        return _IN_DOUBLE_QUOTES.sub(lambda match: "" if match[1] == "\n" else match[1], part)
    return _ESCAPE.sub(_character, part) if kind == "escaped" else part


def _character(match: re.Match[str]) -> str:
    if match["letter"]:
        return _LETTERS.get(match["letter"], match[0] if match["letter"].isalnum() else match["letter"])
    digits = match["short"] or match["long"] or match["hexadecimal"]
    number = int(digits, 16) if digits else int(match["octal"], 8)
    if number > 0x10FFFF:
        raise ImportProblem("An escape in the command names no character. Copy the whole command again.")
    return chr(number)
