"""Reading bodies and writing answers, as functions of values."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from components.contract.chunk import Usage, read_chunk, read_completion
from components.embedded import wire
from components.embedded.engine import Finished

ANY_TEXT = st.text(st.characters(), max_size=20)
ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("model", "messages", "temperature", "top_p", "max_tokens", "random_seed", "safe_prompt", "stream")
MESSAGES = st.lists(
    st.fixed_dictionaries({}, optional={"role": st.just("user") | ANY_JSON, "content": ANY_JSON, "prefix": ANY_JSON})
)


def read_or_problems(body: bytes) -> list[dict[str, Any]]:
    """The problems of a body, as a client would read them; none when it is a request."""
    try:
        wire.read_request(body)
    except wire.InvalidBody as invalid:
        return json.loads(wire.encode({"detail": invalid.problems}))["detail"]
    return []


@given(st.dictionaries(st.sampled_from(FIELDS), ANY_JSON | MESSAGES))
def test_any_object_is_a_request_or_has_problems_that_can_be_sent(fields: dict[str, Any]) -> None:
    for problem in read_or_problems(json.dumps(fields).encode()):
        assert set(problem) == {"type", "loc", "msg", "input"}
        assert problem["loc"][0] == "body"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_have_problems_that_can_be_sent(body: bytes) -> None:
    assert read_or_problems(body)


def test_long_invalid_values_are_not_sent_back() -> None:
    body = {"model": "m", "messages": "x" * 100_000}
    [problem] = read_or_problems(json.dumps(body).encode())
    assert problem["input"] is None


@given(ANY_TEXT)
def test_written_chunks_are_read_by_the_contract(text: str) -> None:
    head = {"id": "1", "created": 1, "model": "m"}
    finished = Finished("length", 9, 2, cached_tokens=7)
    event = wire.event(wire.chunk(head, {"content": text}))
    assert event.isascii()
    assert event.count(b"\n") == 2
    assert read_chunk(event.decode()[6:]).choices[0].text == text
    last = read_chunk(json.dumps(wire.chunk(head, {"content": ""}, finished)))
    assert (last.choices[0].finish_reason, last.usage) == ("length", Usage(9, 2, 11, 7))
    whole = read_completion(json.dumps(wire.completion(head, text, finished)))
    assert (whole.choices[0].text, whole.choices[0].finish_reason) == (text, "length")
    assert whole.usage == last.usage


def test_zero_cached_tokens_are_reported_as_zero() -> None:
    assert wire.usage(Finished("stop", 9, 2))["prompt_tokens_details"] == {"cached_tokens": 0}
