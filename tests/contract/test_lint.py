"""The remarks before sending; each fix resolves its remark."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contract.fields import FIELDS
from components.contract.lint import Severity, estimated_tokens, lint
from components.contract.messages import Message, Role
from components.contract.profile import BEEZY, MISTRAL, OPENAI, PROFILES
from components.contract.request import ChatCompletionStreamRequest, UnsendableField, from_fields, to_bytes
from tests.contract.test_request import requests_in

USER = {"role": "user", "content": "Hello"}
ANSWER = {"role": "assistant", "content": "Hi"}


def a_request(*messages, **fields):
    return ChatCompletionStreamRequest.model_validate({"model": "m", "messages": [*messages] or [USER], **fields})


def sentences(request, profile=BEEZY, **known):
    return [remark.sentence for remark in lint(request, profile, **known)]


def only(request, profile=BEEZY, **known):
    (remark,) = lint(request, profile, **known)
    return remark


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_plain_request_has_no_remarks(profile):
    assert lint(a_request(temperature=0.5, max_tokens=100, random_seed=1), profile, context_tokens=2048) == []


@pytest.mark.parametrize(
    ("profile", "field", "value", "mended", "label"),
    [
        (BEEZY, "temperature", 1.4, 1.0, "Set it to 1"),
        (MISTRAL, "temperature", 1.6, 1.5, "Set it to 1.5"),
        (BEEZY, "top_p", -0.5, 0.0, "Set it to 0"),
        (BEEZY, "max_tokens", -1, 0, "Set it to 0"),
        (MISTRAL, "random_seed", -7, 0, "Set it to 0"),
    ],
)
def test_a_value_outside_the_range_is_set_to_its_limit(profile, field, value, mended, label):
    remark = only(a_request(**{field: value}), profile)
    assert (remark.field, remark.severity, remark.fix.label) == (field, Severity.MAY_BE_REFUSED, label)
    assert getattr(remark.fix.request, field) == mended
    assert type(getattr(remark.fix.request, field)) is type(value)


def test_temperature_with_top_p_is_a_hint_whose_fix_omits_top_p():
    remark = only(a_request(temperature=0.2, top_p=0.5))
    assert remark.severity is Severity.HINT
    assert remark.fix.request.state_of("top_p") == "omitted"
    assert remark.fix.request.temperature == 0.2
    assert lint(a_request(temperature=0.2, top_p=1.0), BEEZY) == []


def test_max_tokens_over_the_whole_context_may_be_refused():
    remark = only(a_request(max_tokens=5000), context_tokens=2048)
    assert remark.severity is Severity.MAY_BE_REFUSED
    assert "5,000, more than the model's whole context of 2,048" in remark.sentence
    assert remark.fix.request.max_tokens == 2039


def test_an_estimate_is_marked_and_only_a_hint():
    long = a_request({"role": "user", "content": "word" * 1000}, max_tokens=1500)
    remark = only(long, context_tokens=2048)
    assert "about 1,008 tokens" in remark.sentence
    assert remark.severity is Severity.HINT
    exact = only(long, context_tokens=2048, prompt_tokens=900)
    assert "(900 tokens)" in exact.sentence
    assert exact.severity is Severity.MAY_BE_REFUSED
    assert exact.fix.request.max_tokens == 1148


def test_messages_over_the_context_are_named_without_a_fix():
    remark = only(a_request(), context_tokens=100, prompt_tokens=101)
    assert (remark.field, remark.fix) == ("messages", None)
    assert remark.severity is Severity.MAY_BE_REFUSED


def test_an_unknown_context_gives_no_remark():
    assert lint(a_request(max_tokens=10**9), BEEZY) == []


def test_a_last_assistant_message_can_become_a_prefix():
    remark = only(a_request(USER, ANSWER))
    assert remark.severity is Severity.MAY_BE_REFUSED
    assert remark.fix.request.messages[-1].prefix is True
    assert lint(remark.fix.request, BEEZY) == []


def test_a_last_system_message_has_no_fix():
    assert only(a_request(USER, {"role": "system", "content": "x"})).fix is None


def test_a_prefix_in_the_wrong_place_is_switched_off():
    remark = only(a_request({**ANSWER, "prefix": True}, USER))
    assert [message.model_dump(exclude_unset=True) for message in remark.fix.request.messages] == [ANSWER, USER]


def test_the_openai_dialect_has_no_prefix():
    remark = only(a_request(USER, {**ANSWER, "prefix": True}), OPENAI)
    assert "does not support prefix" in remark.sentence
    assert only(a_request(USER, ANSWER), OPENAI).fix is None


def test_a_tool_message_that_answers_no_call_and_an_empty_message_are_hints():
    request = a_request(USER, {"role": "assistant", "content": ""}, {"role": "tool", "content": "42"})
    assert [remark.severity for remark in lint(request, BEEZY)] == [Severity.HINT, Severity.HINT]
    assert sentences(request)[0] == "Message 2 is empty."
    assert "without the id of its call" in sentences(request)[1]


@pytest.mark.parametrize(
    ("profile", "key", "value", "field"),
    [
        (BEEZY, "seed", 5, "random_seed"),
        (MISTRAL, "seed", 5, "random_seed"),
        (OPENAI, "random_seed", 5, "random_seed"),
        (BEEZY, "safe_mode", True, "safe_prompt"),
        (BEEZY, "max_completion_tokens", 9, "max_tokens"),
        (BEEZY, "temperature", 0.5, "temperature"),
    ],
)
def test_a_key_under_another_name_moves_to_its_field(profile, key, value, field):
    remark = only(a_request(extra_body={key: value}), profile)
    assert remark.field == "extra_body"
    assert (getattr(remark.fix.request, field), remark.fix.request.extra_body) == (value, {})
    assert lint(remark.fix.request, profile) == []
    sent = json.loads(to_bytes(remark.fix.request, profile))
    assert sent[profile.fields[field].key] == value


def test_a_renamed_key_whose_field_is_sent_already_is_left_out_instead():
    remark = only(a_request(random_seed=1, extra_body={"seed": 2, "stop": "x"}), OPENAI)
    assert remark.severity is Severity.CANNOT_BE_SENT
    assert remark.fix.request.extra_body == {"stop": "x"}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [("hot", "temperature must be a number."), (None, None), ([1], "temperature must be a number.")],
)
def test_a_field_of_the_contract_with_a_value_of_another_type_is_named(value, sentence):
    request = from_fields({"model": "m", "messages": [USER], "temperature": value})
    assert sentences(request) == ([sentence] if sentence else [])


def test_null_that_the_dialect_lacks_is_named_and_omitted():
    remark = only(from_fields({"model": "m", "messages": [USER], "safe_prompt": None}))
    assert remark.sentence == "safe_prompt must not be null. Omit it instead."
    assert remark.fix.request.extra_body == {}


@pytest.mark.parametrize(("profile", "severity"), [(BEEZY, Severity.HINT), (MISTRAL, Severity.MAY_BE_REFUSED)])
def test_the_dialect_decides_the_severity_of_unknown_keys(profile, severity):
    remark = only(a_request(extra_body={"frobnicate": 1}), profile)
    assert remark.severity is severity
    assert remark.fix.request.extra_body == {}


def test_a_misspelt_key_gets_a_suggestion():
    assert "Did you mean response_format?" in sentences(a_request(extra_body={"respose_format": {}}), MISTRAL)[0]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("stop", 5, "stop must be a text or a list of texts."),
        ("presence_penalty", 3, "presence_penalty must be at most 2; 3 is more."),
        ("presence_penalty", "hot", "presence_penalty must be a number."),
        ("n", 0, "n must be at least 1; 0 is less."),
        ("n", None, "n must not be null. Omit it instead."),
        ("response_format", {"type": "xml"}, "'text', 'json_object' or 'json_schema'"),
        ("tools", [{"type": "function", "function": {}}], "Field required (at 0.function.name)"),
    ],
)
def test_a_wrong_value_of_a_further_field_gets_a_reason(key, value, words):
    remark = only(a_request(extra_body={key: value}), MISTRAL)
    assert words in remark.sentence
    assert remark.severity is Severity.MAY_BE_REFUSED


@pytest.mark.parametrize("profile", [MISTRAL, OPENAI], ids=["mistral", "openai"])
def test_the_example_of_each_further_field_has_no_remark(profile):
    for key in profile.further_fields:
        for value in (FIELDS[key].example, FIELDS[key].begins_with):
            assert lint(a_request(extra_body={key: value}), profile) == []


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@given(data=st.data())
def test_every_fix_resolves_its_remark_without_a_worse_one(profile, data):
    request = data.draw(requests_in(profile))
    for remark in lint(request, profile, context_tokens=50):
        if remark.fix:
            after = lint(remark.fix.request, profile, context_tokens=50)
            assert remark.sentence not in [now.sentence for now in after]
            assert not any(now.severity is Severity.CANNOT_BE_SENT for now in after)


@given(
    data=st.data(), keys=st.dictionaries(st.sampled_from(["model", "seed", "random_seed", "top_p", "stop"]), st.none())
)
def test_unsendable_requests_always_have_a_remark(data, keys):
    request = data.draw(requests_in(OPENAI)).model_copy(update={"extra_body": keys})
    try:
        to_bytes(request, OPENAI)
    except UnsendableField:
        assert any(remark.severity is Severity.CANNOT_BE_SENT for remark in lint(request, OPENAI))
    else:
        assert not any(remark.severity is Severity.CANNOT_BE_SENT for remark in lint(request, OPENAI))


def test_the_estimate_grows_with_the_text():
    assert estimated_tokens([Message(role=Role.USER, content="")]) == 8
    two = [Message(role=Role.USER, content="a" * 400), Message(role=Role.ASSISTANT, content="b" * 400)]
    assert estimated_tokens(two) == 212
    assert estimated_tokens([Message(role=Role.USER, content="漢字" * 100)]) == 158
    assert estimated_tokens([Message(role=Role.USER, content="\ud800")]) == 8  # an unpaired surrogate is counted


@pytest.mark.parametrize(
    "extra", [{"api_key": "canary"}, {"base_url": "http://h"}, {"metadata": {"deep": [{"token": "canary"}]}}], ids=str
)
def test_credentials_and_addresses_are_named_without_their_values(extra):
    (key,) = extra
    remarks = lint(a_request(extra_body=extra), OPENAI)
    credential = next(remark for remark in remarks if "seems to hold a credential" in remark.sentence)
    assert credential.sentence.startswith(key)
    assert "canary" not in credential.sentence
    assert credential.severity is Severity.MAY_BE_REFUSED
    assert credential.fix.request.extra_body == {}
