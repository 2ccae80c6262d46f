"""The first difference of two answers, with the probabilities of both tokens."""

from __future__ import annotations

import math

import pytest

from components.contract.token_probabilities import Alternative, Token
from components.experiments.divergent_tokens import DivergentTokens, divergent_tokens
from components.log.answer_tokens import TokenPiece


def a_piece(text: str, share: float | None, **others: float) -> TokenPiece:
    logprob = None if share is None else math.log(share)
    listed = [
        Alternative(text, None, logprob),
        *(Alternative(f" {name}", None, math.log(p)) for name, p in others.items()),
    ]
    return TokenPiece(text, (Token(text, None, logprob, tuple(listed)),))


START = a_piece("See", 0.9)
ONE = [START, a_piece(" the", 0.412, a=0.409, an=0.1), a_piece(" cat", 0.5)]
OTHER = [START, a_piece(" a", 0.5, the=0.3)]


@pytest.mark.parametrize(
    ("own", "other", "close"),
    [(0.412, 0.409, True), (0.235, 0.209, True), (0.021, 0.07, False), (0.9, None, False), (None, None, False)],
)
def test_a_divergence_is_close_if_both_tokens_were_about_equally_likely(
    own: float | None, other: float | None, close: bool
) -> None:
    assert DivergentTokens(1, "a", "b", own, other, None).is_close == close


def test_each_answer_has_both_probabilities() -> None:
    assert divergent_tokens(ONE, OTHER, 4) == DivergentTokens(
        2, " the", " a", pytest.approx(0.412), pytest.approx(0.409), None
    )
    assert divergent_tokens(OTHER, ONE, 4) == DivergentTokens(
        2, " a", " the", pytest.approx(0.5), pytest.approx(0.3), None
    )


def test_a_token_that_was_not_returned_is_below_the_last_one() -> None:
    found = divergent_tokens(ONE, [START, a_piece(" zoo", 0.5)], 4)
    assert found is not None
    assert (found.other, found.below) == (None, pytest.approx(0.1))


def test_a_divergence_within_a_token_compares_the_whole_tokens() -> None:
    light, lighter = [START, a_piece(" light", 0.6, lighter=0.3)], [START, a_piece(" lighter", 0.4)]
    assert divergent_tokens(light, lighter, len("See light") - 1) == DivergentTokens(
        2, " light", " lighter", pytest.approx(0.6), pytest.approx(0.3), None
    )


def test_without_a_token_of_both_answers_there_is_no_probability() -> None:
    assert divergent_tokens(ONE, [START], 4) is None
    assert divergent_tokens(ONE, [TokenPiece("See a")], 4) is None
    assert divergent_tokens(ONE, [a_piece("See a", 0.5)], 4) is None
    both = TokenPiece(" 😀", (Token(" \ufffd", b" \xf0\x9f", -1), Token("\ufffd", b"\x98\x80", -1)))
    assert divergent_tokens(ONE, [START, both], 4) is None
