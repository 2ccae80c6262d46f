"""A word diff of two texts: kept, removed and added pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz.distance import Indel

# Each character is in exactly one token: joined tokens are the text.
MAX_COMPARED = 20_000
"""Words of a text, each run of white space and each other sign counted as well. Cost is quadratic: two texts of this
length take 50 ms and 50 MB."""

_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


class Kind(StrEnum):
    """The kind of change of a piece of text."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class Piece:
    """A piece of text, never empty, with one kind of change."""

    kind: Kind
    text: str


def word_differences(before: str, after: str) -> list[Piece] | None:
    """The pieces that turn ``before`` into ``after``, with the fewest added and removed words.

    A word is a run of letters, digits and underscores, a run of white space, or any other single character. Kept
    and removed pieces together are ``before``; kept and added pieces are ``after``. A
    replacement is a removal, then an addition; white space between two replacements belongs to them, so that
    adjacent words stay together. Neighbours differ in kind. None where one of them has more than
    ``MAX_COMPARED`` words.
    """
    words_before, words_after = _TOKEN.findall(before), _TOKEN.findall(after)
    if max(len(words_before), len(words_after)) > MAX_COMPARED:
        return None
    pieces: list[Piece] = []
    removed = added = ""
    end_before = end_after = 0
    # The last block is empty and stands at the end of both texts.
    for block in Indel.editops(words_before, words_after).as_matching_blocks():
        same_end = block.a + block.size
        removed += "".join(words_before[end_before : block.a])
        added += "".join(words_after[end_after : block.b])
        same = "".join(words_before[block.a : same_end])
        end_before, end_after = same_end, block.b + block.size
        is_last = end_before == len(words_before) and end_after == len(words_after)
        if same.isspace() and (removed or added) and not is_last:
            removed, added = removed + same, added + same
        elif same or is_last:
            pieces += [Piece(Kind.REMOVED, removed), Piece(Kind.ADDED, added), Piece(Kind.SAME, same)]
            removed = added = ""
    return [piece for piece in pieces if piece.text]


def changed_share(pieces: Iterable[Piece]) -> float:
    """The share of both texts' words that the other text does not have, from 0 to 1; 0 without words."""
    words = [(piece.kind, len(_WORD.findall(piece.text))) for piece in pieces]
    changed = sum(count for kind, count in words if kind is not Kind.SAME)
    # What is the same stands in both texts.
    total = changed + 2 * sum(count for kind, count in words if kind is Kind.SAME)
    return changed / total if total else 0.0
