"""The probabilities of two answers' tokens at their first divergence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from components.contract.token_probabilities import Token, octets
from components.log.answer_tokens import TokenPiece

_CLOSE = 0.8


@dataclass(frozen=True)
class DivergentTokens:
    """The tokens of two answers at their first divergence, with their probabilities in the first of them.

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
        shares = [share for share in (self.own, self.other) if share is not None]
        return len(shares) == 2 and min(shares) >= _CLOSE * max(shares)

    def __str__(self) -> str:
        own, other = (text.replace("\n", "⏎") for text in (self.own_text, self.other_text))
        return f"token {self.number:,}, where “{own}” had {self.own_share} and “{other}” {self.other_share}"


def divergent_tokens(
    own_pieces: Sequence[TokenPiece], other: Sequence[TokenPiece], character: int
) -> DivergentTokens | None:
    """The view of the answer of ``own_pieces``. Both answers are equal up to that character, counted from 0.

    None where one of them has no token there, or where their tokens do not begin at the same character.
    """
    own_place, other_place = _at(own_pieces, character), _at(other, character)
    if own_place is None or other_place is None or own_place[0] != other_place[0]:
        return None
    _, number, own = own_place
    _, _, other_token = other_place
    alternative = next((each for each in own.alternatives if octets(each) == octets(other_token)), None)
    logprobs = [each.logprob for each in own.alternatives if each.logprob is not None]
    return DivergentTokens(
        number,
        own.text,
        other_token.text,
        None if own.is_rest else _share(own.logprob),
        _share(alternative.logprob) if alternative else None,
        _share(min(logprobs)) if logprobs and not alternative else None,
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
