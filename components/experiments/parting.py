"""How likely two answers' tokens were where the answers part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from components.contract.token_probabilities import Token, octets
from components.log.answer_tokens import TokenPiece

_CLOSE = 0.8


@dataclass(frozen=True)
class Parting:
    """One answer's view of the place where another one parts from it.

    ``number`` counts the tokens of the text from 1. ``own`` is the probability of its own token, ``other`` that of the
    other answer's there. A probability is None when it was not returned; ``other`` is then less than ``below``, that of
    the least likely alternative, if there are any.
    """

    number: int
    own_text: str
    other_text: str
    own: float | None
    other: float | None
    below: float | None

    @property
    def own_share(self) -> str:
        """``own`` with three decimals."""
        return _in_words(self.own)

    @property
    def other_share(self) -> str:
        """``other`` with three decimals, or what it is less than."""
        return f"less than {self.below:.3f}" if self.other is None and self.below is not None else _in_words(self.other)

    @property
    def is_close(self) -> bool:
        """Whether the two were about equally likely: the smaller probability is at least 0.8 of the larger one."""
        known = [share for share in (self.own, self.other) if share is not None]
        return len(known) == 2 and min(known) >= _CLOSE * max(known)

    def __str__(self) -> str:
        own, other = (text.replace("\n", "⏎") for text in (self.own_text, self.other_text))
        return f"token {self.number:,}, where “{own}” had {self.own_share} and “{other}” {self.other_share}"


def parting(one: Sequence[TokenPiece], other: Sequence[TokenPiece], character: int) -> Parting | None:
    """The view of the answer ``one``. Both answers are the same up to that character, counted from 0.

    None where one of them has no token there, or where their tokens do not begin at the same character.
    """
    mine, theirs = _at(one, character), _at(other, character)
    if mine is None or theirs is None or mine[0] != theirs[0]:
        return None
    _, number, own = mine
    _, _, wanted = theirs
    found = next((each for each in own.alternatives if octets(each) == wanted.octets), None)
    known = [each.logprob for each in own.alternatives if each.logprob is not None]
    return Parting(
        number,
        own.text,
        wanted.text,
        None if own.is_rest else _share(own.logprob),
        _share(found.logprob) if found else None,
        _share(min(known)) if known and not found else None,
    )


def _at(pieces: Sequence[TokenPiece], character: int) -> tuple[int, int, Token] | None:
    """Where the token with this character begins, its number, and the token; None for a part of a character."""
    begin = number = 0
    for piece in pieces:
        number += len(piece.tokens)
        if character < begin + len(piece.text):
            return (begin, number, piece.tokens[0]) if len(piece.tokens) == 1 else None
        begin += len(piece.text)
    return None


def _in_words(share: float | None) -> str:
    return "n/a" if share is None else f"{share:.3f}"


def _share(logprob: float | None) -> float | None:
    return None if logprob is None else math.exp(logprob)
