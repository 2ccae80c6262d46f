"""Limits the nesting of JSON values: Python's parser has a limit, JSON has none."""

from __future__ import annotations

from pydantic import JsonValue

MAX_LEVELS = 100


def nests_too_deeply(value: JsonValue) -> bool:
    """Whether lists and objects nest more than ``MAX_LEVELS`` deep."""
    layer: list[JsonValue] = [value]
    for _ in range(MAX_LEVELS + 1):
        layer = [inner for outer in layer for inner in _parts(outer)]
        if not layer:
            return False
    return True


def _parts(value: JsonValue) -> list[JsonValue]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
