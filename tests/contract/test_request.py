"""The request and its bytes: every state and value survives, and nothing is added."""

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.contract.fields import CONTRACT_FIELDS
from components.contract.messages import Role
from components.contract.profile import BEEZY, OPENAI, PROFILES
from components.contract.request import (
    ChatCompletionStreamRequest,
    UnsendableField,
    from_bytes,
    to_bytes,
)

MESSAGES = [{"role": "user", "content": "Hello"}]
OMITTED = object()


def a_request(**fields):
    return ChatCompletionStreamRequest.model_validate({"model": "m", "messages": MESSAGES, **fields})


def body_of(request, profile=BEEZY):
    return json.loads(to_bytes(request, profile))


def facts(request):
    """All values and states, since pydantic's == ignores which fields are set. ``stream`` is always sent."""
    return (
        request.model_dump(),
        request.model_fields_set | {"stream"},
        [message.model_fields_set for message in request.messages],
        {field: type(getattr(request, field)) for field in CONTRACT_FIELDS},
    )


# Any text with unpaired surrogates; adjacent halves are one character in JSON, so they are joined first.
any_text = st.text(st.characters(exclude_categories=())).map(
    lambda text: text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
)
valid_name = st.text(min_size=1)
numbers = st.floats(allow_nan=False, allow_infinity=False)
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(Role), "content": any_text},
        optional={
            "prefix": st.booleans(),
            "name": any_text,
            "tool_call_id": any_text,
            "tool_calls": st.just([{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]),
        },
    ),
    min_size=1,
    max_size=4,
)
values = {
    "temperature": numbers,
    "top_p": numbers,
    "max_tokens": st.integers(),
    "random_seed": st.integers(-(2**70), 2**70),
    "safe_prompt": st.booleans(),
}
nullable = [field for field in CONTRACT_FIELDS if field != "safe_prompt"]


def fields_of(profile):
    """The fields of the contract that a dialect has."""
    return [field for field in CONTRACT_FIELDS if field in profile.fields]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | numbers | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def requests_in(draw, profile):
    """A request with any combination of states of the dialect, and extra keys that duplicate no field."""
    fields = {"model": draw(valid_name), "messages": draw(messages)}
    own = {"model", "messages", "stream", "stream_options", *(profile.key_of(field) for field in CONTRACT_FIELDS)}
    if extra := draw(st.dictionaries(any_text.filter(lambda key: key not in own), json_values, max_size=3)):
        fields["extra_body"] = extra
    for field in fields_of(profile):
        states = [st.just(OMITTED), values[field], *([st.none()] if field in nullable else [])]
        value = draw(st.one_of(states))
        if value is not OMITTED:
            fields[field] = value
    stream = draw(st.sampled_from([OMITTED, True, False]))
    if stream is not OMITTED:
        fields["stream"] = stream
    return ChatCompletionStreamRequest.model_validate(fields)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@given(data=st.data())
def test_a_request_survives_its_bytes_with_every_value_and_state(profile, data):
    request = data.draw(requests_in(profile))
    body = to_bytes(request, profile)
    back = from_bytes(body, profile)
    assert facts(back) == facts(request)
    assert to_bytes(back, profile) == body


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_every_combination_of_states_reaches_the_wire(profile):
    examples = {"temperature": 0.2, "top_p": 1.0, "max_tokens": 512, "random_seed": 1337, "safe_prompt": True}
    choices = [
        [(field, OMITTED), (field, examples[field]), *([(field, None)] if field in nullable else [])]
        for field in fields_of(profile)
    ]
    for combination in product(*choices):
        chosen = {field: value for field, value in combination if value is not OMITTED}
        body = body_of(a_request(**chosen), profile)
        keys = {profile.fields[field].key: value for field, value in chosen.items()}
        extra = {"stream_options": {"include_usage": True}} if profile is OPENAI else {}
        assert body == {"model": "m", "messages": MESSAGES, **keys, "stream": True, **extra}


@pytest.mark.parametrize("prefix", [OMITTED, True, False])
def test_a_prefix_is_sent_only_when_set(prefix):
    fields = {} if prefix is OMITTED else {"prefix": prefix}
    sent = body_of(a_request(messages=[{"role": "assistant", "content": "", **fields}]))["messages"]
    assert sent == [{"role": "assistant", "content": "", **fields}]


def test_the_reference_clients_request_can_be_sent():
    request = a_request(temperature=0.7, top_p=1, max_tokens=None, random_seed=None, safe_prompt=False)
    assert to_bytes(request) == (
        b'{\n  "model": "m",\n  "messages": [\n    {\n      "role": "user",\n      "content": "Hello"\n    }\n  ],\n'
        b'  "temperature": 0.7,\n  "top_p": 1.0,\n  "max_tokens": null,\n  "random_seed": null,\n'
        b'  "safe_prompt": false,\n  "stream": true\n}'
    )


def test_a_field_has_one_of_three_states():
    request = a_request(temperature=0.0, max_tokens=None)
    states = {field: request.state_of(field) for field in CONTRACT_FIELDS}
    assert states == {
        "temperature": "value",
        "top_p": "omitted",
        "max_tokens": "null",
        "random_seed": "omitted",
        "safe_prompt": "omitted",
    }
    assert request.sent_values() == {"temperature": 0.0, "max_tokens": None}


def test_the_openai_dialect_sends_seed_and_requests_usage():
    body = body_of(a_request(random_seed=7), OPENAI)
    assert body["seed"] == 7
    assert "random_seed" not in body
    assert body["stream_options"] == {"include_usage": True}


def test_usage_is_not_requested_without_streaming():
    assert body_of(a_request(stream=False), OPENAI) == {"model": "m", "messages": MESSAGES, "stream": False}


@pytest.mark.parametrize("value", [True, False])
def test_a_field_that_a_dialect_lacks_cannot_be_sent_in_it(value):
    with pytest.raises(UnsendableField, match="openai dialect has no safe_prompt") as refused:
        to_bytes(a_request(safe_prompt=value), OPENAI)
    assert refused.value.field == "safe_prompt"


def test_text_stays_readable_in_the_bytes():
    body = to_bytes(a_request(messages=[{"role": "user", "content": 'Grüße 😀 "\\'}]))
    assert 'Grüße 😀 \\"\\\\'.encode() in body


def test_a_lone_surrogate_survives_as_its_escape():
    request = a_request(messages=[{"role": "user", "content": "a\ud83d\\"}])
    assert rb'"a\ud83d\\"' in to_bytes(request)
    assert from_bytes(to_bytes(request)).messages[0].content == "a\ud83d\\"


def test_a_surrogate_pair_is_sent_as_its_character():
    body = to_bytes(a_request(messages=[{"role": "user", "content": "\ud83d\ude00"}]))
    assert "😀".encode() in body
    assert to_bytes(from_bytes(body)) == body


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *product(nullable, [True, False, "1", "", [1], {}]),
        *product(["temperature", "top_p"], [float("nan"), float("inf"), float("-inf")]),
        *product(["max_tokens", "random_seed"], [1.5, 1.0, float("nan")]),
        *product(["safe_prompt", "stream"], [None, 0, 1, "true", []]),
        *product(["model"], [None, "", 5]),
        *product(["messages"], [None, [], "Hello", [None], {}]),
    ],
)
def test_a_value_of_another_type_is_refused_by_field(field, value):
    with pytest.raises(ValidationError) as refused:
        a_request(**{field: value})
    assert {problem["loc"][0] for problem in refused.value.errors()} == {field}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("stop", ["\n"]),
        ("n", 2),
        ("Temperature", 1),
        ("extra_body", {"a": 1}),
        ("temperature", "hot"),
        ("max_tokens", 1.5),
        ("safe_prompt", None),
        ("top_p", [0.1, None]),
    ],
)
def test_unknown_keys_and_invalid_values_are_kept_as_extra_keys(profile, key, value):
    body = {"model": "m", "messages": MESSAGES, "stream": False, key: value}
    request = from_bytes(json.dumps(body), profile)
    assert request.extra_body == {key: value}
    assert body_of(request, profile) == body


@pytest.mark.parametrize("key", ["model", "messages", "stream", "temperature"])
def test_an_extra_key_cannot_duplicate_a_field(key):
    with pytest.raises(UnsendableField, match=f"extra field {key} duplicates") as refused:
        to_bytes(a_request(temperature=0.5, extra_body={key: 1}))
    assert refused.value.field == key


def test_an_extra_key_may_replace_an_omitted_field():
    assert body_of(a_request(extra_body={"temperature": "hot"}))["temperature"] == "hot"


def test_an_extra_stream_options_replaces_the_default():
    options = {"include_usage": False}
    request = a_request(extra_body={"stream_options": options})
    assert body_of(request, OPENAI)["stream_options"] == options
    assert from_bytes(to_bytes(request, OPENAI), OPENAI).extra_body == {"stream_options": options}


def test_the_stream_options_of_the_openai_dialect_are_no_extra_field():
    request = a_request()
    assert from_bytes(to_bytes(request, OPENAI), OPENAI).extra_body == {}


@pytest.mark.parametrize("field", ["model", "messages"])
def test_a_required_field_cannot_be_left_out(field):
    fields = {"model": "m", "messages": MESSAGES}
    del fields[field]
    with pytest.raises(ValidationError) as refused:
        from_bytes(json.dumps(fields))
    assert [problem["loc"] for problem in refused.value.errors()] == [(field,)]


def test_values_out_of_range_are_sent_because_ranges_belong_to_the_endpoint():
    body = body_of(a_request(temperature=9.5, top_p=-1.0, max_tokens=-1))
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (9.5, -1.0, -1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"model": "m", "messages": [{"role": "user", "content": "x"}], "temperature": NaN}',
        b'{"model": "m", "messages": [{"role": "user", "content": "x"}], "temperature": 1e999}',
        b'{"model": "m", "messages": [{"role": "user", "content": "x"}], "random_seed": ' + b"9" * 5000 + b"}",
        b'{"model": "m", "messages": [{"role": "user", "content": "x"}], "model": "n"}',
    ],
    ids=["empty", "null", "list", "string", "cut", "no-utf8", "deep", "nan", "infinite", "huge-integer", "twice"],
)
def test_invalid_bytes_are_a_value_error(body):
    with pytest.raises(ValueError, match=r"(?i)request"):
        from_bytes(body)


def test_the_seed_of_an_openai_body_is_the_random_seed():
    body = {"model": "m", "messages": MESSAGES, "random_seed": 1, "seed": 2}
    request = from_bytes(json.dumps(body), OPENAI)
    assert (request.random_seed, request.extra_body) == (2, {"random_seed": 1})


@given(st.binary())
def test_any_bytes_give_a_request_or_a_value_error(body):
    try:
        request = from_bytes(body)
    except ValueError:
        return
    assert isinstance(request, ChatCompletionStreamRequest)
