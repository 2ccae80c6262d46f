"""Variables in messages: ``{{name}}`` stands for a value that is given apart from the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MOST_FILLED = 2_000_000
"""Characters of messages with their variables filled in: ten thousand times a long value is more than memory holds."""
_VARIABLE = re.compile(r"\{\{[ \t]*([^\W\d]\w{0,63})[ \t]*\}\}")


def names_in(texts: Iterable[str]) -> list[str]:
    """The variables in these texts, each once, in the order in which they first come."""
    return list(dict.fromkeys(name for text in texts for name in _VARIABLE.findall(text)))


def filled_length(text: str, values: Mapping[str, str]) -> int:
    """How long the text is with each variable's value in its place, without putting them there."""
    found = [(len(match[0]), values.get(match[1])) for match in _VARIABLE.finditer(text)]
    return len(text) + sum(len(value) - length for length, value in found if value is not None)


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with each variable's value in its place.

    A value is put in as it is: braces in it are text and stand for nothing. A variable without a value stays. A text
    that would be longer than ``MOST_FILLED`` stays as a whole.
    """
    if filled_length(text, values) > MOST_FILLED:
        return text
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)
