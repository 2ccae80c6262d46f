"""Tickets permit downloads for a limited time."""

from __future__ import annotations

from components.log.tickets import Tickets
from components.log.view import View


def test_a_token_is_valid_for_its_view_only() -> None:
    issued = Tickets()
    tokens = {issued.issue(View(words=word), word): word for word in ("sea", "moon")}
    assert {token: issued.find(token) for token in tokens} == {
        token: (View(words=word), word) for token, word in tokens.items()
    }
    assert len(min(tokens)) == 32
    for wrong in ("", "x", min(tokens)[:-1], "' or 1=1"):
        assert issued.find(wrong) is None


def test_tokens_expire_and_their_number_is_limited() -> None:
    issued = Tickets(limit=3)
    tokens = [issued.issue(View(), "a") for _ in range(5)]
    assert [bool(issued.find(token)) for token in tokens] == [False, False, True, True, True]
    issued = Tickets(life_s=-1.0)
    assert issued.find(issued.issue(View(), "a")) is None
