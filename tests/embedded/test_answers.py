"""What the endpoint answers to requests that are right."""

from __future__ import annotations

import re
from typing import Any

import pytest

from components.streaming.server_timing import queue_ms

from .conftest import LONG_PROMPT, MODEL, Endpoint, say, streamed_text


def test_a_stream_has_exactly_the_contracts_shape(endpoint: Endpoint) -> None:
    with endpoint.post(say("Say hi", max_tokens=6, stream=True), stream=True) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        events = response.content.decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    chunks = endpoint.chunks(say("Say hi", max_tokens=6))
    assert chunks[0]["choices"] == [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert {chunk["model"] for chunk in chunks} == {MODEL}
    assert len({(chunk["id"], chunk["created"]) for chunk in chunks}) == 1
    for chunk in chunks[1:-1]:
        assert chunk["choices"][0]["delta"]["content"]
        assert set(chunk) == {"id", "created", "model", "object", "choices"}
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"
    assert chunks[-1]["usage"]["completion_tokens"] == 6
    assert [chunk for chunk in chunks if chunk["choices"][0]["finish_reason"]] == [chunks[-1]]


def test_an_answer_that_is_not_streamed_is_one_completion(endpoint: Endpoint) -> None:
    answer = endpoint.answer(say("Say hi", max_tokens=6, stream=False))
    assert answer["object"] == "chat.completion"
    assert answer["model"] == MODEL
    [choice] = answer["choices"]
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"]
    assert choice["finish_reason"] == "length"


def test_stream_left_out_means_not_streamed(endpoint: Endpoint) -> None:
    assert endpoint.answer(say("Say hi", max_tokens=2))["object"] == "chat.completion"


def test_streamed_or_not_the_same_seed_gives_the_same_answer_and_usage(endpoint: Endpoint) -> None:
    body = say("Tell me about the sea", max_tokens=12, random_seed=5)
    chunks = endpoint.chunks(body)
    answer = endpoint.answer(body)
    assert streamed_text(chunks) == answer["choices"][0]["message"]["content"]
    assert chunks[-1]["usage"] == answer["usage"]
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens"] == 12


def test_an_answer_that_the_model_ends_says_stop(endpoint: Endpoint) -> None:
    answer = endpoint.answer(say("Which city is the capital of France?", temperature=0))
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert "Paris" in answer["choices"][0]["message"]["content"]


@pytest.mark.parametrize("stream", [True, False])
def test_every_nullable_field_may_be_null(endpoint: Endpoint, stream: bool) -> None:
    nulls = dict.fromkeys(("temperature", "top_p", "random_seed"))
    asked = say("Say hi", max_tokens=2, **nulls), say("Say hi", temperature=0, max_tokens=None)
    for body in asked:
        usage = endpoint.chunks(body)[-1]["usage"] if stream else endpoint.answer(body)["usage"]
        assert usage["completion_tokens"] >= 1


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0},
        {"temperature": 1.0},
        {"top_p": 0.0},
        {"top_p": 1},
        {"random_seed": 0},
        {"random_seed": -1},
        {"random_seed": 2**32 - 1},
        {"random_seed": -(10**30)},
        {"safe_prompt": False},
        {"safe_prompt": True},
        {"stream": False},
    ],
    ids=str,
)
def test_every_value_within_the_ranges_is_served(endpoint: Endpoint, fields: dict[str, Any]) -> None:
    assert endpoint.answer(say("Say hi", max_tokens=2, **fields))["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize(
    ("left_out", "default"), [("temperature", 0.7), ("top_p", 1.0), ("safe_prompt", False)], ids=str
)
def test_a_field_left_out_counts_as_its_default(endpoint: Endpoint, left_out: str, default: float) -> None:
    body = say("Tell me about the moon", max_tokens=12, random_seed=11)
    assert endpoint.text(body) == endpoint.text({**body, left_out: default})


def test_the_same_seed_repeats_exactly_with_other_requests_in_between(endpoint: Endpoint) -> None:
    body = say("Tell me a story about a fox", max_tokens=12, temperature=1.0, random_seed=7)
    first = endpoint.text(body)
    for number in range(2):
        endpoint.text(say(f"Something about the number {number}", max_tokens=5))
        assert endpoint.text(body) == first


def test_temperature_zero_repeats_exactly(endpoint: Endpoint) -> None:
    body = say("Tell me a story about a fox", max_tokens=12, temperature=0)
    assert endpoint.text(body) == endpoint.text(body)


def test_different_seeds_and_no_seed_differ(endpoint: Endpoint) -> None:
    body = say("Tell me a story about a fox", max_tokens=12, temperature=1.0)
    texts = [endpoint.text({**body, "random_seed": seed}) for seed in (1, 2)] + [endpoint.text(body) for _ in range(2)]
    assert len(set(texts)) == 4


def test_the_seed_that_llama_cpp_takes_for_random_repeats_too(endpoint: Endpoint) -> None:
    body = say("Tell me a story about a fox", max_tokens=12, temperature=1.0, random_seed=-1)
    assert endpoint.text(body) == endpoint.text(body)


def test_a_tiny_top_p_leaves_only_the_likeliest_word(endpoint: Endpoint) -> None:
    body = say("Tell me a story about a fox", max_tokens=12)
    greedy = endpoint.text({**body, "temperature": 0})
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
    "max_tokens": 5,
    "temperature": 0,
}


def test_the_answer_begins_with_the_prefix_and_goes_on_from_it(endpoint: Endpoint) -> None:
    chunks = endpoint.chunks(PREFIXED)
    assert chunks[1]["choices"][0]["delta"]["content"] == "One, two,"
    assert streamed_text(chunks).startswith("One, two, three")
    assert endpoint.text(PREFIXED) == streamed_text(chunks)


def test_the_prefix_counts_as_prompt_and_not_as_completion(endpoint: Endpoint) -> None:
    with_prefix = endpoint.answer(PREFIXED)["usage"]
    without = endpoint.answer({**PREFIXED, "messages": PREFIXED["messages"][:1]})["usage"]
    assert with_prefix["completion_tokens"] == 5
    assert with_prefix["prompt_tokens"] > without["prompt_tokens"]


def test_an_empty_prefix_changes_nothing(endpoint: Endpoint) -> None:
    body = say("Say hi", max_tokens=8, temperature=0)
    empty = {"role": "assistant", "content": "", "prefix": True}
    assert endpoint.text({**body, "messages": [*body["messages"], empty]}) == endpoint.text(body)


def test_no_tokens_asked_gives_none_but_the_prompts_size(endpoint: Endpoint) -> None:
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
def test_a_prompt_that_comes_again_was_read_before(endpoint: Endpoint, stream: bool) -> None:
    body = say(f"Who built the tall lighthouse at the harbour of Genoa? {stream}", max_tokens=1)
    first, again = (endpoint.chunks(body)[-1]["usage"] if stream else endpoint.answer(body)["usage"] for _ in range(2))
    # llama.cpp reads at least the last token anew. What all prompts begin with may have been read before the first.
    assert cached_tokens(first) < cached_tokens(again) == again["prompt_tokens"] - 1


@pytest.mark.parametrize("fields", [{"random_seed": 3}, {"temperature": 0}], ids=str)
def test_where_the_answer_must_repeat_the_prompt_is_read_anew(endpoint: Endpoint, fields: dict[str, int]) -> None:
    body = say("Who painted the ceiling of the chapel?", max_tokens=1, **fields)
    assert [cached_tokens(endpoint.answer(body)["usage"]) for _ in range(2)] == [0, 0]


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_says_how_long_it_waited_for_a_slot(endpoint: Endpoint, stream: bool) -> None:
    header = endpoint.post(say("Say hi", max_tokens=1, stream=stream)).headers["Server-Timing"]
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


def test_unknown_keys_are_passed_over(endpoint: Endpoint) -> None:
    body = say("Say hi", max_tokens=2, stop=["x"], n=3, safe_mode=True, p="padding")
    body["messages"][0]["name"] = "Ada"
    assert endpoint.answer(body)["usage"]["completion_tokens"] == 2


def test_content_may_be_text_parts_or_null(endpoint: Endpoint) -> None:
    whole = endpoint.answer(say("Say hi to Ada", max_tokens=0, random_seed=1))["usage"]
    parts = [{"type": "text", "text": "Say hi "}, {"type": "text", "text": "to Ada"}]
    assert endpoint.answer(say(parts, max_tokens=0, random_seed=1))["usage"] == whole  # type: ignore[arg-type]
    called = {"role": "assistant", "content": None, "tool_calls": []}
    messages = [{"role": "user", "content": "2+2?"}, called, {"role": "tool", "content": "4", "tool_call_id": "1"}]
    assert endpoint.answer({"messages": messages, "max_tokens": 2})["usage"]["completion_tokens"] == 2


def test_a_lone_surrogate_and_emoji_do_no_harm(endpoint: Endpoint) -> None:
    assert endpoint.answer(say("\ud800 and \U0001f600 \x00", max_tokens=2))["usage"]["completion_tokens"] == 2


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
