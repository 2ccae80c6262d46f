"""A person's judgement of two answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Better(StrEnum):
    """The better one of two answers."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"
    BOTH_BAD = "both bad"


@dataclass(frozen=True)
class Judgement:
    """A judgement; ``first`` and ``second`` are the settings of the two answers, in words."""

    first: str
    second: str
    verdict: Better
