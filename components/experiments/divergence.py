"""Finds where answers diverge, in characters and in tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rapidfuzz.distance import Prefix


@dataclass(frozen=True)
class Branch:
    """A piece of text that answers share, with their continuations.

    ``names`` are the answers that share it, in the given order. It begins ``begins_at`` characters
    into each of them. ``branches`` is empty where they end; an answer that ends where others continue is a branch with
    empty text.
    """

    names: tuple[str, ...]
    begins_at: int
    text: str
    branches: tuple[Branch, ...] = ()


def first_difference(first: str, second: str) -> int | None:
    """The first character at which two texts differ, None when they are identical.

    Counted in Unicode characters from 0. Where one text begins with the other, it is the length of the shorter one.
    """
    return None if first == second else Prefix.similarity(first, second)


def divergence(texts: Mapping[str, str]) -> Branch:
    """The tree of what answers share from their beginning. ``texts`` are the answers by name.

    Joined along its path, the tree gives each answer. Identical answers end together in one leaf. The branches of a
    branch begin with different characters, or are empty, and are in the order of their first names.
    """
    return _branch(dict(texts), 0)


def token_at(tokens: Sequence[str], character: int) -> int | None:
    """The piece of a stream that holds that character of the joined text; None beyond its end.

    Pieces are counted from 1, characters from 0. Empty pieces count.
    """
    for number, end in enumerate(accumulate(map(len, tokens)), 1):
        if character < end:
            return number
    return None


def _branch(texts: dict[str, str], begins_at: int) -> Branch:
    answers = list(texts.values())
    shared = min((Prefix.similarity(answers[0], answer) for answer in answers), default=0)
    groups: dict[str, dict[str, str]] = {}
    for name, text in texts.items():
        groups.setdefault(text[shared : shared + 1], {})[name] = text[shared:]
    text = answers[0][:shared] if answers else ""
    if len(groups) <= 1:
        return Branch(tuple(texts), begins_at, text)
    # Each group is smaller than the whole: at most as many levels as answers.
    return Branch(tuple(texts), begins_at, text, tuple(_branch(group, begins_at + shared) for group in groups.values()))
