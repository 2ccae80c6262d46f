"""Reads typed ranges of numbers such as ``0 to 1 step 0.25``: counted first, then built exactly."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from components.experiments import sentences

_NUMBER = r"[+-]?(?:\d{1,20}(?:\.\d{1,20})?|\.\d{1,20})(?:e[+-]?\d{1,2})?"
_RANGE = re.compile(
    rf"({_NUMBER})\s*(?:to|:|\.\.(?!\.))\s*({_NUMBER})(?:\s*(?:step|by|:)\s*({_NUMBER}))?", re.ASCII | re.IGNORECASE
)

_MAX_IN_FIGURES = 10**36


def read_range(text: str, limit: int) -> list[str] | None:
    """The numbers of ``0 to 1 step 0.25``, ``0:1:0.25`` or ``1..5``, as JSON; None when the text is no range.

    The first number is included, the last if a step meets it. The default step is 1, up or down.
    Raises ValueError with a sentence when they never end, are more than ``limit``, or need a step.
    """
    match = _RANGE.fullmatch(text.strip())
    if not match:
        return None
    first, last = Fraction(match[1]), Fraction(match[2])
    step = _step(first, last, match[3])
    distance = last - first
    if step == 0 or distance / step < 0:
        direction = "above" if distance > 0 else "below"
        needed = f"a step {direction} 0" if distance else "a step other than 0"
        raise ValueError(sentences.RANGE_NEVER_ENDS.format(range=text.strip(), last=match[2], needed=needed))
    count = distance // step + 1
    if count > limit:
        raise ValueError(sentences.RANGE_TOO_LONG.format(range=text.strip(), count=in_figures(count), limit=limit))
    return [_as_json(first + number * step) for number in range(count)]


def in_figures(count: int) -> str:
    """A count, however large, for a sentence: ``1,000,000``, and ``about 10^40`` where digits would fill a line."""
    return f"{count:,}" if count < _MAX_IN_FIGURES else f"about 10^{round(math.log10(count))}"


def _step(first: Fraction, last: Fraction, text: str | None) -> Fraction:
    if text is not None:
        return Fraction(text)
    if (last - first).denominator != 1:
        raise ValueError(sentences.RANGE_WITHOUT_STEP)
    return Fraction(1 if last >= first else -1)


def _as_json(number: Fraction) -> str:
    return str(number.numerator) if number.denominator == 1 else repr(float(number))
