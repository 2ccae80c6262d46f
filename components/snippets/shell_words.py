"""Splits commands into words by bash's rules. Nothing is executed or expanded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from components.snippets import sentences
from components.snippets.problem import ImportProblem

# All repetitions are possessive or of one class: matching takes linear time.
_PART = re.compile(
    r"""
      '(?P<single>[^']*+)'
    | \$'(?P<escaped>(?:[^'\\]++|\\.)*+)'
    | (?P<substituted>"?\$\([ \t]*+cat[ \t]*+(?=<<))
    | \$?"(?P<double>(?:[^"\\]++|\\.)*+)"
    | \\(?P<continued>\n|\Z)
    | \\(?P<one>.)
    | (?P<blank>[ \t\r]++)
    | (?P<comment>(?<![^ \t\n])\#[^\n]*+)
    | (?P<here_string><<<)[ \t]*+
    | <<(?P<dash>-?)[ \t]*+(?P<quote>["']?)(?P<heredoc>[A-Za-z_][A-Za-z0-9_]*+)["']?
    | (?P<end>[\n;|&<>()])
    | (?P<plain>[^\s'"\\$;|&<>()\#]++|[$\#\s])
    """,
    re.VERBOSE | re.DOTALL,
)

# A long body with many quotes has some ten thousand parts.
_MAX_PARTS = 200_000
_MAX_HERE_DOCUMENTS = 20
_CLOSED = re.compile(r'\s*+\)"?')

# Within double quotes a backslash is literal except before these.
_IN_DOUBLE_QUOTES = re.compile(r"\\([$`\"\\\n])")
_IN_HERE_DOCUMENT = re.compile(r"\\([$`\\\n])")
_REPLACED_BY_A_SHELL = re.compile(r"(?<!\\)(?:\\\\)*+(?:`|\$[A-Za-z0-9_{(])")

_ESCAPE = re.compile(
    r"\\(?:u(?P<short>[0-9a-fA-F]{1,4})|U(?P<long>[0-9a-fA-F]{1,8})|x(?P<hexadecimal>[0-9a-fA-F]{1,2})"
    r"|(?P<octal>[0-7]{1,3})|(?P<letter>.))",
    re.DOTALL,
)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "E": "\x1b"}


@dataclass
class Word:
    """A word of a command. ``replaced``: a shell would expand a part of it."""

    pieces: list[str] = field(default_factory=list)
    replaced: bool = False

    @property
    def text(self) -> str:
        """The word without its quotes."""
        return "".join(self.pieces)


@dataclass
class Command:
    """A simple command, its input from a here-document or ``echo``, and the operator before it."""

    words: list[Word] = field(default_factory=list)
    standard_input: Word | None = None
    after: str = ""


def bash_commands(text: str) -> Iterator[Command]:
    """The simple commands in ``text``, in order; the target of a redirection is a command after ``>``.

    Raises ImportProblem for an unclosed quote and for too many words.
    """
    command, line = Command(), list[Command]()
    word: Word | None = None
    pending: list[tuple[Command, re.Match[str]]] = []
    position = parts = 0
    while position < len(text):
        match = _PART.match(text, position)
        parts += 1
        if parts > _MAX_PARTS:
            raise ImportProblem(sentences.TOO_MANY_WORDS_OF_A_COMMAND)
        if match is None:
            raise ImportProblem(sentences.OPEN_QUOTE)
        position = match.end()
        kind = match.lastgroup or ""
        part = match[kind]
        if kind == "heredoc":
            pending.append((command, match))
            word = None
            if len(pending) > _MAX_HERE_DOCUMENTS:
                raise ImportProblem(sentences.TOO_MANY_HERE_DOCUMENTS)
        elif kind == "here_string":
            word = command.standard_input = Word()
        elif kind in ("blank", "comment"):
            word = None
        elif kind == "end":
            word = None
            if part == "\n":
                for reader, opening in pending:
                    reader.standard_input, position = _here_document(text, position, opening)
                pending = []
            before, command = command, Command(after=part)
            program = before.words[0].text if before.words else ""
            if part in "|>" and program == "cat":
                pending = [(command if reader is before else reader, opening) for reader, opening in pending]
            elif part in "|>" and program in ("echo", "printf", "jq"):
                command.standard_input = before.words[-1]
            if before.words:
                line.append(before)
            if not pending:
                yield from line
                line = []
        elif kind != "continued":
            if word is None:
                word = Word()
                command.words.append(word)
            if kind == "substituted":
                position = _substituted(text, match, word)
            else:
                word.pieces.append(_read(kind, part))
                word.replaced |= part == "$" if kind == "plain" else kind == "double" and _replaced(part)
    yield from (each for each in (*line, command) if each.words)


def _substituted(text: str, match: re.Match[str], word: Word) -> int:
    """Read ``$(cat <<EOF … EOF )`` into ``word``; returns the position after it."""
    opening = _PART.match(text, match.end())
    begin = text.find("\n", match.end())
    if opening is None or opening["heredoc"] is None or begin < 0:
        raise ImportProblem(sentences.OPEN_QUOTE)
    content, position = _here_document(text, begin + 1, opening)
    closing = _CLOSED.match(text, position)
    if closing is None:
        raise ImportProblem(sentences.OPEN_QUOTE)
    word.pieces += content.pieces
    word.replaced |= content.replaced
    return closing.end()


def _here_document(text: str, start: int, opening: re.Match[str]) -> tuple[Word, int]:
    """The content of a here-document from ``start`` on, and the position after its end."""
    lines: list[str] = []
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end].lstrip("\t") if opening["dash"] else text[start:end]
        start = min(end + 1, len(text))
        if line.rstrip() == opening["heredoc"]:
            content = "\n".join(lines)
            if opening["quote"]:
                return Word([content]), start
            return Word([_IN_HERE_DOCUMENT.sub(_unescaped, content)], _replaced(content)), start
        lines.append(line)
    raise ImportProblem(sentences.OPEN_HERE_DOCUMENT)


def _replaced(part: str) -> bool:
    return _REPLACED_BY_A_SHELL.search(part) is not None


def _read(kind: str, part: str) -> str:
    if kind == "double":
        return _IN_DOUBLE_QUOTES.sub(_unescaped, part)
    return _ESCAPE.sub(_character, part) if kind == "escaped" else part


def _unescaped(match: re.Match[str]) -> str:
    return "" if match[1] == "\n" else match[1]


def _character(match: re.Match[str]) -> str:
    if match["letter"]:
        return _LETTERS.get(match["letter"], match[0] if match["letter"].isalnum() else match["letter"])
    digits = match["short"] or match["long"] or match["hexadecimal"]
    number = int(digits, 16) if digits else int(match["octal"], 8)
    if number > 0x10FFFF:
        raise ImportProblem(sentences.NO_SUCH_CHARACTER)
    return chr(number)
