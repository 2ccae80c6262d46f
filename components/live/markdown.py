r"""Makes Markdown that a model wrote, while it grows, into blocks of HTML that may enter a page.

Its text formatting, code and formulas are shown; nothing loads or runs. Images, raw HTML, reference definitions,
footnotes and Streamlit's own additions stay the characters that the model wrote: so no word hides, and no later line
changes what an earlier block means. Streamlit's own element has ``components.ui.model_text`` for the same purpose.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, tostring

import nh3
import pygments
from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml, unescapeAll
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import table as read_table
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.image import image as read_image
from markdown_it.token import Token
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

_DEEPEST_NESTING = 40
"""Levels of lists, quotes and formatting. Nobody writes deeper; what does is shown as it came."""
_LONGEST_FORMATTED = 20_000
"""Characters of a paragraph. Some reader's rules take quadratic time; a longer one is shown as plain text."""
_LONGEST_HIGHLIGHTED = 20_000
_LONGEST_FORMULA = 2_000
_LONGEST_FORMULA_LINES = 60
_DEEPEST_FORMULA = 20

_LINE_END = re.compile(r"\r\n?")
_ALLOWED_LINK = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)


class MarkdownBlocks:
    """A growing Markdown text as blocks of HTML. Which blocks are settled depends on the text alone."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        """Safe HTML of each block; joined they are the whole text."""
        self.settled = 0
        """How many blocks will not change any more. Those behind them are the open end."""
        self._read = 0
        self._open = ""

    def update(self, text: str, *, ended: bool = False) -> None:
        """Take in the whole text so far, which begins with what it was before. When it has ended all is settled."""
        # The line feed that belongs to a carriage return may come next.
        end = len(text) - (text.endswith("\r") and not ended)
        new = _LINE_END.sub("\n", text[self._read : end])
        self._read = end
        self._open += new
        del self.blocks[self.settled :]
        if ended or "\n" in new:
            self._settle(ended)
        self.blocks.extend(_draw(block, final=False) for block in _read(self._open).blocks)

    def _settle(self, ended: bool) -> None:
        # A line that is not complete can become anything, for example the next item of a list.
        reading = _read(self._open if ended else self._open[: self._open.rfind("\n") + 1])
        final = len(reading.blocks) if ended else reading.final
        self.blocks.extend(_draw(block, final=True) for block in reading.blocks[:final])
        self.settled = len(self.blocks)
        if final == len(reading.blocks):
            self._open = "" if ended else self._open
        else:
            self._open = self._open[reading.blocks[final].start :]


@dataclass(frozen=True)
class _Block:
    start: int
    source: str
    tokens: list[Token]


@dataclass(frozen=True)
class _Reading:
    blocks: list[_Block]
    final: int
    """How many of them no further line can change."""


def _read(text: str) -> _Reading:
    env: dict[str, Any] = {}
    groups = _groups(_MARKDOWN.block.parse(text, _MARKDOWN, env, []) or [])
    lines = [first for first, _ in groups]
    starts = [*_line_starts(text, lines), len(text)]
    blocks = [
        _Block(start, text[start:end], tokens)
        for (_, tokens), start, end in zip(groups, starts, starts[1:], strict=False)
    ]
    unclosed = env.get("unclosed")
    final = sum(1 for first in lines[1:] if unclosed is None or first <= unclosed)
    return _Reading(blocks, final)


def _groups(tokens: list[Token]) -> list[tuple[int, list[Token]]]:
    """The tokens of each outermost block, with the line that it begins in."""
    groups: list[tuple[int, list[Token]]] = []
    depth = 0
    for token in tokens:
        if depth == 0:
            groups.append((token.map[0] if token.map else 0, []))
        groups[-1][1].append(token)
        depth += token.nesting
    return groups


def _line_starts(text: str, lines: list[int]) -> list[int]:
    starts: list[int] = []
    line = position = 0
    for wanted in lines:
        while line < wanted:
            position = text.index("\n", position) + 1
            line += 1
        starts.append(position)
    return starts


def _draw(block: _Block, *, final: bool) -> str:
    if any(token.level >= _DEEPEST_NESTING - 1 for token in block.tokens):
        # The reader leaves out what stands deeper.
        return _gate(_code(escapeHtml(block.source)))
    env = {"final": final}
    checkbox = ""
    for token in block.tokens:
        if token.type == "list_item_open":
            checkbox = {True: "☑ ", False: "☐ "}.get(token.meta.get("checked"), "")
        elif token.type == "inline":
            token.children = [*_text(checkbox), *_inline(token.content, env)]
            checkbox = ""
    return _gate(_MARKDOWN.renderer.render(block.tokens, _MARKDOWN.options, env))


def _text(content: str) -> list[Token]:
    return [Token("text", "", 0, content=content)] if content else []


def _inline(content: str, env: dict[str, Any]) -> list[Token]:
    if len(content) > _LONGEST_FORMATTED:
        return _text(content)
    tokens: list[Token] = []
    _MARKDOWN.inline.parse(content, _MARKDOWN, env, tokens)
    opened: list[Token] = []
    for token in tokens:
        if token.type == "link_open":
            opened.append(token)
        elif token.type == "link_close" and not opened.pop().attrs["href"]:
            # A link to nowhere is no link.
            token.type, token.content = "text", "]()"
    for token in tokens:
        if token.type == "link_open" and not token.attrs["href"]:
            token.type, token.content = "text", "["
    return tokens


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802
        return _ALLOWED_LINK.match(url) is not None


# --- What CommonMark does not say


_FORMULA_ENDS = {"$$": "$$", "\\[": "\\]"}
_INLINE_FORMULA = re.compile(
    r"""
      \\\( (?P<parenthesised>(?:[^\\\n`$]|\\[^()\[\]\n`])++) \\\)
    | \\\[ (?P<bracketed>(?:[^\\\n`$]|\\[^()\[\]\n`])++) \\\] (?!\()
    | \$\$ (?P<doubled>(?:[^\\\n`$]|\\[^\n`])++) \$\$ (?!\$)
    | (?<!\d) \$ (?![\s$]) (?P<dollars>(?:[^\\\n`$]|\\[^\n`])++) (?<!\s) \$ (?!\d)
    """,
    re.VERBOSE,
)


# "$10, and later another 20$": plain words in a row.
_AMOUNTS = re.compile(r"\$\d[^\\]*[A-Za-z]{2,},? [A-Za-z]{2,}[^\\]*\Z")


def _displayed_formula(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    r"""``$$…$$`` or ``\[…\]`` that fills whole lines, none of them blank."""
    if state.is_code_block(first):
        return False
    content = _line(state, first)
    closing = _FORMULA_ENDS.get(content[:2])
    if closing is None:
        return False
    indent = min(state.blkIndent, state.sCount[first])
    body = [content[2:]]
    while closing not in body[-1]:
        line = first + len(body)
        if line == end:
            if line == len(state.bMarks) - 1:
                # Where the text ends the formula may go on.
                state.env["unclosed"] = min(first, state.env.get("unclosed", first))
            return False
        if len(body) == _LONGEST_FORMULA_LINES or state.isEmpty(line) or state.sCount[line] < indent:
            return False
        body.append(_line(state, line))
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


def _formula(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    match = _INLINE_FORMULA.match(state.src, state.pos, state.posMax)
    if match is None or not match[match.lastgroup or 0].strip() or _AMOUNTS.match(match[0]):
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content = match[match.lastgroup or 0].strip()
        token.meta = {"source": match[0], "displayed": match.lastgroup in ("bracketed", "doubled")}
    state.pos = match.end()
    return True


def _image(state: StateInline, silent: bool) -> bool:
    """An image as the characters that the model wrote."""
    start = state.pos
    if not read_image(state, True):
        return False
    if not silent:
        # Past the bracket, which would begin a link.
        state.pending += "!["
        state.pos = start + 2
    return True


_SCHEME = re.compile(r"(?<![A-Za-z0-9])https?$", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://(?:[^\s<>()`\\\u3000-\u303f\uff00-\uffef]|\([^\s<>()`\\]*+\))++", re.IGNORECASE)


def _bare_address(state: StateInline, silent: bool) -> bool:
    if silent or state.src[state.pos] != ":" or state.linkLevel:
        return False
    scheme = _SCHEME.search(state.pending[-6:])
    match = scheme and _ADDRESS.match(state.src, state.pos - len(scheme[0]), state.posMax)
    if not scheme or not match:
        return False
    address = match[0].rstrip("?!.,:;*_~'\"[]|")
    if len(address) <= len(scheme[0]) + 3:
        return False
    state.pending = state.pending[: -len(scheme[0])]
    state.push("link_open", "a", 1).attrs = {"href": state.md.normalizeLink(address)}
    state.push("text", "", 0).content = address
    state.push("link_close", "a", -1)
    state.pos += len(address) - len(scheme[0])
    return True


def _table(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """A table that ends where most of it would be cells that nobody wrote: they take time and room."""
    if first + 2 > end or "|" not in (header := _line(state, first)):
        return False
    columns = header.count("|") + 1
    last, budget = first + 2, 100
    while not silent and budget > 0 and last < end and not state.isEmpty(last):
        row = _line(state, last)
        budget += len(row) - columns + row.count("|") + 1
        last += 1
    return read_table(state, first, end if silent else last, silent)


# --- How it is written as HTML


_FORMATTER = HtmlFormatter(nowrap=True)


def _draw_code(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    code = token.content.removesuffix("\n")
    words = unescapeAll(token.info).split(maxsplit=1)
    lexer = _lexer(words[0].lower()) if env["final"] and words and len(code) <= _LONGEST_HIGHLIGHTED else None
    if lexer is None:
        return _code(escapeHtml(code))
    return _code(pygments.highlight(code, lexer, _FORMATTER).removesuffix("\n"))


def _code(content: str) -> str:
    copy = '<button type="button" class="copy" aria-label="Copy code">Copy</button>'
    return f'<div class="code">{copy}<pre><code>{content}</code></pre></div>\n'


def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _draw_formula(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    displayed = token.meta["displayed"]
    mathml = _mathml(token.content, displayed)
    if mathml is None:
        return f"<code>{escapeHtml(token.meta['source'])}</code>"
    return f'<span class="formula">{mathml}</span>'


def _draw_displayed_formula(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    mathml = _mathml(token.content, True)
    if mathml is None:
        closing = _FORMULA_ENDS[token.markup]
        return _code(escapeHtml(f"{token.markup}\n{token.content}\n{closing}"))
    return f'<div class="formula">{mathml}</div>\n'


def _open_table(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    # Wide ones scroll inside it.
    return '<div class="table"><table>\n'


def _close_table(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return "</table></div>\n"


def _draw_cell(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    align = str(token.attrs.pop("style", "")).removeprefix("text-align:")
    return f'<{token.tag} class="{align}">' if align else f"<{token.tag}>"


def _draw_list_item(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return '<li class="task">' if "checked" in tokens[index].meta else "<li>"


def _draw_text(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return escapeHtml(tokens[index].content)


# --- Formulas

# They define what could grow without end, point to elsewhere or dress up as something else.
_REFUSED = re.compile(
    r"\\(?:def|newcommand|renewcommand|newenvironment|DeclareMathOperator|href|class|style|begin\s*\{\w*tabular)(?![a-z])"
)
_REWRITTEN: list[tuple[re.Pattern[str], str]] = [
    # Names of environments that the converter does not know, and what comes nearest.
    (re.compile(r"\\(begin|end)\s*\{(?:aligned|align|split|eqnarray)\*?\}"), r"\\\1{align*}"),
    (re.compile(r"\\(begin|end)\s*\{(?:gathered|gather|multline)\*?\}"), r"\\\1{matrix}"),
    (re.compile(r"\\(begin|end)\s*\{[dr]?cases\*?\}"), r"\\\1{cases}"),
    # Without braces around it, the brackets of a matrix and its exponent would be one row.
    (re.compile(r"\\begin\s*\{[pbBvV]matrix\*?\}"), r"{\g<0>"),
    (re.compile(r"\\end\s*\{[pbBvV]matrix\*?\}"), r"\g<0>}"),
    (re.compile(r"\\(math(?:bb|bf|cal|frak|scr)) +([A-Za-z])"), r"\\\1{\2}"),
    (re.compile(r"\\tag(?=\s*\*?\s*\{)"), r"\\qquad\\tag"),
]
_REFERENCE = re.compile(r"&#x[0-9A-Fa-f]+;")
_SMALL_LENGTH = re.compile(r"[-+]?\d?(?:\.\d+)?(?:em|ex|cm|mu)|[-+]?\d{1,2}(?:\.\d+)?(?:pt|px|mm|mu)|-?[01](?:\.\d+)?(?:width)?")
_NAMED_LENGTHS = {
    "thinmathspace": "0.167em",
    "thickmathspace": "0.278em",
    "negativethinmathspace": "-0.167em",
    "negativemediummathspace": "-0.222em",
    "negativethickmathspace": "-0.278em",
}
_SUBSTITUTES = {"\u29f5": "\u2216", "\u2015": "\u00af"}
_WITH_LIMITS = {*"∑∏∐⋀⋁⋂⋃⨀⨁⨂", "lim", "max", "min", "sup", "inf", "lim inf", "lim sup", "arg max", "arg min"}
_UNDER_AND_OVER = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
_NO_OPERATORS = "∞∅∂∇∀∃′…"


def _mathml(source: str, displayed: bool) -> str | None:
    """The formula as MathML, unless it is too much or not understood."""
    if len(source) > _LONGEST_FORMULA or _REFUSED.search(source) or _depth(source) > _DEEPEST_FORMULA:
        return None
    if displayed and "\\\\" in source and "\\begin" not in source:
        source = f"\\begin{{matrix}}{source}\\end{{matrix}}"
    for pattern, replacement in _REWRITTEN:
        source = pattern.sub(replacement, source)
    try:
        formula = convert_to_element(source, xmlns="", display="block" if displayed else "inline")
    except Exception:  # noqa: BLE001
        # It has a dozen errors of its own, and raises others where it did not expect what it read.
        return None
    del formula.attrib["xmlns"]
    for element in formula.iter():
        if not _mend(element):
            return None
    return tostring(formula, encoding="unicode", short_empty_elements=False)


def _depth(source: str) -> int:
    depth = deepest = 0
    for mark in re.findall(r"\\[{}]|[{}]|\\(?:left|begin|right|end)(?![a-z])", source):
        depth += {"{": 1, "\\left": 1, "\\begin": 1, "}": -1, "\\right": -1, "\\end": -1}.get(mark, 0)
        deepest = max(deepest, depth)
    return deepest


def _mend(element: Element) -> bool:
    """Make of the converter's MathML what browsers draw as TeX would; false if it holds what was not understood."""
    text = element.text or ""
    if element.tag in ("mi", "mo") and (text == "&" or re.match(r"\\[A-Za-z]", text)):
        return False
    for name in ("depth", "height", "lspace", "voffset", "width"):
        if name in element.attrib:
            length = _NAMED_LENGTHS.get(element.attrib[name], element.attrib[name])
            if not _SMALL_LENGTH.fullmatch(length):
                return False
            element.set(name, length)
    # It names its signs by number, as if what it makes were not escaped any more.
    text = _REFERENCE.sub(lambda match: html.unescape(match[0]), text)
    element.text = text = _SUBSTITUTES.get(text, text)
    if element.tag == "mtext":
        element.text = re.sub(r"\\([_%$&#{} ])", r"\1", text)
    elif element.tag == "mi":
        _mend_name(element, text)
    elif element.tag == "mo" and text in _NO_OPERATORS:
        element.tag = "mi"
    elif element.tag in _UNDER_AND_OVER and element[0].tag == "mo":
        base = element[0]
        if base.text in _WITH_LIMITS or _REFERENCE.sub(lambda match: html.unescape(match[0]), base.text or "") in _WITH_LIMITS:
            base.set("movablelimits", "true")
        if base.get("movablelimits") == "true":
            element.tag = _UNDER_AND_OVER[element.tag]
    return True


def _mend_name(element: Element, text: str) -> None:
    if len(text) > 1 and text.isalpha():
        # The name of a function stands apart from its argument.
        element.tag = "mo"
        element.attrib.update({"form": "prefix", "lspace": "0.167em", "rspace": "0.167em"})
    elif len(text) == 1 and unicodedata.category(text) in ("Sm", "Ps", "Pe") and text not in _NO_OPERATORS:
        element.tag = "mo"
        element.set("stretchy", "false")
    elif "Α" <= text <= "Ω":
        element.set("mathvariant", "normal")


# --- The gate

_MATHML = {
    "math": {"display"},
    "menclose": {"notation"},
    "mfrac": {"linethickness"},
    "mi": {"mathvariant"},
    "mn": {"mathvariant"},
    "mo": {
        "accent", "fence", "form", "largeop", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits",
        "rspace", "separator", "stretchy",
    },
    "mover": {"accent"},
    "mpadded": {"depth", "height", "lspace", "mathbackground", "voffset", "width"},
    "mphantom": set(),
    "mroot": set(),
    "mrow": {"mathcolor", "mathvariant"},
    "mspace": {"depth", "height", "linebreak", "mathbackground", "width"},
    "msqrt": set(),
    "mstyle": {"displaystyle", "mathcolor", "mathvariant", "scriptlevel"},
    "msub": set(),
    "msubsup": set(),
    "msup": set(),
    "mtable": {"columnlines", "columnspacing", "displaystyle", "rowlines", "rowspacing"},
    "mtd": {"columnalign"},
    "mtext": {"mathvariant"},
    "mtr": set(),
    "munder": {"accentunder"},
    "munderover": set(),
}  # fmt: skip
_HTML = {
    "a": {"href", "title"},
    "button": {"aria-label", "type"},
    "ol": {"start"},
    **dict.fromkeys(
        "blockquote br code del div em h1 h2 h3 h4 h5 h6 hr li p pre s span strong table tbody td th thead tr ul".split(),
        set[str](),
    ),
}
_CLEANER = nh3.Cleaner(
    tags={*_MATHML, *_HTML},
    clean_content_tags=set(),
    attributes={**_MATHML, **_HTML},
    allowed_classes={
        "button": {"copy"},
        "div": {"code", "formula", "table"},
        "li": {"task"},
        "span": {"formula", *STANDARD_TYPES.values()},
        "td": {"left", "center", "right"},
        "th": {"left", "center", "right"},
    },
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)


def _gate(markup: str) -> str:
    """The one way out: what is not on the lists above does not pass."""
    return _CLEANER.clean(markup)


@cache
def _markdown() -> MarkdownIt:
    markdown = _Markdown("commonmark", {"html": False, "maxNesting": _DEEPEST_NESTING, "xhtmlOut": False, "tasklists": True})
    markdown.enable(["table", "strikethrough"])
    markdown.disable(["reference", "html_block", "html_inline"])
    markdown.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    markdown.block.ruler.before(
        "fence", "displayed_formula", _displayed_formula, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    markdown.inline.ruler.at("image", _image)
    markdown.inline.ruler.before("escape", "formula", _formula)
    markdown.inline.ruler.push("bare_address", _bare_address)
    for kind, draw in _DRAWN.items():
        markdown.renderer.rules[kind] = draw
    return markdown


_DRAWN: dict[str, Callable[..., str]] = {
    "code_block": _draw_code,
    "displayed_formula": _draw_displayed_formula,
    "fence": _draw_code,
    "formula": _draw_formula,
    "list_item_open": _draw_list_item,
    "table_close": _close_table,
    "table_open": _open_table,
    "td_open": _draw_cell,
    "text": _draw_text,
    "text_special": _draw_text,
    "th_open": _draw_cell,
}
_MARKDOWN = _markdown()
