r"""Makes Markdown that a model wrote safe to show with ``st.markdown``: its text formatting stays, nothing loads.

Images, raw HTML and Streamlit's own additions (directives, icons, emoji codes, arrows) show as the characters that the
model wrote; code is not touched. It is not for text of our own, and it reads one text at a time: footnotes and
reference-style links, which point to another place in the text, show as characters too.

What is code and what is not is told by the block rules of CommonMark 0.31 (containers, fences, indented code). A text
with an image in it is read strictly: wherever two readers could disagree, the output is changed until they cannot.
"""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_left

# For what Streamlit replaces in the finished text, when backslashes have done their work. Invisible.
_JOINER = "\u2060"
_QUOTE = 0
# Nobody writes deeper; each level would be asked about on every line.
_DEEPEST_NESTING = 32
_LONGEST_FORMULA_LINES = 60

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_LONE_RETURN = re.compile(r"\r(?!\n)")
_FENCE = re.compile(r"(`{3,})([^`]*)|(~{3,})(.*)")
_HEADING = re.compile(r"#{1,6}(?: .*)?")
_THEMATIC_BREAK = re.compile(r"([-_*])(?: *\1){2,} *")
_UNDERLINE = re.compile(r"(=+|-+) *")
_LIST_MARKER = re.compile(r"(?:[-+*]|(\d{1,9})[.)])(?= |$)")
# A table's second line, a heading's underline: they hold nothing but their shape.
_RULED_LINE = re.compile(r"[\s>]*+[-|:\s]*+(?<=[-|:\s])")
# What Streamlit draws as a diagram, which fetches the images it names; a character reference could spell it, too.
_DIAGRAM = re.compile(r"&|mer(?=maid)", re.IGNORECASE)
_MAY_BE_DIAGRAM = re.compile(r"&|mermaid", re.IGNORECASE)
_FENCE_ANYWHERE = re.compile(r"`{3}|~{3}")
_PLAIN_FORMULA_LINE = re.compile(r"\s*[A-Za-z\\&{}(]")

# From the beginning of blanks on, so that none is read twice.
_BREAKS_CODE = re.compile(r"(?<![\s>])(?:[^\S\n]|>)*+\n[\s>]*+(?:\[\^|<|::|\$\$)")
_BREAKS_CODE_STRICT = re.compile(r"[|\n]")

_FORMULA = r"(?:[^\\\n`$]|\\[^()\[\]\n`$])+"
_INLINE = re.compile(
    rf"""
      \\\((?P<parenthesised>{_FORMULA})\\\) | (?<!!)\\\[(?P<bracketed>{_FORMULA})\\\]
    | (?P<formula>\$(?![\s$])(?:[^\\\n`$]|\\[^\n`$])+(?<!\s)\$(?!\d) | \$\$(?:[^\\\n`$]|\\[^\n`$])+\$\$(?!\$))
    | (?P<escaped>\\[!-/:-@\[-`{{-~])
    | (?P<ticks>`+)
    | (?P<image>!\[)
    | (?P<bracket>[\[\]])
    | (?P<autolink><https?://[^\s<>`\\$|\[\]]+>)
    | (?P<html><(?=[A-Za-z/!?]))
    | (?P<address>(?:(?<![a-z])https?://|(?<![^\s(*_~\[\]])www\.)[\w\-./?=&%\#~:@+,;]*)
    | (?P<code_name>:(?=[A-Za-z0-9_+-]+:|material/))
    | (?P<colon>:(?=\w|[^\x00-\x7f]|//))
    | (?P<arrow>(?<![^\s*_~`)\]>$|])(?:<->|->|<-|--|>=|<=|~=)(?![^\s*_~`\[<!$:\\|]))
    | (?P<dollar>\$)
    """,
    re.VERBOSE | re.IGNORECASE,
)
# An address that holds nothing which could be read as the start of something else.
_LINK_TARGET = re.compile(
    r"""\(\ *(?:https?://|mailto:)
        (?: [^\s()`<>\\$|\[\]] | \([^\s()`<>\\$|\[\]]*\) )+
        (?:\ +"[^"\n`<>\\$|\[\]]*")?\ *\)""",
    re.IGNORECASE | re.VERBOSE,
)
# What makes a bare address a link at once, with all that follows up to a blank, added backslashes too. With one here it
# becomes a link only in the finished text.
_ADDRESS_START = re.compile(r":(?=\w|//)|(?<=www)\.", re.IGNORECASE)
_CLEAN_END = re.compile(r"[^\s<`\\$\[\]!:|]{0,100}(?:\s|$)")


def inert_markdown(text: str) -> str:
    """Markdown for ``st.markdown`` that looks like ``text`` and loads nothing. Call it on a whole text or a piece."""
    # As st.markdown does: code that is indented in all its lines would be code here and none there.
    text = textwrap.dedent(text).strip()
    while text.startswith("\ufeff"):
        text = text[1:].strip()
    text = _LONE_RETURN.sub("\n", text)
    try:
        return _Reader(text).read()
    except _TooDeepError:
        fence = "`" * (3 + max(map(len, re.findall("`+", text)), default=0))
        return f"{fence}\n{text}\n{fence}"


class _TooDeepError(Exception):
    """More levels of lists and quotes than a person writes."""


class _Reader:
    """Goes over the lines, keeps account of the open containers, and gathers prose until something else begins."""

    def __init__(self, text: str) -> None:
        self._lines: list[str] = _LINE.findall(text)
        self._strict = "![" in text or bool(_MAY_BE_DIAGRAM.search(text) and _FENCE_ANYWHERE.search(text))
        self._out: list[str] = []
        self._prose: list[list[str]] = []
        # Of each open container the columns that its content is indented by, or _QUOTE.
        self._containers: list[int] = []
        self._empty_item = False
        self._fence = ""
        self._paragraph = False
        self._indented_code = False

    def read(self) -> str:
        index = 0
        while index < len(self._lines):
            index += self._take(index)
        self._end_prose()
        return "".join(self._out)

    def _take(self, index: int) -> int:
        """Read a line, or a formula of several; the number of lines read."""
        line = self._lines[index]
        columns = line.rstrip("\r\n").expandtabs(4)
        blank = not columns.strip(" ")
        column, matched = self._match_containers(columns, blank)
        if self._fence and matched == len(self._containers):
            if self._closes_fence(columns[column:]):
                self._fence = ""
            self._out.append(line)
            return 1
        if self._fence:
            self._fence, self._paragraph = "", False
        if blank:
            # An item that begins with a blank line is over at a second one.
            del self._containers[matched - (self._empty_item and matched == len(self._containers)) :]
            self._empty_item = self._paragraph = False
            self._end_prose()
            self._out.append(line)
            return 1
        return self._take_text(index, columns, column, matched)

    def _match_containers(self, columns: str, blank: bool) -> tuple[int, int]:
        column = matched = 0
        for width in self._containers:
            indent = _indent(columns, column)
            if width == _QUOTE:
                if indent > 3 or columns[column + indent : column + indent + 1] != ">":
                    break
                column += indent + 1
                column += columns[column : column + 1] == " "
            elif indent >= width:
                column += width
            elif columns[column:].strip(" "):
                break
            matched += 1
        return column, matched

    def _closes_fence(self, rest: str) -> bool:
        closing = rest.strip(" ")
        return _indent(rest) < 4 and set(closing) == {self._fence[0]} and len(closing) >= len(self._fence)

    def _take_text(self, index: int, columns: str, column: int, matched: int) -> int:
        line = self._lines[index]
        continues = self._paragraph and matched == len(self._containers)
        lazy = self._paragraph and not continues
        opened = False
        # As Streamlit's reader does, and no other: indented code is not over at a blank line, nor at a first marker.
        interrupts = continues or (self._indented_code and matched == len(self._containers))
        while _indent(columns, column) < 4:
            start = column + _indent(columns, column)
            container = _container_at(columns, start, interrupts)
            if container is None:
                break
            if not opened:
                del self._containers[matched:]
            opened, continues, lazy = True, False, False
            width, past = container
            self._containers.append(width if width == _QUOTE else start - column + width)
            column = past
            if len(self._containers) > _DEEPEST_NESTING:
                raise _TooDeepError
        rest = columns[column:].lstrip(" ")
        indented = _indent(columns, column) > 3
        self._empty_item = opened and self._containers[-1] != _QUOTE and not rest
        fence = None if indented else _FENCE.fullmatch(rest)
        # Below a table, a lone dash is a list.
        ruled = continues and bool(_UNDERLINE.fullmatch(rest)) and not (self._strict and rest.rstrip(" ") == "-")
        single = not indented and bool(ruled or _HEADING.fullmatch(rest) or _THEMATIC_BREAK.fullmatch(rest))
        if lazy and not fence and not single:
            # The paragraph of an inner list or quote goes on, unless it was a table.
            if self._strict:
                self._end_prose()
                self._out.append("\n")
            else:
                continues = True
        if not continues and not opened:
            del self._containers[matched:]
        self._indented_code = indented and not continues
        if fence:
            self._fence = fence[1] or fence[3]
            self._write_code(_DIAGRAM.sub(rf"\g<0>{_JOINER}", line))
        elif indented and not continues:
            self._write_code(line)
        elif not indented and not lazy and (lines := self._write_formula(index, column, rest)):
            self._paragraph = False
            return lines
        else:
            if self._strict and interrupts and not single and not indented and (marker := _LIST_MARKER.match(rest)):
                # A list cannot begin here, but could if the paragraph were a table.
                place = _place(line, len(columns) - len(rest)) + len(marker[1] or "")
                line = f"{line[:place]}\\{line[place:]}"
            if not continues or single or not self._prose:
                self._prose.append([])
            self._prose[-1].append(line)
            if continues and _RULED_LINE.fullmatch(line):
                self._prose[-1:] = [self._prose[-1][:-1], [line], []]
            # And a line of equals signs does not end a table.
            self._paragraph = (not single and bool(rest)) or (self._strict and rest.startswith("="))
        return 1

    def _write_code(self, line: str) -> None:
        self._end_prose()
        self._out.append(line)
        self._paragraph = False

    def _write_formula(self, index: int, column: int, rest: str) -> int:
        """Write a formula that fills whole lines as Streamlit displays one; the number of lines, 0 if it is none."""
        closing = {"$$": "$$", "\\[": "\\]"}.get(rest[:2])
        if closing is None or _QUOTE in self._containers:
            return 0
        body = [rest[2:].rstrip(" ")]
        while not body[-1].endswith(closing):
            if len(body) == _LONGEST_FORMULA_LINES or index + len(body) == len(self._lines):
                return 0
            columns = self._lines[index + len(body)].rstrip("\r\n").expandtabs(4)
            if not columns.strip(" ") or _indent(columns) < column:
                return 0
            body.append(columns.strip(" "))
        count = len(body)
        body[-1] = body[-1][:-2]
        body = [part for part in body if part.strip()]
        # Where it is not read as a formula after all, it must not be read as a list, a quote or a tag either.
        if not body or any(re.search(r"[`$]|!\[", part) for part in body):
            return 0
        if self._strict and not all(map(_PLAIN_FORMULA_LINE.match, body)):
            return 0
        line = self._lines[index]
        self._end_prose()
        pad = " " * column
        self._out.append(line[: _place(line, column)] + "$$\n")
        self._out.extend(f"{pad}{part.strip()}\n" for part in body)
        self._out.append(f"{pad}$$\n" + "\n" * self._strict)
        return count

    def _end_prose(self) -> None:
        blocks, self._prose = self._prose, []
        strict = any("![" in line for block in blocks for line in block)
        for number, block in enumerate(blocks):
            if number and len(block) == 1 and _RULED_LINE.fullmatch(block[0]):
                self._out.extend(block)
            elif strict:
                # Line by line: then it does not matter where a reader sees a paragraph or a table begin and end.
                self._out.extend(_inert_inline(line, strict=True) for line in block)
            else:
                self._out.append(_inert_inline("".join(block), strict=False))


def _indent(columns: str, start: int = 0) -> int:
    end = start
    while columns.startswith(" ", end):
        end += 1
    return end - start


def _place(line: str, column: int) -> int:
    """Where in a line with tabs a column stands."""
    reached = place = 0
    while reached < column and place < len(line):
        reached += 4 - reached % 4 if line[place] == "\t" else 1
        place += 1
    return place


def _container_at(columns: str, start: int, continues_paragraph: bool) -> tuple[int, int] | None:
    """A quote or list item that begins there: the columns it takes, and where its content begins."""
    if columns.startswith(">", start):
        return _QUOTE, start + 1 + columns.startswith(" ", start + 1)
    rest = columns[start:]
    marker = _LIST_MARKER.match(rest)
    if marker is None or _THEMATIC_BREAK.fullmatch(rest):
        return None
    empty = not rest[marker.end() :].strip(" ")
    if continues_paragraph and (empty or marker[1] not in (None, "1")):
        return None
    spaces = _indent(rest, marker.end())
    width = marker.end() + (1 if empty or spaces > 4 else spaces)
    return width, min(start + width, len(columns))


def _inert_inline(text: str, strict: bool) -> str:
    """Prose in which nothing loads. Strict: one line, in which nothing but code spans can take in a backtick."""
    runs: dict[int, list[int]] = {}
    for run in re.finditer("`+", text):
        runs.setdefault(len(run[0]), []).append(run.start())
    out: list[str] = []
    brackets: list[bool] = []
    position = 0
    while token := _INLINE.search(text, position):
        found, kind = token[0], token.lastgroup
        out.append(text[position : token.start()])
        position = token.end()
        if kind == "ticks":
            starts = runs.get(len(found), [])
            next_run = bisect_left(starts, position)
            end = starts[next_run] + len(found) if next_run < len(starts) else 0
            # A table would be cut at the bar first, and a paragraph where some block begins.
            if end and not (_BREAKS_CODE_STRICT if strict else _BREAKS_CODE).search(text, position, end):
                out.append(text[token.start() : end])
                position = end
            else:
                out.append("\\`" * len(found))
        elif kind in ("parenthesised", "bracketed", "formula"):
            body = found[2:-2] if kind != "formula" else found
            if strict or not body.strip():
                position = token.start() + (1 if kind == "formula" else 2)
                out.append("\\$" if kind == "formula" else found[:2])
            else:
                mark = {"parenthesised": "$", "bracketed": "$$"}.get(kind, "")
                # Two formulas must not share their dollars, nor an amount begin with one.
                before = _JOINER if "".join(out[-2:]).endswith("$") else ""
                after = _JOINER if text[position : position + 1].isdigit() else ""
                out.append(before + mark + body.strip() + mark + after)
        elif kind == "bracket" and found == "[":
            brackets.append(False)
            out.append(found)
        elif kind == "bracket":
            of_image = bool(brackets) and brackets.pop()
            target = None if of_image else _LINK_TARGET.match(text, position)
            if target:
                position = target.end()
                out.append("]" + (_ADDRESS_START.sub(r"\\\g<0>", target[0]) if strict else target[0]))
            else:
                # Neither a link to elsewhere than the web nor a definition, which would not be seen.
                out.append("\\]" if of_image or text.startswith(("(", ":"), position) else "]")
        elif kind == "image":
            brackets.append(True)
            out.append("!\\[")
        elif kind == "address":
            clean = not strict and _CLEAN_END.match(text, position)
            out.append(found if clean else _ADDRESS_START.sub(r"\\\g<0>", found))
        elif kind == "autolink" and not strict:
            out.append(found)
        elif kind == "autolink":
            position = token.start() + 1
            out.append("\\<")
        elif kind == "arrow":
            out.append(found[0] + _JOINER + found[1:])
        elif kind == "escaped":
            out.append(found + _JOINER * (found[1] in ":-<>~="))
        else:
            out.append("\\" + found + (_JOINER if kind == "code_name" else ""))
    out.append(text[position:])
    return "".join(out)
