"""Untrusted text inside Tempera's Markdown, without images, links or directives."""

from __future__ import annotations

from components.contract.errors import single_line

_MARKUP = {ord(sign): f"\\{sign}" for sign in "\\`*_[]<>()#$:!|~"}


def plain_words(text: str, limit: int = 500) -> str:
    """The text on one line with all Markdown characters escaped, at most ``limit`` characters before escaping."""
    return single_line(text, limit).translate(_MARKUP)
