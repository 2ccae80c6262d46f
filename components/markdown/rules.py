"""Rules for markdown-it beyond CommonMark: formulas, bare addresses, images as text, limited tables."""

from __future__ import annotations

import re

from markdown_it.common.utils import isWhiteSpace
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import table as read_table
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.image import image as read_image
from markdown_it.rules_inline.state_inline import Scanned

_LONGEST_FORMULA_LINES = 60

FORMULA_ENDS = {"$$": "$$", "\\[": "\\]"}
_INLINE_FORMULA = re.compile(
    r"""
      \\\( (?P<parenthesised>(?:[^\\\n`$]|\\[^()\[\]\n`])++) \\\)
    | \\\[ (?P<bracketed>(?:[^\\\n`$]|\\[^()\[\]\n`])++) \\\] (?!\()
    | \$\$ (?P<doubled>(?:[^\\\n`$]|\\[^\n`])++) \$\$ (?!\$)
    | (?<![A-Za-z\d]) \$ (?![\s$]) (?P<dollars>(?:[^\\\n`$]|\\[^\n`])++) (?<!\s) \$ (?![A-Za-z\d_{])
    """,
    re.VERBOSE,
)
_LINE_BREAK = re.compile(r"<br[ \t]*/?>", re.IGNORECASE)
_EAST_ASIAN = re.compile(
    "[\u1100-\u11ff\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
_AMOUNT = re.compile(r"\$\d[^\\]*\Z")
_WORDS = re.compile(r"[A-Za-z]{2},? [A-Za-z]{2}")


def displayed_formula(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    r"""``$$…$$`` or ``\[…\]`` that fills whole lines, none of them blank."""
    if state.is_code_block(first):
        return False
    content = _line(state, first)
    closing = FORMULA_ENDS.get(content[:2])
    if closing is None:
        return False
    indent = min(state.blkIndent, state.sCount[first])
    body = [content[2:]]
    while closing not in body[-1]:
        line = first + len(body)
        if line == end:
            if line == len(state.bMarks) - 1:
                # At the end of the text the formula may continue.
                state.env["unclosed"] = min(first, state.env.get("unclosed", first))
            return False
        if len(body) == _LONGEST_FORMULA_LINES or state.isEmpty(line) or state.sCount[line] < indent:
            return False
        body.append(_line(state, line))
        if body[-1].startswith("\\["):
            return False
    body[-1], _, after = body[-1].partition(closing)
    formula = "\n".join(body).strip()
    if after.strip() or not formula or "`" in formula:
        return False
    if not silent:
        state.line = first + len(body)
        token = state.push("displayed_formula", "", 0)
        token.block = True
        token.map = [first, state.line]
        token.content = formula
        token.markup = content[:2]
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def formula(state: StateInline, silent: bool) -> bool:
    r"""``$…$``, ``$$…$$``, ``\(…\)`` or ``\[…\]`` inside a line, but no amounts of money."""
    if state.src[state.pos] not in "$\\":
        return False
    match = _INLINE_FORMULA.match(state.src, state.pos, state.posMax)
    if match is None or not match[match.lastgroup or 0].strip():
        return False
    if _AMOUNT.match(match[0]) and _WORDS.search(match[0]):
        # "$10, and later another 20$"
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content = match[match.lastgroup or 0].strip()
        token.meta = {"source": match[0]}
    state.pos = match.end()
    return True


class InlineState(StateInline):
    """A line with emphasis allowed between a Chinese, Japanese or Korean character and punctuation.

    CommonMark treats a mark next to punctuation as inside a word unless white space is on its other side, and these
    languages write none. The rules are those of ``markdown-cjk-friendly``.
    """

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803
        """The number of marks here, and whether they may open and close."""
        scanned = super().scanDelims(start, canSplitWord)
        end = start + scanned.length
        before = self.src[start - 1] if start else " "
        after = self.src[end] if end < self.posMax else " "
        near_blank = isWhiteSpace(ord(before)) or isWhiteSpace(ord(after))
        if canSplitWord and not near_blank and (_EAST_ASIAN.match(before) or _EAST_ASIAN.match(after)):
            return Scanned(True, True, scanned.length)
        return scanned


def cell_line_break(state: StateInline, silent: bool) -> bool:
    """``<br>`` in a table cell, where no other line break is possible. Elsewhere it stays text."""
    if not state.env.get("in_cell") or not (match := _LINE_BREAK.match(state.src, state.pos)):
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = match.end()
    return True


def image(state: StateInline, silent: bool) -> bool:
    """An image as its Markdown source."""
    start = state.pos
    if not read_image(state, True):
        return False
    if not silent:
        # After the bracket, which would begin a link.
        state.pending += "!["
        state.pos = start + 2
    return True


# By the sign that identifies an address: patterns before and after it, and the prefix of the link.
_ADDRESS_END = r"(?:[^\s<>()`\\\u3000-\u303f\uff00-\uffef]|\([^\s<>()`\\]*+\))"
_BARE_ADDRESSES = {
    ":": (re.compile(r"(?<![A-Za-z0-9])https?$", re.IGNORECASE), re.compile(rf"://{_ADDRESS_END}++"), ""),
    ".": (re.compile(r"(?<![\w/.-])www$"), re.compile(rf"\.(?:[\w-]+\.)+[\w-]+(?:[/?#]{_ADDRESS_END}*+)?"), "http://"),
    "@": (
        re.compile(r"(?<![\w/.+-])[A-Za-z0-9][\w.+-]*$"),
        re.compile(r"@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
        "mailto:",
    ),
}


def bare_address(state: StateInline, silent: bool) -> bool:
    """A web or mail address without link markup."""
    sign = state.src[state.pos]
    if silent or state.linkLevel or sign not in _BARE_ADDRESSES:
        return False
    before, after, prefix = _BARE_ADDRESSES[sign]
    begins = before.search(state.src, max(0, state.pos - 100), state.pos)
    rest = begins and after.match(state.src, state.pos, state.posMax)
    if not begins or not rest or not state.pending.endswith(begins[0]):
        return False
    address = (begins[0] + rest[0]).rstrip("?!.,:;*_~'\"[]|")
    if state.pos - begins.start() + len(sign) >= len(address):
        return False
    state.pending = state.pending[: -len(begins[0])]
    state.push("link_open", "a", 1).attrs = {"href": state.md.normalizeLink(prefix + address)}
    state.push("text", "", 0).content = address
    state.push("link_close", "a", -1)
    state.pos = begins.start() + len(address)
    return True


def table(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """A table that ends where filled-in cells would dominate: they cost time and memory."""
    if first + 2 > end or "|" not in (header := _line(state, first)):
        return False
    columns = header.count("|") + 1
    last, budget = first + 2, 100
    while not silent and budget > 0 and last < end and not state.isEmpty(last):
        row = _line(state, last)
        budget += len(row) - columns + row.count("|") + 1
        last += 1
    return read_table(state, first, end if silent else last, silent)
