"""The probabilities of tokens in the shapes of several endpoints, also malformed ones."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contract.chunk import read_chunk
from components.contract.token_probabilities import Alternative, Likelihood, LikelihoodSum, Token, octets, read_tokens


def a_token(text: str = " a", logprob: object = -0.5, **more: Any) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode()), **more}


def only(content: object) -> Token:
    [token] = read_tokens({"content": [content]}).of_text
    return token


def test_a_token_has_its_probability_bytes_and_alternatives_the_most_likely_first() -> None:
    token = only(a_token(top_logprobs=[a_token(" b", -3), a_token(), a_token(" c", -2)]))
    assert token == Token(
        " a",
        b" a",
        -0.5,
        (Alternative(" a", b" a", -0.5), Alternative(" c", b" c", -2), Alternative(" b", b" b", -3)),
    )
    assert (token.rank, token.is_rest) == (1, False)


def test_each_shape_of_endpoints_is_read() -> None:
    expected = ("a", -0.5, [("a", -0.5), ("b", -2.0)])
    tops = [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -2.0}]
    llama = {"id": 5, "token": "a", "bytes": [97], "logprob": -0.5, "top_logprobs": tops}
    shapes: list[Any] = [
        {"content": [{"token": "a", "logprob": -0.5, "top_logprobs": tops}]},
        {"content": None, "refusal": [{"token": "a", "logprob": -0.5, "top_logprobs": tops}]},
        {"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": [{"a": -0.5, "b": -2.0}], "text_offset": [0]},
        [llama],
        [{"content": "a", "probs": [{"tok_str": "a", "prob": math.exp(-0.5)}, {"tok_str": "b", "prob": math.exp(-2)}]}],
        [{"token": "a", "prob": math.exp(-0.5), "top_probs": [{"token": "a", "prob": math.exp(-0.5)}, tops[1]]}],
    ]
    for shape in shapes:
        [token] = read_tokens(shape).of_text
        assert token.logprob is not None
        found = (token.text, round(token.logprob, 9), [(o.text, round(o.logprob or 0, 9)) for o in token.alternatives])
        assert found == expected, shape


def test_every_shape_of_chunk_is_read() -> None:
    listed = [{"token": "a", "logprob": -1}]
    chunks: list[dict[str, Any]] = [
        {"model": "m", "choices": [{"index": 0, "delta": {"content": "a"}, "logprobs": {"content": listed}}]},
        {"choices": [{"index": 0, "text": "a", "logprobs": {"tokens": ["a"], "token_logprobs": [-1]}}]},
        {"choices": [{"index": 0, "delta": {"content": "a"}}], "completion_probabilities": listed},
        {"choices": [{"message": {"content": "a"}, "logprobs": {"content": listed}}]},
    ]
    for chunk in chunks:
        [choice] = read_chunk(json.dumps(chunk)).choices
        assert (choice.text, read_tokens(choice.logprobs).of_text) == ("a", (Token("a", None, -1.0),))


def test_reasoning_is_kept_apart() -> None:
    found = read_tokens({"content": [a_token("x")], "reasoning_content": [a_token("y"), a_token("z")]})
    assert [[token.text for token in tokens] for tokens in found] == [["x"], ["y", "z"]]


@pytest.mark.parametrize("value", [None, -9999, -9999.0, -1e400, "x", True, [], 0.5, 10**400])
def test_invalid_log_probabilities_are_unknown(value: object) -> None:
    token = only({"token": "a", "logprob": value, "top_logprobs": []})
    assert (token.logprob, token.rank, token.entropy) == (None, None, None)


def test_a_rounding_error_above_0_is_certain() -> None:
    assert only(a_token(logprob=1e-7)).logprob == 0.0


def test_bytes_may_be_missing_or_wrong() -> None:
    for wrong in (None, [256], [-1], ["a"], "ab", [1.5]):
        assert octets(only({"token": "a", "logprob": -1, "bytes": wrong})) == b"a"
    assert octets(only({"token": "", "bytes": [240, 159], "logprob": -1})) == b"\xf0\x9f"


def test_a_token_outside_its_alternatives_has_a_rank_only_when_certain() -> None:
    tops = [a_token(" b", -1), a_token(" c", -2)]
    assert only(a_token(logprob=-1.5, top_logprobs=tops)).rank == 2
    assert only(a_token(logprob=-7, top_logprobs=tops)).rank is None
    assert [other.text for other in only(a_token(logprob=-7, top_logprobs=tops)).others] == [" b", " c"]


def test_the_entropy_counts_the_missing_probability_as_one_token() -> None:
    half = math.log(0.5)
    assert only(a_token(logprob=half, top_logprobs=[a_token(" a", half)])).entropy == pytest.approx(1)
    both = [a_token(" a", half), a_token(" b", half)]
    assert only(a_token(logprob=half, top_logprobs=both)).entropy == pytest.approx(1)
    assert only(a_token(logprob=0, top_logprobs=[a_token(" a", 0)])).entropy == 0
    assert only(a_token(logprob=half, top_logprobs=[a_token(" b", None)])).entropy is None
    assert only(a_token(logprob=half)).entropy is None


def test_the_numbers_of_an_answer_omit_unknown_tokens() -> None:
    likelihood = LikelihoodSum()
    assert likelihood.likelihood() == Likelihood()
    for logprob in (-1.0, None, -3.0):
        likelihood.add(Token("a", None, logprob))
    assert likelihood.likelihood() == Likelihood(-2, round(math.exp(2), 6), math.exp(-3), None)
    likelihood.add(Token("a", None, -9000.0))
    assert likelihood.likelihood().perplexity is None


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["content", "token", "logprob", "bytes", "top_logprobs", "tokens", "token_logprobs", "prob"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(JSON)
def test_any_json_is_read_without_a_fault(value: Any) -> None:
    likelihood = LikelihoodSum()
    for tokens in read_tokens(value):
        for token in tokens:
            assert token.logprob is None or -9999 < token.logprob <= 0
            assert token.rank is None or 1 <= token.rank <= 1 + len(token.alternatives)
            assert token.entropy is None or token.entropy >= 0
            likelihood.add(token)
    likelihood.likelihood()
