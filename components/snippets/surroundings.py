"""Removes what surrounds code in a paste: Markdown fences, prompts, notebook commands, and prose."""

from __future__ import annotations

import ast
import re
import textwrap

_INLINE = re.compile(r"(?<!`)`(curl(?:\.exe)?\s[^`]++)`(?!`)")
_FENCE = re.compile(r"^[ \t]*+(?P<mark>`{3,}|~{3,})(?P<rest>[^\n]*+)$", re.MULTILINE)
# The continuation prompts of shells.
_CONTINUATION = re.compile(r"(?<=\\\n)>[ ]|(?<=\^\n)More\?[ ]")
_PYTHON_PROMPT = re.compile(r"[ \t]*+(?:>>>|\.\.\.)(?: |$)")
_HAS_PYTHON_PROMPT = re.compile(r"^[ \t]*+>>> ", re.MULTILINE)
_CELL_PROMPT = re.compile(r"^[ \t]*+(?:In \[[ \d]*+\]|\.\.\.):(?: |$)|^Out\[\d*+\]:[^\n]*+$", re.MULTILINE)
# Shell commands and magics of notebooks.
_OF_A_NOTEBOOK = re.compile(r"[ \t]*+[!%]")
_SHELL_CELL = re.compile(r"^%%(?:bash|sh|script|cmd|powershell)\b[^\n]*+\n", re.MULTILINE)
_LOOKS_LIKE_CODE = re.compile(
    r"[ \t]*+(?:(?:import|from|with|def|class|async|for|if|try|await|return)\s|@|#|[}\])]"
    r"|[A-Za-z_][\w.]*+(?:\[[^\]\n]*+\])?+[ \t]*+(?:=|\(|:[^\n]*+=))"
)
_MAX_TRIES = 5


def without_prompts(text: str) -> str:
    """The text without prompts of Python, notebooks and shells, and without printed output between them."""
    text = _CONTINUATION.sub("", _SHELL_CELL.sub("", text))
    first = _HAS_PYTHON_PROMPT.search(text)
    if first is None or _within_a_text(text, first.start()):
        return _CELL_PROMPT.sub("", text)
    prompts = [(line, _PYTHON_PROMPT.match(line)) for line in text.split("\n")]
    return "\n".join(line[prompt.end() :] for line, prompt in prompts if prompt)


def fenced_blocks(text: str) -> list[str]:
    """The fenced code blocks of Markdown. A fence within a Python string does not count."""
    blocks: list[str] = []
    begin, mark = -1, ""
    for match in _FENCE.finditer(text):
        if begin < 0:
            if not blocks and _within_a_text(text, match.start()):
                return []
            begin, mark = match.end() + 1, match["mark"]
        elif match["mark"].startswith(mark) and not match["rest"].strip():
            blocks.append(textwrap.dedent(text[begin : match.start()]).strip())
            begin = -1
    if begin >= 0:
        blocks.append(text[begin:].strip())
    return blocks or _INLINE.findall(text)


def _within_a_text(text: str, index: int) -> bool:
    """Whether ``index`` is within a triple-quoted string of Python."""
    return bool(text.count('"""', 0, index) % 2 or text.count("'''", 0, index) % 2)


def parsed(text: str) -> ast.Module | None:
    """The syntax tree of the Python in a text, without notebook commands and surrounding prose; None without Python."""
    lines = textwrap.dedent(text).split("\n")
    if all(line[:1] in ("", " ", "\t") for line in lines[1:]) and not lines[0].rstrip().endswith((":", "(", "[", "{")):
        # The first line was copied without its indentation.
        lines = [lines[0], *textwrap.dedent("\n".join(lines[1:])).split("\n")]
    begin, end = 0, len(lines)
    for attempt in range(_MAX_TRIES):
        try:
            return ast.parse("\n".join(lines[begin:end]))
        except SyntaxError as error:
            if attempt == 0 and any(map(_OF_A_NOTEBOOK.match, lines)):
                lines = ["" if _OF_A_NOTEBOOK.match(line) else line for line in lines]
                continue
            error_line = begin + max(error.lineno or 1, 1) - 1
        except (ValueError, MemoryError, RecursionError):  # a null character, or beyond the parser's limits
            return None
        if any("messages" in line for line in lines[begin:error_line]):
            end = error_line
        else:
            begin = next((n for n in range(error_line + 1, end) if _LOOKS_LIKE_CODE.match(lines[n])), end)
        if begin >= end:
            break
    try:  # arguments without their call
        return ast.parse("call(\n" + textwrap.dedent(text).strip().removesuffix(")") + "\n)")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
