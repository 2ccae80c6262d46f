from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contract.messages import Role
from components.contract.profile import BEEZY, MISTRAL, OPENAI, Profile
from components.contract.request import to_bytes
from components.demo.requests import checked, max_bytes, profile_of_demo, tokens_of
from components.demo.settings import DemoSettings
from components.drafts.draft import new_draft
from components.drafts.setting import FieldState, Setting
from components.runs.gate import Refused
from tests.demo.conftest import ASKED, MODEL, SETTINGS, demo_endpoint

BODY = json.loads(to_bytes(ASKED))
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def body_with(*messages: Any, **more: Any) -> bytes:
    changed = {**BODY, **more} | ({"messages": list(messages)} if messages else {})
    return json.dumps({key: value for key, value in changed.items() if value != "left out"}).encode()


def user_message(**parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": "Hi", **parts}


def with_tool_calls(*given: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": "", "tool_calls": list(given)}


FORGED: dict[str, bytes] = {
    "an extra field": body_with(logit_bias={"1": 100}),
    "a schema": body_with(response_format={"type": "json_schema", "json_schema": {"schema": {}}}),
    "a bare schema": body_with(json_schema={"type": "object"}),
    "a grammar": body_with(grammar='root ::= "a"'),
    "tools": body_with(tools=[{"type": "function", "function": {"name": "f"}}]),
    "several choices": body_with(n=8),
    "one explicit choice": body_with(n=1),
    "a field of llama.cpp": body_with(n_discard=-1),
    "another name of max_tokens": body_with(n_predict=100_000),
    "OpenAI's name of max_tokens": body_with(max_completion_tokens=100_000),
    "options of the stream": body_with(stream_options={"include_usage": True}),
    "no max_tokens": body_with(max_tokens="left out"),
    "max_tokens null": body_with(max_tokens=None),
    "max_tokens too large": body_with(max_tokens=513),
    "max_tokens huge": body_with(max_tokens=10**4_000),
    "max_tokens negative": body_with(max_tokens=-1),
    "max_tokens zero": body_with(max_tokens=0),
    "max_tokens as text": body_with(max_tokens="100"),
    "max_tokens as a fraction": body_with(max_tokens=100.5),
    "max_tokens as a boolean": body_with(max_tokens=True),
    "max_tokens twice": body_with().replace(b'"max_tokens": 100', b'"max_tokens": 100, "max_tokens": 9999'),
    "no number": body_with().replace(b'"max_tokens": 100', b'"max_tokens": 100, "temperature": NaN'),
    "a temperature out of range": body_with(temperature=9.0),
    "a temperature as text": body_with(temperature="0.5"),
    "a seed beyond 64 bits": body_with(random_seed=2**64),
    "a huge seed": body_with(random_seed=10**4_000),
    "another model": body_with(model="the-dear-one"),
    "the model with a space": body_with(model=f"{MODEL} "),
    "no model": body_with(model="left out"),
    "no messages": body_with(messages=[]),
    "messages as text": body_with(messages="Hi"),
    "an unknown role": body_with(user_message(role="root")),
    "an unknown part of a message": body_with(user_message(cache_control={"type": "ephemeral"})),
    "an image by URL": body_with(user_message(content=[{"type": "image_url", "image_url": {"url": "http://inside/"}}])),
    "an image in the request": body_with(
        user_message(content=[{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}])
    ),
    "text in parts": body_with(user_message(content=[{"type": "text", "text": "Hi"}])),
    "content null": body_with(user_message(content=None)),
    "a long message": body_with(user_message(content="x" * 12_001)),
    "long messages": body_with(*[user_message(content="x" * 4_001)] * 3),
    "a long name": body_with(user_message(name="x" * 12_000)),
    "a long id of a call": body_with(user_message(role="tool", tool_call_id="x" * 12_000)),
    "long arguments": body_with(with_tool_calls(CALL | {"function": {"name": "f", "arguments": "x" * 12_000}})),
    "many messages": body_with(*[user_message(content="")] * 101),
    "many calls": body_with(with_tool_calls(*[CALL] * 101)),
    "a call that nests": body_with(with_tool_calls(CALL | {"function": {"name": "f", "arguments": {"a": [[[]]]}}})),
    "a call with more parts": body_with(with_tool_calls(CALL | {"more": 1})),
    "a call with a huge index": body_with(with_tool_calls(CALL | {"index": 10**400})),
    "a call without a function": body_with(with_tool_calls({"id": "c"})),
    "not an object": b"[]",
    "invalid JSON": b"{",
    "nothing": b"",
    "invalid UTF-8": b"\xff\xfe{}",
    "UTF-16": body_with().decode().encode("utf-16"),
    "depth": b'{"messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep arguments": body_with(user_message()).replace(b'"Hi"', b'"Hi", "tool_calls": ' + b"[" * 500 + b"]" * 500),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_bytes_are_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(Refused) as refused:
        checked(demo_endpoint(), FORGED[name], SETTINGS)
    assert refused.value.sentence.endswith(".")
    assert len(refused.value.sentence) < 300


@pytest.mark.parametrize(
    "messages",
    [
        [user_message()],
        [user_message(content="x" * 12_000)],
        [user_message(content="ж" * 12_000)],
        [user_message(role="system"), user_message(), user_message(role="assistant", prefix=True)],
        [user_message(), with_tool_calls(CALL, CALL), user_message(role="tool", tool_call_id="c", name="f")],
    ],
)
def test_contract_fields_are_accepted(messages: list[Any]) -> None:
    body = body_with(*messages, temperature=0.5, top_p=None, random_seed=7, safe_prompt=True, max_tokens=512)
    assert checked(demo_endpoint(), body, SETTINGS).max_tokens == 512


@pytest.mark.parametrize("profile", [BEEZY, MISTRAL, OPENAI])
@pytest.mark.parametrize("streaming", [True, False])
def test_requests_of_the_form_are_accepted_for_any_dialect(profile: Profile, streaming: bool) -> None:
    request = ASKED.model_copy(update={"stream": streaming, "random_seed": 7, "temperature": 1.0})
    endpoint = replace(demo_endpoint(), profile=profile)
    assert checked(endpoint, to_bytes(request, profile), SETTINGS) == request


def test_an_endpoint_that_is_not_in_the_list_is_refused() -> None:
    with pytest.raises(Refused, match="endpoint is not part"):
        checked(demo_endpoint(name="other"), body_with(), DemoSettings(endpoints=("mine",)))


def test_only_listed_models_pass_and_a_refusal_names_them() -> None:
    settings = DemoSettings(models={"mine": ("a", "b")})
    assert checked(demo_endpoint(), body_with(model="b"), settings).model == "b"
    with pytest.raises(Refused, match="Choose one of: a, b"):
        checked(demo_endpoint(), body_with(), settings)


@pytest.mark.parametrize("state", [FieldState.OMIT, FieldState.NULL])
@pytest.mark.parametrize("dialect", [BEEZY, MISTRAL, OPENAI], ids=lambda dialect: dialect.name)
def test_an_omitted_max_tokens_is_the_limit_in_every_dialect(dialect: Profile, state: FieldState) -> None:
    profile = profile_of_demo(dialect, SETTINGS)
    assert sent(profile, Setting(state=state, value=7)) == 512
    assert sent(dialect, Setting(state=FieldState.OMIT, value=7)) is None


@pytest.mark.parametrize(("max_tokens", "problem"), [(1, False), (512, False), (513, True), (0, True)])
def test_a_form_marks_max_tokens_above_the_limit(max_tokens: int, problem: bool) -> None:
    profile = profile_of_demo(BEEZY, SETTINGS)
    assert sent(profile, Setting(state=FieldState.VALUE, value=max_tokens)) == max_tokens
    assert bool(profile.range_problems({"max_tokens": max_tokens})) is problem


def sent(profile: Profile, setting: Setting) -> int | None:
    draft = new_draft().model_copy(update={"model": MODEL})
    return (
        draft.model_copy(update={"settings": {**draft.settings, "max_tokens": setting}}).to_request(profile).max_tokens
    )


def test_a_run_reserves_a_token_for_each_byte_and_its_answer() -> None:
    assert tokens_of(ASKED, b"1234567") == 7 + 100


@given(st.lists(st.text(max_size=300), min_size=1, max_size=30), st.sampled_from(list(Role)))
def test_accepted_requests_are_small_enough_for_the_log(texts: list[str], role: Role) -> None:
    settings = DemoSettings(input_characters=500, messages=10)
    body = body_with(*({"role": role.value, "content": text} for text in texts))
    small = sum(map(len, texts)) <= 500 and len(texts) <= 10
    try:
        checked(demo_endpoint(), body, settings)
    except Refused:
        assert not small
    else:
        assert small
        assert len(body) <= max_bytes(settings)
