"""The places of tokens in the text of an answer."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from components.contract.token_probabilities import Token
from components.log.answer_tokens import AnswerTokens, TokenPiece, tokens_of
from components.log.events import MAX_DATA_CHARS, StoredEvent, stored
from components.streaming.answer import TimedEvent


def a_token(text: str, raw: bytes | None = None) -> dict[str, Any]:
    return {"token": text, "logprob": -1, "bytes": list(text.encode() if raw is None else raw)}


def an_event(text: str, *tokens: dict[str, Any], **delta: Any) -> StoredEvent:
    choice = {
        "index": 0,
        "delta": {"content": text, **delta},
        "logprobs": {"content": list(tokens)} if tokens else None,
    }
    return stored(TimedEvent("message", json.dumps({"choices": [choice]}), 1.0))


def shapes(found: AnswerTokens) -> list[tuple[str, int]]:
    return [(piece.text, len(piece.tokens)) for piece in found.pieces]


def test_each_token_is_a_piece_and_so_is_text_without_tokens() -> None:
    events = [an_event("So "), an_event("far", a_token("far")), an_event(" so good", a_token(" so"), a_token(" good"))]
    assert shapes(tokens_of(events, "So far so good")) == [("So ", 0), ("far", 1), (" so", 1), (" good", 1)]


def test_tokens_that_share_a_character_are_one_piece() -> None:
    parts = [a_token("\ufffd", b"\xf0\x9f"), a_token("\ufffd", b"\x98"), a_token("\ufffd", b"\x80!")]
    events = [an_event("a", a_token("a")), an_event("", parts[0]), an_event("", parts[1]), an_event("😀!", parts[2])]
    assert shapes(tokens_of(events, "a😀!")) == [("a", 1), ("😀!", 3)]


def test_an_incomplete_character_is_not_a_piece() -> None:
    found = tokens_of([an_event("", a_token("\ufffd", b"\xf0\x9f")), an_event("ab", a_token("ab"))], "ab")
    assert (shapes(found), found.not_in_text) == ([("ab", 0)], 2)


def test_tokens_without_text_are_counted() -> None:
    found = tokens_of([an_event("Hi", a_token("Hi")), an_event("", a_token("<|end|>"))], "Hi")
    assert (shapes(found), found.not_in_text) == ([("Hi", 1)], 1)


def test_a_leading_blank_outside_the_text_is_ignored() -> None:
    assert shapes(tokens_of([an_event("Hi", a_token(" Hi"))], "Hi")) == [("Hi", 1)]


def test_reasoning_and_tool_calls_are_kept_apart() -> None:
    call = [{"index": 0, "function": {"name": "f", "arguments": "x"}}]
    events = [
        an_event("", a_token("x"), reasoning_content="x"),
        an_event("x", a_token("x")),
        an_event("", a_token("y"), tool_calls=call),
    ]
    found = tokens_of(events, "x")
    assert (shapes(found), found.of_reasoning, found.not_in_text) == ([("x", 1)], 1, 1)


def test_unstored_events_have_no_tokens() -> None:
    whole = an_event("b", *[a_token("b" * 50) for _ in range(200)])
    assert whole.size > len(whole.data) > MAX_DATA_CHARS
    found = tokens_of([an_event("a", a_token("a")), whole, an_event("c", a_token("c"))], "abc")
    assert (shapes(found), found.is_cut) == ([("a", 1), ("bc", 0)], True)


def test_events_that_do_not_match_the_text_give_no_tokens() -> None:
    assert tokens_of([an_event("abc", a_token("abc"))], "xyz").pieces == [TokenPiece("xyz")]


@given(st.lists(st.text(max_size=4), max_size=6), st.data())
def test_the_pieces_join_to_the_text_for_any_chunk_and_token_boundaries(tokens: list[str], data: st.DataObject) -> None:
    text = "".join(tokens)
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    chunks = [text[begin:end] for begin, end in zip([0, *places], [*places, len(text)], strict=True)]
    groups = [[a_token(token) for token in tokens]] + [[] for _ in chunks[1:]]
    events = [an_event(chunk, *group) for chunk, group in zip(chunks, groups, strict=True)]
    found = tokens_of(events, text)
    assert "".join(piece.text for piece in found.pieces) == text
    for piece in found.pieces:
        for token in piece.tokens:
            assert isinstance(token, Token)
            assert token.text in (piece.text, f" {piece.text}")
