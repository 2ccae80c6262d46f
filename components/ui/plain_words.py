"""Foreign words inside Markdown of ours, without what Markdown could read as an image, a link or a directive."""

from __future__ import annotations

from components.contract.errors import single_line

_MARKUP = {ord(sign): f"\\{sign}" for sign in "\\`*_[]<>()#$:!|~"}


def plain_words(text: str, limit: int = 500) -> str:
    """The text on one line, every sign that Markdown reads escaped, at most ``limit`` characters before that."""
    return single_line(text, limit).translate(_MARKUP)
