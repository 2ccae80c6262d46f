"""Limits the nesting of JSON values: Python's parser has a limit, JSON has none."""

from __future__ import annotations

from pydantic import JsonValue

MAX_LEVELS = 100


def nests_too_deeply(value: JsonValue) -> bool:
    """Whether lists and objects nest more than ``MAX_LEVELS`` deep."""
    layer: list[JsonValue] = [value]
    for _ in range(MAX_LEVELS + 1):
        containers = [outer for outer in layer if isinstance(outer, dict | list)]
        layer = [inner for outer in containers for inner in (outer.values() if isinstance(outer, dict) else outer)]
        if not layer:
            return False
    return True
