"""Continuing an answer from another token: the text before it and the alternative."""

from __future__ import annotations

from components.contract.token_probabilities import Alternative, Token
from components.log.answer_tokens import TokenPiece
from components.ui.playground.branching import text_before

ALTERNATIVES = (Alternative(" b", b" b", -1), Alternative(" c", b" c", -2), Alternative("", b"\xf0\x9f", -3))
PIECES = [
    TokenPiece("So"),
    TokenPiece(" a", (Token(" a", b" a", -1.5, ALTERNATIVES),)),
    TokenPiece("😀", (Token("😀", "😀".encode(), -1, ALTERNATIVES, is_rest=True),)),
    TokenPiece(" b", (Token(" b", b" b", -1.5, ALTERNATIVES),)),
]


def test_the_text_so_far_and_the_alternative_begin_the_new_answer() -> None:
    assert text_before(PIECES, 0, 0) == "So b"
    assert text_before(PIECES, 2, 1) == "So a😀 c"


def test_half_characters_and_missing_tokens_cannot_be_sent() -> None:
    for token, alternative in ((1, 0), (0, 2), (3, 0), (0, 3), (-1, 0), (0, -1), ("0", 0), (0, None)):
        assert text_before(PIECES, token, alternative) is None
