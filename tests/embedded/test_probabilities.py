"""The probabilities of tokens that the endpoint serves are those of llama.cpp."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import xllamacpp

from components.contract.chunk import read_chunk
from components.contract.token_probabilities import Token, read_tokens
from components.embedded.engine import BATCH_TOKENS, CONTEXT_TOKENS
from tests.embedded.conftest import Endpoint, say

ASKS = say("Name a colour and an animal.", temperature=0, max_tokens=12)


def directly(model: Path, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The tokens of an answer as xllamacpp gives them, without Tempera's engine and reader."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.n_ctx, parameters.n_parallel = CONTEXT_TOKENS, 1
    parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.verbosity = -1
    tokens: list[dict[str, Any]] = []

    def take(chunk: dict[str, Any]) -> bool:
        for choice in chunk.get("choices", ()):
            tokens.extend((choice.get("logprobs") or {}).get("content") or ())
        return False

    xllamacpp.Server(parameters).handle_chat_completions({**body, "stream": True, "top_k": 0, "min_p": 0}, take)
    return tokens


def streamed(endpoint: Endpoint, body: dict[str, Any]) -> list[tuple[str, tuple[Token, ...]]]:
    """Text and tokens of each event with text."""
    with endpoint.post({**body, "stream": True}, stream=True) as response:
        events = [line[6:].decode() for line in response.iter_lines() if line.startswith(b"data: {")]
    deltas = [choice for event in events for choice in read_chunk(event).choices]
    return [(delta.text, read_tokens(delta.logprobs).of_text) for delta in deltas if delta.text]


def test_each_token_has_the_probability_and_alternatives_of_llama_cpp(endpoint: Endpoint, model_file: Path) -> None:
    served = streamed(endpoint, {**ASKS, "logprobs": True, "top_logprobs": 4})
    expected = directly(model_file, {**ASKS, "logprobs": True, "top_logprobs": 4})
    assert len(served) == len(expected) > 5
    for (text, tokens), own in zip(served, expected, strict=True):
        [token] = tokens
        assert (text, token.text, token.raw) == (own["token"], own["token"], bytes(own["bytes"]))
        # Different batches round differently.
        assert token.logprob == pytest.approx(own["logprob"], abs=0.005)
        for one, other in zip(token.alternatives, own["top_logprobs"], strict=True):
            assert one.raw == bytes(other["bytes"])
            assert one.logprob == pytest.approx(other["logprob"], abs=0.005)
        assert token.rank == 1
    assert all(len(tokens[0].alternatives) == 4 for _, tokens in served)


def test_without_alternatives_each_token_still_has_its_probability(endpoint: Endpoint) -> None:
    answer = endpoint.answer({**ASKS, "logprobs": True})
    tokens = read_tokens(answer["choices"][0]["logprobs"]).of_text
    assert "".join(token.text for token in tokens) == answer["choices"][0]["message"]["content"]
    assert all(token.logprob is not None and not token.alternatives for token in tokens)


def test_a_character_of_several_tokens_has_the_probability_of_its_last_one_only(endpoint: Endpoint) -> None:
    body = say("Repeat exactly: 😀🦄漢字", temperature=0, max_tokens=8, logprobs=True, top_logprobs=1)
    tokens = read_tokens(endpoint.answer(body)["choices"][0]["logprobs"]).of_text
    assert {token.text: token.is_rest for token in tokens}["🦄"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"logprobs": True, "top_logprobs": 21}, "less than or equal to 20"),
        ({"top_logprobs": 3}, "top_logprobs needs logprobs: true."),
        ({"logprobs": "yes"}, "boolean"),
    ],
)
def test_unsupported_probabilities_are_refused_with_a_sentence(
    endpoint: Endpoint, fields: dict[str, Any], message: str
) -> None:
    response = endpoint.post({**ASKS, **fields})
    assert response.status_code == 422
    assert message in response.text
