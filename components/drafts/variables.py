"""Variables in messages: ``{{name}}`` stands for a value that is given apart from the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_VARIABLE = re.compile(r"\{\{[ \t]*([^\W\d]\w{0,63})[ \t]*\}\}")


def names_in(texts: Iterable[str]) -> list[str]:
    """The variables in these texts, each once, in the order in which they first come."""
    return list(dict.fromkeys(name for text in texts for name in _VARIABLE.findall(text)))


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with each variable's value in its place.

    A value is put in as it is: braces in it are text and stand for nothing. A variable without a value stays.
    """
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)
