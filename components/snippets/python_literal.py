"""Formats JSON values as readable Python code."""

from __future__ import annotations

import json

from pydantic import JsonValue

from components.snippets import sentences
from components.snippets.nesting import nests_too_deeply
from components.snippets.problem import CannotExport

_STEP = "    "
_LINE_LENGTH = 100


def python_literal(value: JsonValue, indent: str = "") -> str:
    """``value`` as a Python literal; ``indent`` is the indentation of its first line.

    Raises CannotExport when it nests too deeply for Python's parser.
    """
    if nests_too_deeply(value):
        raise CannotExport(sentences.TOO_DEEP_FOR_PYTHON)
    return _literal(value, indent)


def python_arguments(arguments: dict[str, JsonValue], indent: str) -> str:
    """Keyword arguments, one per line. Raises CannotExport as ``python_literal`` does."""
    return "".join(f"{indent}{name}={python_literal(value, indent)},\n" for name, value in arguments.items())


def _literal(value: JsonValue, indent: str) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, list):
        return _brackets("[", "]", [_literal(item, indent + _STEP) for item in value], indent)
    if isinstance(value, dict):
        items = [f"{_string(key)}: {_literal(item, indent + _STEP)}" for key, item in value.items()]
        return _brackets("{", "}", items, indent)
    return repr(value)


def _string(text: str) -> str:
    # JSON's escapes have the same meaning in Python. Invisible and unencodable characters are escaped, too.
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(character if character.isprintable() else _escape(character) for character in quoted)


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _brackets(opening: str, closing: str, items: list[str], indent: str) -> str:
    on_one_line = f"{opening}{', '.join(items)}{closing}"
    if len(indent) + len(on_one_line) <= _LINE_LENGTH and "\n" not in on_one_line:
        return on_one_line
    lines = "".join(f"{indent}{_STEP}{item},\n" for item in items)
    return f"{opening}\n{lines}{indent}{closing}"
