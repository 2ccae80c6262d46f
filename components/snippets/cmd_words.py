"""Splits commands into words by the rules of the Windows command prompt and of the programs that it starts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from components.snippets import sentences
from components.snippets.problem import ImportProblem
from components.snippets.shell_words import Command, Word

# A caret escapes the next character; at the end of a line it continues the line. Carets within quotes are literal,
# except at the end of a line, where they are surely meant as continuations.
_PART = re.compile(
    r"\^\n?(?P<escaped>.?)|(?P<quoted>\"(?:[^\"\n^]++|\^(?!\n))*+\"?)|(?P<end>\n)|(?P<plain>[^\"^\n]++)", re.DOTALL
)
# Backslashes are literal unless a quote follows. Single quotes, which cmd does not know, quote as in other shells.
_QUOTED = re.compile(r"""(?P<before>\\*+)"(?P<double>")?|(?P<backslashes>\\++)|(?P<plain>[^"\\]++)""")
_OUTSIDE = re.compile(
    r"""(?P<before>\\*+)"|(?P<backslashes>\\++)|(?P<single>(?<!\S)'[^']*+')|(?P<blank>[ \t]++)"""
    r"""|(?P<plain>[^ \t"'\\]++|')"""
)
_PROMPT = re.compile(r"\A\s*+(?:[A-Za-z]:[^>\s]*+>)?+")
_FOR_OTHERS = re.compile(r"`([`$])|\\(\\)")
_MAX_PARTS = 200_000


def cmd_commands(text: str) -> Iterator[Command]:
    """The commands in ``text``, in order. Raises ImportProblem for too many words."""
    line: list[str] = []
    has_carets = False
    for count, match in enumerate(_PART.finditer(text)):
        if count > _MAX_PARTS:
            raise ImportProblem(sentences.TOO_MANY_WORDS_OF_A_COMMAND)
        if match.lastgroup == "end":
            yield Command(_words("".join(line), has_carets=has_carets))
            line, has_carets = [], False
        else:
            has_carets |= match["escaped"] == '"'
            line.append(match[match.lastgroup or "escaped"] or "")
    yield Command(_words("".join(line), has_carets=has_carets))


def _words(line: str, *, has_carets: bool) -> list[Word]:
    # Browsers double each backslash, and one browser escapes for PowerShell, too.
    copied = has_carets or '""' in line
    line = _PROMPT.sub("", line, count=1)
    words: list[Word] = []
    word: Word | None = None
    quoted = False
    position = 0
    while match := (_QUOTED if quoted else _OUTSIDE).match(line, position):
        position = match.end()
        if match.lastgroup == "blank":
            word = None
            continue
        if word is None:
            word = Word()
            words.append(word)
        piece = match[0]
        if match["before"] is not None:
            slashes = len(match["before"])
            piece = "\\" * (slashes // 2)
            if slashes % 2:
                # This quote is literal; another quote after it is matched separately.
                piece += '"'
                position = match.end("before") + 1
            elif quoted and match["double"]:
                piece += '"'
            else:
                quoted = not quoted
        elif match.lastgroup == "single":
            piece = piece[1:-1]
        elif copied:
            piece = _FOR_OTHERS.sub(r"\1\2", piece)
        word.pieces.append(piece)
    return words
