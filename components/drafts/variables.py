"""Variables in messages: ``{{name}}`` is a placeholder for a value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MAX_FILLED = 2_000_000
"""The most characters of messages with variables filled in: ten thousand uses of a long value would fill the memory."""
_VARIABLE = re.compile(r"\{\{[ \t]*([^\W\d]\w{0,63})[ \t]*\}\}")


def names_in(texts: Iterable[str]) -> list[str]:
    """The distinct variables in these texts, in order of appearance."""
    return list(dict.fromkeys(name for text in texts for name in _VARIABLE.findall(text)))


def filled_length(text: str, values: Mapping[str, str]) -> int:
    """The length of the text with its variables filled in, without building it."""
    variables = [(len(match[0]), values.get(match[1])) for match in _VARIABLE.finditer(text)]
    return len(text) + sum(len(value) - length for length, value in variables if value is not None)


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables filled in.

    Values are inserted verbatim: braces in them are text. Variables without a value stay. A text that would be longer
    than ``MAX_FILLED`` is returned unchanged.
    """
    if filled_length(text, values) > MAX_FILLED:
        return text
    return _VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)
