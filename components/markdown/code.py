"""Writes code that a model wrote as HTML, with its words coloured where its language is told and known."""

from __future__ import annotations

import re
import time
from typing import Any

import pygments
from markdown_it.common.utils import escapeHtml, unescapeAll
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

_LONGEST_HIGHLIGHTED = 30_000
_HIGHLIGHTING_S = 0.02
_HIGHLIGHTING_S_PER_CHARACTER = 15e-6
"""Five times what usual code takes."""
_LANGUAGE = re.compile(r"\s*\{?\.?([\w+#.-]+)")
_VERY_LONG_LINE = re.compile(r"[^\n]{1000}")
_FORMATTER = HtmlFormatter(nowrap=True)


def code_html(code: str, info: str = "") -> str:
    """The code with a button to copy it. ``info`` is what stands behind its fence and begins with the language."""
    content = _highlighted(code, info) or escapeHtml(code)
    copy = '<button type="button" class="copy" aria-label="Copy code">Copy</button>'
    return f'<div class="code">{copy}<pre><code>{content}</code></pre></div>\n'


def _highlighted(code: str, info: str) -> str | None:
    language = _LANGUAGE.match(unescapeAll(info))
    if language is None or len(code) > _LONGEST_HIGHLIGHTED or _VERY_LONG_LINE.search(code):
        return None
    try:
        lexer = get_lexer_by_name(language[1].lower(), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
    # Some lexers take quadratic time for code that nobody would write. Other work on this machine does not count.
    give_up = time.thread_time() + _HIGHLIGHTING_S + _HIGHLIGHTING_S_PER_CHARACTER * len(code)
    tokens: list[tuple[Any, str]] = []
    for token in lexer.get_tokens(code):
        if time.thread_time() > give_up:
            return None
        tokens.append(token)
    # And some lose characters.
    if "".join(value for _, value in tokens) != code:
        return None
    content: str = pygments.format(tokens, _FORMATTER)
    return content if code.endswith("\n") else content.removesuffix("\n")
