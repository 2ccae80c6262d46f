"""Counts in words."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """The count and its noun, such as "1 run" or "1,000 runs"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
