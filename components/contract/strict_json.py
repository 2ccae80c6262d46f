"""Parses JSON strictly: input that parsers interpret differently is refused."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

from components.contract import sentences

MAX_VALUES = 100_000
"""Commas and opening brackets, also inside texts: Python's parser needs 10 ms for this many values.

During this time the parser blocks all other threads. Two million characters of prose or code have fewer.
"""
_MAX_DIGITS = 4_300


def read_json(text: bytes | str) -> Any:
    """The value in ``text``. Raises ValueError with the reason for invalid JSON.

    Refused are NaN, numbers beyond a float, nesting beyond Python's limit, duplicate keys, and far more values than any
    request has.
    """
    if holds_too_much(text):
        raise ValueError(f"it holds more than {MAX_VALUES:,} values")
    try:
        return json.loads(
            text, parse_constant=_refuse, parse_float=_finite, parse_int=_whole, object_pairs_hook=_distinct
        )
    except RecursionError:
        raise ValueError("it nests too deeply") from None


def holds_too_much(text: bytes | str, limit: int = MAX_VALUES) -> bool:
    """Whether JSON may hold more values than the limit: it has more commas and opening brackets."""
    marks = (b",", b"[", b"{") if isinstance(text, bytes) else (",", "[", "{")
    return sum(map(text.count, marks)) > limit  # type: ignore[arg-type]


def read_json_object(text: bytes | str, what: str) -> dict[str, Any]:
    """The object in ``text``. Raises ValueError with a sentence that begins with ``what``, such as "The request"."""
    try:
        value = read_json(text)
    except ValueError as error:
        raise ValueError(f"{what} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(sentences.NOT_AN_OBJECT.format(what=what))
    return value


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits[:40]} is too large")
    return value


def _whole(digits: str) -> int:
    # Python's default limit.
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"{digits[:40]}… has too many digits")
    return int(digits)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        duplicate = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {duplicate[:40]!r} occurs twice")
    return fields
