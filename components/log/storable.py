"""Texts and numbers in a form that every database can store."""

from __future__ import annotations

import math
from typing import Any

_NO_CHARACTER = "\N{REPLACEMENT CHARACTER}"


def storable_text(text: str) -> str:
    """The text with U+FFFD for each NUL and lone surrogate."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", _NO_CHARACTER)


def storable(value: Any) -> Any:
    """A text as by ``storable_text``; None for NaN, infinities, and integers beyond 64 bits."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return None
    return value
