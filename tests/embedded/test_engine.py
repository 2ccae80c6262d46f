"""The request to llama.cpp as a function of the contract's request, and the reading of its chunks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contract.messages import Message, Role
from components.embedded.engine import (
    SAFE_PROMPT,
    ChunkReader,
    Event,
    Finished,
    GenerationRefused,
    GenerationRequest,
    PromptAccepted,
    Text,
    completion_body,
    llama_seed,
)


def request(**fields: object) -> GenerationRequest:
    return GenerationRequest(model="m", messages=[Message(role=Role.USER, content="hi")], **fields)  # type: ignore[arg-type]


@given(st.integers())
def test_any_whole_number_is_a_seed_and_none_means_random(seed: int) -> None:
    assert 0 <= llama_seed(seed) < 0xFFFFFFFF


def test_small_seeds_are_unchanged() -> None:
    assert [llama_seed(seed) for seed in (0, 1337, -1, 2**32 + 7)] == [0, 1337, 2**32 - 2, 7]


@pytest.mark.parametrize("fields", [{}, {"temperature": None, "top_p": None, "max_tokens": None, "random_seed": None}])
def test_omitted_and_null_mean_the_contracts_defaults(fields: dict[str, None]) -> None:
    body = completion_body(request(**fields))
    assert (body["temperature"], body["top_p"], body["top_k"], body["min_p"]) == (0.7, 1.0, 0, 0)
    assert "seed" not in body
    assert "max_tokens" not in body


def test_a_repeatable_request_does_not_use_the_prompt_cache() -> None:
    assert completion_body(request())["cache_prompt"]
    assert not completion_body(request(random_seed=0))["cache_prompt"]
    assert not completion_body(request(temperature=0))["cache_prompt"]


def test_the_safe_prompt_precedes_all_messages() -> None:
    messages = completion_body(request(safe_prompt=True))["messages"]
    assert messages == [{"role": "system", "content": SAFE_PROMPT}, {"role": "user", "content": "hi"}]


def test_a_prefix_is_the_last_message_and_an_empty_one_is_none() -> None:
    def with_prefix(prefix: str) -> GenerationRequest:
        last = Message(role=Role.ASSISTANT, content=prefix, prefix=True)
        return GenerationRequest(model="m", messages=[Message(role=Role.USER, content="hi"), last])

    assert completion_body(with_prefix("So"))["messages"][-1] == {"role": "assistant", "content": "So"}
    assert completion_body(with_prefix(""))["messages"] == [{"role": "user", "content": "hi"}]


def read(reader: ChunkReader, *chunks: dict[str, object]) -> list[Event]:
    return [event for chunk in chunks for event in reader.read(chunk)]


def progress(total: int, processed: int = 0, **more: int) -> dict[str, object]:
    delta = {"role": "assistant", "content": None}
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return {"choices": [choice], "prompt_progress": {"total": total, "processed": processed, **more}}


def text(content: str | None, reason: str | None = None) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": reason}]}


USAGE = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}}


def test_progress_is_reported_once_and_the_finish_waits_for_the_usage() -> None:
    reader = ChunkReader(2048, None)
    events = read(reader, progress(9), progress(9, 9), text(None), text("a"), text("b"), text(None, "length"))
    assert events == [PromptAccepted(9), Text("a"), Text("b")]
    assert not reader.complete
    assert read(reader, USAGE) == [Finished("length", 9, 2)]
    assert reader.complete


def test_an_unknown_finish_reason_counts_as_stop() -> None:
    events = read(ChunkReader(2048, None), progress(9), text(None, "tool_calls"), USAGE)
    assert events[-1] == Finished("stop", 9, 2)


@pytest.mark.parametrize("max_tokens", [None, 0])
def test_cached_tokens_are_reported_at_the_end(max_tokens: int | None) -> None:
    reader = ChunkReader(2048, max_tokens)
    events = read(reader, progress(9, 7, cache=7))
    if not reader.complete:
        events += read(reader, progress(9, 9, cache=7), text("a"), USAGE)
    assert (events[0], events[-1].cached_tokens) == (PromptAccepted(9), 7)


def test_an_accepted_prompt_reports_its_wait_for_a_slot() -> None:
    reader = ChunkReader(2048, None)
    reader.queued_ms = 12.5
    assert read(reader, progress(9)) == [PromptAccepted(9, queued_ms=12.5)]


def test_an_error_of_llama_cpp_keeps_its_message() -> None:
    reader = ChunkReader(2048, None)
    assert read(reader, {"error": {"code": 500, "message": "no memory"}}) == [GenerationRefused("no memory")]
    assert reader.complete
