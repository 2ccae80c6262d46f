"""The official clients, unchanged, against the embedded endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from .conftest import MODEL, Endpoint

# Imported where they are needed: both take seconds, which would slow down test collection.
if TYPE_CHECKING:
    import openai
    from mistralai.client import Mistral

QUESTION = [{"role": "user", "content": "Which city is the capital of France?"}]


@pytest.fixture
def openai_client(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[openai.OpenAI]:
    import openai

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with openai.OpenAI(base_url=endpoint.base_url, api_key=endpoint.key, max_retries=0) as client:
        yield client


@pytest.fixture
def mistral_client(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mistral]:
    from mistralai.client import Mistral

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Mistral(server_url=endpoint.base_url.removesuffix("/v1"), api_key=endpoint.key) as client:
        yield client


def test_openai_reads_an_answer(openai_client: openai.OpenAI) -> None:
    answer = openai_client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0, seed=3)
    assert "Paris" in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.usage.prompt_tokens_details.cached_tokens == 0


def test_openai_reads_a_stream(openai_client: openai.OpenAI) -> None:
    options = {"include_usage": True}
    with openai_client.chat.completions.create(
        model=MODEL, messages=QUESTION, temperature=0, stream=True, stream_options=options
    ) as stream:
        chunks = list(stream)
    assert "Paris" in "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.completion_tokens > 0


def test_openai_reads_models_and_errors(openai_client: openai.OpenAI) -> None:
    import openai

    assert [model.id for model in openai_client.models.list()] == [MODEL]
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        openai_client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=1.7)
    assert "temperature must be at most 1; 1.7 is more." in caught.value.response.text
    with pytest.raises(openai.NotFoundError, match="Invalid model"):
        openai_client.chat.completions.create(model="gpt-x", messages=QUESTION)
    with pytest.raises(openai.AuthenticationError):
        openai_client.with_options(api_key="wrong").models.list()


def test_mistralai_reads_an_answer(mistral_client: Mistral) -> None:
    answer = mistral_client.chat.complete(model=MODEL, messages=QUESTION, temperature=0, safe_prompt=False)
    assert "Paris" in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_mistralai_reads_a_stream_with_a_prefix(mistral_client: Mistral) -> None:
    messages = [*QUESTION, {"role": "assistant", "content": "The capital", "prefix": True}]
    with mistral_client.chat.stream(
        model=MODEL, messages=messages, temperature=0, max_tokens=12, random_seed=1, safe_prompt=True
    ) as stream:
        chunks = [event.data for event in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks).startswith("The capital of France")
    assert chunks[-1].choices[0].finish_reason in ("stop", "length")
    assert chunks[-1].usage.completion_tokens > 0


def test_mistralai_reads_models_and_errors(mistral_client: Mistral) -> None:
    from mistralai.client import errors as mistral_errors

    assert [model.id for model in mistral_client.models.list().data] == [MODEL]
    with pytest.raises(mistral_errors.HTTPValidationError, match="temperature"):
        mistral_client.chat.complete(model=MODEL, messages=QUESTION, temperature=1.4)
    with pytest.raises(mistral_errors.SDKError, match="Invalid model"):
        mistral_client.chat.complete(model="mistral-x", messages=QUESTION)
