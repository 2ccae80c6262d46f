r"""Renders a model's Markdown, while it grows, as blocks of safe HTML.

Text formatting, code and formulas are rendered; nothing loads or runs. Images, raw HTML, reference definitions,
footnotes and Streamlit's own additions stay literal text, so no word is hidden and no later line changes the meaning
of an earlier block.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from components.markdown import rules
from components.markdown.code import code_html
from components.markdown.formulas import mathml
from components.markdown.sanitizer import sanitized

_DEEPEST_NESTING = 40
"""Levels of lists, quotes and formatting. A deeper block is shown as its source."""
_LONGEST_FORMATTED = 4_000
"""Characters of a paragraph. Some rules take quadratic time; a longer paragraph is not formatted."""
_MAX_LINES = 2_000
"""Lines of a list, a table, a quotation or a paragraph. The rest becomes a separate block: the parser
needs some hundred times the memory of the text."""
_READ_AT_ONCE = 100_000
"""Characters."""
_WIDE_FORMULA = 50

_LINE_END = re.compile(r"\r\n?")
_ENDED_BY_BLANK_LINE = {"blockquote_open", "heading_open", "hr", "paragraph_open", "table_open"}
_BLANK_END = re.compile(r"\n[ \t]*\n\Z")
# The usual open paragraph. The full parser gives the same result in twice the time.
_PLAIN_WORDS = re.compile(r"[^\W\d_](?:[^\W_]|[ ,.;'()?-])*")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_DIRECTED = re.compile(r"<(p|h[1-6]|ul|ol|li|blockquote|t[dh])(?=[ >])")
_ALLOWED_LINK = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)


class MarkdownBlocks:
    """A growing Markdown text as blocks of HTML. Only the text decides which blocks are settled."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        """Safe HTML of each block; joined, they are the whole text."""
        self.settled = 0
        """The number of blocks that will not change. Later blocks are still open."""
        self._read = 0
        self._open = ""

    def update(self, text: str, *, ended: bool = False) -> None:
        """Set the whole text so far, which begins with the previous one. ``ended`` settles all blocks."""
        while len(text) - self._read > _READ_AT_ONCE:
            self._take(text[: self._read + _READ_AT_ONCE], ended=False)
        self._take(text, ended=ended)

    def _take(self, text: str, *, ended: bool) -> None:
        # The line feed of a CRLF may still arrive.
        end = len(text) - (text.endswith("\r") and not ended)
        new = _LINE_END.sub("\n", text[self._read : end])
        if not new and not ended:
            return
        self._read = end
        self._open += new
        del self.blocks[self.settled :]
        if ended or "\n" in new:
            self._settle(ended)
        if _PLAIN_WORDS.fullmatch(self._open) and "www" not in self._open and not _RIGHT_TO_LEFT.search(self._open):
            self.blocks.append(f"<p>{self._open.rstrip(' ')}</p>\n")
            return
        self.blocks.extend(_draw(block, final=False) for block in _read(self._open).blocks)

    def _settle(self, ended: bool) -> None:
        # An incomplete line can become anything, for example a list item.
        complete = self._open if ended else self._open[: self._open.rfind("\n") + 1]
        reading = _read(complete)
        while reading.length < len(complete):
            self._draw_final(reading.blocks)
            complete, self._open = complete[reading.length :], self._open[reading.length :]
            reading = _read(complete)
        final = len(reading.blocks) if ended else reading.final
        self._draw_final(reading.blocks[:final])
        self._open = self._open[reading.blocks[final].start if final < len(reading.blocks) else len(complete) :]

    def _draw_final(self, blocks: list[_Block]) -> None:
        self.blocks.extend(_draw(block, final=True) for block in blocks)
        self.settled = len(self.blocks)


@dataclass(frozen=True)
class _Block:
    start: int
    source: str
    tokens: list[Token]


@dataclass(frozen=True)
class _Reading:
    blocks: list[_Block]
    final: int
    """The number of blocks that no later line can change."""
    length: int
    """The number of characters read: all, unless a block has too many lines."""


def _read(text: str) -> _Reading:
    env: dict[str, Any] = {}
    groups = _groups(_MARKDOWN.block.parse(text, _MARKDOWN, env, []) or [])
    lines = [first for first, _ in groups]
    for (first, tokens), next_first in zip(groups, [*lines[1:], text.count("\n")], strict=False):
        if tokens[0].nesting and next_first - first > _MAX_LINES:
            return _read(text[: _line_starts(text, [first + _MAX_LINES])[0]])
    starts = [*_line_starts(text, lines), len(text)]
    blocks = [
        _Block(start, text[start:end], tokens)
        for (_, tokens), start, end in zip(groups, starts, starts[1:], strict=False)
    ]
    unclosed = env.get("unclosed")
    final = sum(1 for first in lines[1:] if unclosed is None or first <= unclosed)
    if blocks and blocks[-1].tokens[0].type in _ENDED_BY_BLANK_LINE and _BLANK_END.search(text):
        final = len(blocks)
    return _Reading(blocks, final, len(text))


def _groups(tokens: list[Token]) -> list[tuple[int, list[Token]]]:
    """The tokens of each outermost block, with its first line."""
    groups: list[tuple[int, list[Token]]] = []
    depth = 0
    for token in tokens:
        if depth == 0:
            groups.append((token.map[0] if token.map else 0, []))
        groups[-1][1].append(token)
        depth += token.nesting
    return groups


def _line_starts(text: str, lines: list[int]) -> list[int]:
    """Where these ascending lines start. The lines after the last one are not counted: an open block may be long."""
    starts: list[int] = []
    line = position = 0
    for number in lines:
        while line < number:
            position = text.index("\n", position) + 1
            line += 1
        starts.append(position)
    return starts


def _draw(block: _Block, *, final: bool) -> str:
    if any(token.level >= _DEEPEST_NESTING - 1 for token in block.tokens):
        # The parser drops deeper content.
        return sanitized(code_html(block.source))
    env: dict[str, Any] = {"final": final}
    for index, token in enumerate(block.tokens):
        if token.type == "inline":
            before = block.tokens[max(0, index - 2) : index]
            checkbox = _checkbox(before[0]) if before and before[-1].type == "paragraph_open" else ""
            env["in_cell"] = bool(before) and before[-1].type in ("td_open", "th_open")
            token.children = [*_text(checkbox), *_inline(token.content, env)]
    markup = str(_MARKDOWN.renderer.render(block.tokens, _MARKDOWN.options, env))
    if _RIGHT_TO_LEFT.search(block.source):
        markup = _DIRECTED.sub(r'<\1 dir="auto"', markup)
    return sanitized(markup)


def _checkbox(token: Token) -> str:
    return ("☑ " if token.meta["checked"] else "☐ ") if "checked" in token.meta else ""


def _text(content: str) -> list[Token]:
    return [Token("text", "", 0, content=content)] if content else []


def _inline(content: str, env: dict[str, Any]) -> list[Token]:
    if len(content) > _LONGEST_FORMATTED:
        return _text(content)
    tokens: list[Token] = []
    state = rules.InlineState(content, _MARKDOWN, env, tokens)
    _MARKDOWN.inline.tokenize(state)
    for rule in _MARKDOWN.inline.ruler2.getRules(""):
        rule(state)
    opened: list[Token] = []
    for token in tokens:
        if token.type == "link_open":
            opened.append(token)
        elif token.type == "link_close" and not (opening := opened.pop()).attrs["href"]:
            # A link without a target stays text.
            opening.type, opening.content = "text", "["
            token.type, token.content = "text", "]()"
    return tokens


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802
        return _ALLOWED_LINK.match(url) is not None


class _Writer(RendererHTML):
    """Renders tokens as HTML; one method per kind with non-default HTML."""

    def text(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return escapeHtml(tokens[idx].content)

    text_special = text

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return code_html(tokens[idx].content.removesuffix("\n"), tokens[idx].info if env["final"] else "")

    code_block = fence

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        # Wide tables scroll.
        return '<div class="table"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>\n"

    def td_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        align = str(token.attrs.get("style", "")).removeprefix("text-align:")
        return f'<{token.tag} class="{align}">' if align else f"<{token.tag}>"

    th_open = td_open

    def list_item_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        checkbox = _checkbox(tokens[idx])
        # In a paragraph, the first line has the checkbox.
        inside = tokens[idx + 1].type == "paragraph_open"
        return f'<li class="task">{"" if inside else checkbox}' if checkbox else "<li>"

    def formula(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        markup = mathml(token.content, displayed=False)
        if markup is None:
            return f"<code>{escapeHtml(token.meta['source'])}</code>"
        # Formulas wider than a phone scroll; others stay attached to the next comma.
        kind = "formula wide" if len(token.content) > _WIDE_FORMULA else "formula"
        return f'<span class="{kind}">{markup}</span>'

    def displayed_formula(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        written = mathml(token.content, displayed=True)
        if written is None:
            return code_html(f"{token.markup}\n{token.content}\n{rules.FORMULA_ENDS[token.markup]}")
        return f'<div class="formula">{written}</div>\n'


def _reader() -> MarkdownIt:
    options = {"html": False, "maxNesting": _DEEPEST_NESTING, "xhtmlOut": False, "tasklists": True}
    reader = _Markdown("commonmark", options, renderer_cls=_Writer)
    reader.enable(["table", "strikethrough"]).disable(["reference", "html_block", "html_inline"])
    reader.block.ruler.at("table", rules.table, {"alt": ["paragraph"]})
    reader.block.ruler.before(
        "fence", "displayed_formula", rules.displayed_formula, {"alt": ["paragraph", "blockquote", "list"]}
    )
    reader.inline.ruler.at("image", rules.image)
    reader.inline.ruler.before("escape", "formula", rules.formula)
    reader.inline.ruler.before("autolink", "cell_line_break", rules.cell_line_break)
    reader.inline.ruler.push("bare_address", rules.bare_address)
    reader.inline.add_terminator_char(".")
    return reader


_MARKDOWN = _reader()
