"""Renders a model's code as HTML, highlighted where the language is given and known."""

from __future__ import annotations

import re
import time
from typing import Any

import pygments
from markdown_it.common.utils import escapeHtml, unescapeAll
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

_LONGEST_HIGHLIGHTED = 20_000
"""Characters of one piece of code; the rest stays plain."""
_HIGHLIGHTING_S = 0.005
_HIGHLIGHTING_S_PER_CHARACTER = 15e-6
"""Five times the time of usual code."""
_LANGUAGE = re.compile(r"\s*\{?\.?([\w+#.-]+)")
# Limits each step of a lexer: other threads run, and the time is checked, only between steps.
_HARD_TO_READ = re.compile(r"[^\n]{1000}|\s{100}")
# The usual languages of models, with lexers that read front to back. Others read the whole text first, or load
# any lexer that the text names.
_LANGUAGES = {
    "bash", "sh", "shell", "zsh", "console", "shell-session", "batch", "bat", "powershell", "ps1", "docker",
    "dockerfile", "make", "makefile", "cmake", "nginx", "c", "cpp", "c++", "csharp", "c#", "cs", "go", "golang",
    "java", "kotlin", "scala", "groovy", "swift", "objective-c", "rust", "rs", "zig", "dart", "javascript", "js",
    "jsx", "typescript", "ts", "tsx", "json", "yaml", "yml", "toml", "ini", "properties", "xml", "html", "css",
    "scss", "less", "graphql", "python", "py", "python3", "ruby", "rb", "perl", "php", "lua", "r", "julia",
    "matlab", "haskell", "hs", "ocaml", "elixir", "erlang", "clojure", "lisp", "fsharp", "sql", "mysql",
    "postgresql", "sqlite3", "latex", "tex", "diff", "protobuf", "proto", "terraform", "hcl", "vb.net", "vim",
    "nix", "solidity",
}  # fmt: skip
_FORMATTER = HtmlFormatter(nowrap=True)


def code_html(code: str, info: str = "") -> str:
    """The code with a copy button. ``info`` is the info string of its fence and begins with the language."""
    content = _highlighted(code, info) or escapeHtml(code)
    copy = '<button type="button" class="copy" aria-label="Copy code">Copy</button>'
    return f'<div class="code">{copy}<pre><code>{content}</code></pre></div>\n'


def _highlighted(code: str, info: str) -> str | None:
    language = _LANGUAGE.match(unescapeAll(info))
    highlighted = code[:_LONGEST_HIGHLIGHTED]
    if language is None or language[1].lower() not in _LANGUAGES or _HARD_TO_READ.search(highlighted):
        return None
    lexer = get_lexer_by_name(language[1].lower())
    # Most lexers take quadratic time for some hostile code. Thread time excludes other work on the machine.
    give_up = time.thread_time() + _HIGHLIGHTING_S + _HIGHLIGHTING_S_PER_CHARACTER * len(highlighted)
    tokens: list[tuple[Any, str]] = []
    for _, kind, value in lexer.get_tokens_unprocessed(highlighted):
        if time.thread_time() > give_up:
            break
        tokens.append((kind, value))
    coloured = "".join(value for _, value in tokens)
    # Some lexers lose characters.
    if not highlighted.startswith(coloured):
        return None
    content: str = pygments.format(tokens, _FORMATTER)
    content = content if coloured.endswith("\n") else content.removesuffix("\n")
    return content + escapeHtml(code[len(coloured) :])
