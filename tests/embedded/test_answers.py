"""The endpoint's answers to valid requests."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from components.streaming.server_timing import queue_ms

from .conftest import LONG_PROMPT, MODEL, Endpoint, say, streamed_text


def test_a_stream_has_the_shape_of_the_contract(endpoint: Endpoint) -> None:
    with endpoint.post(say("Say hi", max_tokens=3, stream=True), stream=True) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        events = response.content.decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    assert chunks[0]["choices"] == [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert {chunk["model"] for chunk in chunks} == {MODEL}
    assert len({(chunk["id"], chunk["created"]) for chunk in chunks}) == 1
    for chunk in chunks[1:-1]:
        assert chunk["choices"][0]["delta"]["content"]
        assert set(chunk) == {"id", "created", "model", "object", "choices"}
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"
    assert chunks[-1]["usage"]["completion_tokens"] == 3
    assert [chunk for chunk in chunks if chunk["choices"][0]["finish_reason"]] == [chunks[-1]]


@pytest.mark.parametrize("left_out_or_false", [{}, {"stream": False}], ids=str)
def test_an_answer_that_is_not_streamed_is_one_completion(
    endpoint: Endpoint, left_out_or_false: dict[str, bool]
) -> None:
    answer = endpoint.answer(say("Say hi", max_tokens=1, temperature=0, **left_out_or_false))
    assert answer["object"] == "chat.completion"
    assert answer["model"] == MODEL
    [choice] = answer["choices"]
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"]
    assert choice["finish_reason"] == "length"


def test_the_same_seed_gives_the_same_answer_and_usage_with_and_without_streaming(endpoint: Endpoint) -> None:
    body = say("Tell me about the sea", max_tokens=8, random_seed=5)
    chunks = endpoint.chunks(body)
    answer = endpoint.answer(body)
    assert streamed_text(chunks) == answer["choices"][0]["message"]["content"]
    assert chunks[-1]["usage"] == answer["usage"]
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens"] == 8


def test_an_answer_ended_by_the_model_has_finish_reason_stop(endpoint: Endpoint) -> None:
    answer = endpoint.answer(say("Which city is the capital of France?", temperature=0, max_tokens=None))
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert "Paris" in answer["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": None, "top_p": None, "random_seed": None},
        {"temperature": 0, "top_p": 1, "random_seed": 0, "safe_prompt": False},
        {"temperature": 1.0, "top_p": 0.0, "random_seed": 2**32 - 1, "safe_prompt": True},
        {"random_seed": -(10**30)},
    ],
    ids=str,
)
def test_null_and_every_value_within_the_ranges_are_served(endpoint: Endpoint, fields: dict[str, Any]) -> None:
    assert endpoint.answer(say("Say hi", max_tokens=1, **fields))["usage"]["completion_tokens"] == 1


def test_omitted_fields_have_their_defaults(endpoint: Endpoint) -> None:
    body = say("Tell me about the moon", max_tokens=12, random_seed=11)
    assert endpoint.text(body) == endpoint.text({**body, "temperature": 0.7, "top_p": 1.0, "safe_prompt": False})


def test_only_the_same_seed_repeats_an_answer_also_after_other_requests(endpoint: Endpoint) -> None:
    body = say("Tell me a story about a fox", max_tokens=12, temperature=1.0)
    # llama.cpp's own seed -1 means "choose one".
    seeds = 7, -1
    texts = [endpoint.text({**body, "random_seed": seed}) for seed in seeds]
    assert len({*texts, *(endpoint.text(body) for _ in range(2))}) == 4
    assert [endpoint.text({**body, "random_seed": seed}) for seed in seeds] == texts


def test_temperature_zero_and_a_tiny_top_p_repeat_the_likeliest_words(endpoint: Endpoint) -> None:
    body = say("Tell me a story about a fox", max_tokens=8)
    greedy = endpoint.text({**body, "temperature": 0})
    assert endpoint.text({**body, "temperature": 0}) == greedy
    assert endpoint.text({**body, "temperature": 1, "top_p": 0}) == greedy


def test_the_safe_prompt_is_added_to_the_prompt(endpoint: Endpoint) -> None:
    body = say("Say hi", max_tokens=0)
    plain = endpoint.answer(body)["usage"]["prompt_tokens"]
    assert endpoint.answer({**body, "safe_prompt": True})["usage"]["prompt_tokens"] > plain
    own_system = {**body, "messages": [{"role": "system", "content": "Be brief."}, *body["messages"]]}
    both = endpoint.answer({**own_system, "safe_prompt": True})["usage"]["prompt_tokens"]
    assert both > endpoint.answer(own_system)["usage"]["prompt_tokens"] + 30


PREFIXED = {
    "messages": [
        {"role": "user", "content": "Count from one to five in words."},
        {"role": "assistant", "content": "One, two,", "prefix": True},
    ],
    "max_tokens": 2,
    "temperature": 0,
}


def test_the_answer_begins_with_the_prefix_which_counts_as_prompt(endpoint: Endpoint) -> None:
    chunks = endpoint.chunks(PREFIXED)
    assert chunks[1]["choices"][0]["delta"]["content"] == "One, two,"
    assert streamed_text(chunks).startswith("One, two, three")
    answer = endpoint.answer(PREFIXED)
    assert answer["choices"][0]["message"]["content"] == streamed_text(chunks)
    without = endpoint.answer({**PREFIXED, "messages": PREFIXED["messages"][:1], "max_tokens": 0})["usage"]
    assert answer["usage"]["completion_tokens"] == 2
    assert answer["usage"]["prompt_tokens"] > without["prompt_tokens"]


def test_an_empty_prefix_changes_nothing(endpoint: Endpoint) -> None:
    body = say("Say hi", max_tokens=4, temperature=0)
    empty = {"role": "assistant", "content": "", "prefix": True}
    assert endpoint.text({**body, "messages": [*body["messages"], empty]}) == endpoint.text(body)


def test_zero_max_tokens_gives_the_prompt_size_only(endpoint: Endpoint) -> None:
    body = say("Say hi", max_tokens=0, random_seed=1)
    answer = endpoint.answer(body)
    assert answer["choices"][0]["message"]["content"] == ""
    assert answer["choices"][0]["finish_reason"] == "length"
    counted = endpoint.answer({**body, "max_tokens": 1})["usage"]["prompt_tokens"]
    assert answer["usage"] == {
        "prompt_tokens": counted,
        "completion_tokens": 0,
        "total_tokens": counted,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    chunks = endpoint.chunks(body)
    assert len(chunks) == 2
    assert chunks[-1]["usage"] == answer["usage"]


def cached_tokens(usage: dict[str, Any]) -> int:
    return usage["prompt_tokens_details"]["cached_tokens"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_repeated_prompt_is_cached(endpoint: Endpoint, stream: bool) -> None:
    body = say(f"Who built the tall lighthouse at the harbour of Genoa? {stream}", max_tokens=1)
    first, again = (endpoint.chunks(body)[-1]["usage"] if stream else endpoint.answer(body)["usage"] for _ in range(2))
    # llama.cpp reads at least the last token anew. The common beginning of all prompts may already be cached.
    assert cached_tokens(first) < cached_tokens(again) == again["prompt_tokens"] - 1


def test_a_repeatable_answer_uses_no_cache(endpoint: Endpoint) -> None:
    body = say("Who painted the ceiling of the chapel?", max_tokens=1, random_seed=3)
    assert [cached_tokens(endpoint.answer(body)["usage"]) for _ in range(2)] == [0, 0]


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_reports_its_wait_for_a_slot(endpoint: Endpoint, stream: bool) -> None:
    header = endpoint.post(say("Say hi", max_tokens=0, stream=stream)).headers["Server-Timing"]
    assert re.fullmatch(r"queue;dur=\d+\.\d", header)
    assert queue_ms(header) is not None


@pytest.mark.clock
def test_counting_a_long_prompt_takes_no_time(endpoint: Endpoint) -> None:
    response = endpoint.post({**LONG_PROMPT, "max_tokens": 0})
    assert response.json()["usage"]["prompt_tokens"] > 1500
    assert response.elapsed.total_seconds() < 1


def test_prompt_and_answer_may_fill_the_context_to_the_last_token(endpoint: Endpoint) -> None:
    prompt_tokens = endpoint.answer(say("Say hi", max_tokens=0))["usage"]["prompt_tokens"]
    body = say("Say hi", max_tokens=2048 - prompt_tokens, stream=True)
    with endpoint.post(body, stream=True) as response:
        assert response.status_code == 200
    assert endpoint.post({**body, "max_tokens": 2049 - prompt_tokens}).status_code == 400


def test_unknown_keys_are_ignored(endpoint: Endpoint) -> None:
    body = say("Say hi", max_tokens=1, stop=["x"], n=3, safe_mode=True, p="padding")
    body["messages"][0]["name"] = "Ada"
    assert endpoint.answer(body)["usage"]["completion_tokens"] == 1


def test_content_may_be_text_parts_or_null(endpoint: Endpoint) -> None:
    whole = endpoint.answer(say("Say hi to Ada", max_tokens=0, random_seed=1))["usage"]
    parts = [{"type": "text", "text": "Say hi "}, {"type": "text", "text": "to Ada"}]
    assert endpoint.answer(say(parts, max_tokens=0, random_seed=1))["usage"] == whole  # type: ignore[arg-type]
    called = {"role": "assistant", "content": None, "tool_calls": []}
    messages = [{"role": "user", "content": "2+2?"}, called, {"role": "tool", "content": "4", "tool_call_id": "1"}]
    assert endpoint.answer({"messages": messages, "max_tokens": 1})["usage"]["completion_tokens"] == 1


def test_a_lone_surrogate_and_emoji_do_no_harm(endpoint: Endpoint) -> None:
    assert endpoint.answer(say("\ud800 and \U0001f600 \x00", max_tokens=1))["usage"]["completion_tokens"] == 1


def test_the_model_list_has_one_card(endpoint: Endpoint) -> None:
    answer = endpoint.get("/models").json()
    assert answer["object"] == "list"
    [card] = answer["data"]
    assert isinstance(card.pop("created"), int)
    assert card == {
        "id": MODEL,
        "object": "model",
        "owned_by": "tempera",
        "max_context_length": 2048,
        "default_model_temperature": 0.7,
        "type": "base",
        "capabilities": {"completion_chat": True},
    }
