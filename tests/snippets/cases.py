"""Requests for these tests: handwritten, and from strategies that reuse those of the contract's tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from components.contract.fields import FIELDS
from components.contract.profile import BEEZY, MISTRAL, OPENAI, Profile
from components.contract.request import ChatCompletionStreamRequest
from tests.contract.test_request import OMITTED, a_request, any_text, fields_of, nullable, values

NASTY = [
    "'",
    "''",
    '"',
    "\\",
    "\\'",
    "'\\''; echo out; '",
    "$(echo out)",
    "`echo out`",
    "$API_KEY ${API_KEY}",
    "!echo !!",
    "@/etc/passwd",
    "%s %0 %d",
    "{} {0} {body} {{",
    "\0\x01\x07\x1b[31m\x7f\x9b",
    "\r\n\t\n",
    '"""',
    "'''",
    "\\N{DEGREE SIGN} \\x41 \\u0041 \\",
    "\u2028\u2029\u0085\x0b\x0c",
    "\u202eabc\u2066\u200b\ufeff",
    "😀 Grüße 漢字",
    "a\ud83dz \udc00",
    "# no comment",
    "EOF\n'EOF'\n",
    "x; rm -rf /nowhere & curl http://other",
    "~?~unset~",
]

TOOLS = FIELDS["tools"].begins_with
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object", "x": None}, "strict": True}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}
CONVERSATION = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": "rain", "tool_call_id": "call_1", "name": "get_weather"},
    {"role": "user", "content": " ".join(NASTY[:18])},
]
PREFIXED = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Good", "prefix": True}]
SAID = {"temperature": 0.25, "top_p": 1.0, "max_tokens": 12, "random_seed": 2**70}
NULL: dict[str, Any] = dict.fromkeys(SAID)

CASES: list[tuple[Profile, ChatCompletionStreamRequest]] = [
    (profile, a_request(stream=stream, **fields))
    for profile in (BEEZY, MISTRAL, OPENAI)
    for stream in (True, False)
    for fields in (
        {},
        SAID if profile is OPENAI else {**SAID, "safe_prompt": False},
        NULL,
        {"messages": CONVERSATION, "extra_body": {"tools": TOOLS, "response_format": SCHEMA, "stop": ["\n", "'"]}},
        {"messages": PREFIXED, "temperature": 1, "extra_body": {"tool_choice": "auto", "metadata": {"a": None}}},
        {"messages": [{"role": "assistant", "content": "", "prefix": False}, *PREFIXED[:1]]},
    )
]

# Supported by some clients only.
OPEN_CASES: list[tuple[Profile, ChatCompletionStreamRequest]] = [
    (profile, a_request(messages=[{"role": "user", "content": "x", "name": None}], extra_body=extra))
    for profile in (BEEZY, OPENAI)
    for extra in ({"logit_bias": {"5": -1}, "temperatur": [None, 2**70, 1e300, {"'": "\\"}]}, {"extra_body": {"a": 1}})
]

# Values of keys beyond the contract, in the mistralai client's shapes and others.
_FURTHER: dict[str, st.SearchStrategy[Any]] = {
    "stop": any_text | st.lists(any_text, max_size=2) | st.none(),
    "presence_penalty": st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.none(),
    "n": st.integers() | st.none() | st.booleans(),
    "response_format": st.sampled_from([{"type": "text"}, {"type": "text", "json_schema": None}, SCHEMA, {}, None]),
    "tools": st.sampled_from([TOOLS, [], None, [{"type": "function", "function": {"name": "f"}}]]),
    "tool_choice": st.sampled_from(
        ["auto", "none", "required", {"type": "function", "function": {"name": "f"}}, {"function": {"name": "f"}}, None]
    ),
    "parallel_tool_calls": st.booleans() | st.none(),
    "reasoning_effort": st.sampled_from(["none", "high", "unheard of", None]),
    "prompt_mode": st.sampled_from(["reasoning", "unheard of", None]),
    "prediction": st.sampled_from([{"type": "content", "content": ""}, {"type": "content"}, None]),
    "metadata": st.none() | st.dictionaries(any_text, st.none() | any_text | st.integers(-(2**70), 2**70), max_size=2),
    "logprobs": st.booleans() | st.none(),
    "top_logprobs": st.integers() | st.none(),
}

_tool_calls = st.lists(
    st.fixed_dictionaries(
        {"function": st.fixed_dictionaries({"name": any_text, "arguments": any_text | st.just({"a": [None]})})},
        optional={"id": any_text, "type": st.just("function"), "index": st.integers(0, 9)},
    ),
    max_size=2,
)
_messages = st.lists(
    st.one_of(
        st.fixed_dictionaries({"role": st.sampled_from(["system", "user"]), "content": any_text}),
        st.fixed_dictionaries(
            {"role": st.just("assistant"), "content": any_text},
            optional={"prefix": st.booleans(), "tool_calls": st.none() | _tool_calls},
        ),
        st.fixed_dictionaries(
            {"role": st.just("tool"), "content": any_text},
            optional={"tool_call_id": st.none() | any_text, "name": st.none() | any_text},
        ),
    ),
    min_size=1,
    max_size=3,
)


@st.composite
def usual_requests(draw: st.DrawFn, profile: Profile) -> ChatCompletionStreamRequest:
    """A request with known keys only, most of them supported by every client."""
    fields = {
        "model": draw(st.text(min_size=1)),
        "messages": draw(_messages),
        "stream": draw(st.booleans()),
        "extra_body": draw(st.fixed_dictionaries({}, optional={key: _FURTHER[key] for key in draw(_keys)})),
    }
    for field in fields_of(profile):
        value = draw(st.one_of(st.just(OMITTED), values[field], st.none() if field in nullable else st.nothing()))
        if value is not OMITTED:
            fields[field] = value
    if not fields["extra_body"]:
        del fields["extra_body"]
    return ChatCompletionStreamRequest.model_validate(fields)


_keys = st.lists(st.sampled_from(sorted(_FURTHER)), max_size=2, unique=True)
