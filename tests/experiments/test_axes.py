"""Axes: typed text becomes values, and values become drafts, or a sentence gives the reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contract.fields import CONTRACT_FIELDS
from components.contract.messages import Role
from components.contract.profile import BEEZY
from components.drafts.conversation import Turn
from components.drafts.draft import Draft
from components.drafts.in_words import in_words
from components.drafts.setting import LARGEST_WHOLE, FieldState, Setting
from components.experiments.axes import MAX_VALUES, AxisProblem, field_names, read_values, read_word, with_values
from tests.drafts.test_comparison import drafts
from tests.drafts.test_draft import a_draft, body_of, with_settings

SWEEPABLE = [*CONTRACT_FIELDS, "model", "endpoint", "stream", "system message", "{{topic}}", "stop"]
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def with_system(*contents: str) -> Draft:
    turns = tuple(Turn(id=str(n), role=Role.SYSTEM, content=content) for n, content in enumerate(contents, 1))
    return a_draft(turns=(*turns, Turn(id="9", role=Role.USER, content="Hi {{name}}")), variables={"name": "Ada"})


@pytest.mark.parametrize(
    ("field", "text", "values"),
    [
        ("temperature", "0, 0.5,1", ("0", "0.5", "1")),
        ("temperature", "0\n0.5\r\n\n1\n", ("0", "0.5", "1")),
        ("temperature", "1, 0.50, 0.5, 1.0, 1e-1", ("1", "0.5", "0.1")),
        ("temperature", "omitted, NULL, 0 to 1 step 0.5, 0.5, base", ("omitted", "null", "0", "0.5", "1", "base")),
        ("temperature", '[0.5, null, "omitted", "0 to 1"]', ("0.5", "null", "omitted", "0", "1")),
        ("max_tokens", "16, 32.0, 1e2", ("16", "32", "100")),
        ("random_seed", "seeds 4", ("1", "2", "3", "4")),
        ("random_seed", "7, seeds 2", ("7", "1", "2")),
        ("safe_prompt", "True, false, omitted", ("true", "false", "omitted")),
        ("stream", "true,FALSE", ("true", "false")),
        ("model", "small, org/large:7b", ("small", "org/large:7b")),
        ("model", '["one, two", "three"]', ("one, two", "three")),
        ("endpoint", "1..5\nhere", ("1..5", "here")),
        ("system message", "Be brief, please.\n\nomitted\n Be rude. ", ("Be brief, please.", "omitted", "Be rude.")),
        ("system message", '["Two\\nlines", "one"]', ("Two\nlines", "one")),
        ("system message", "[INST] Go\n[1, 2]", ("[INST] Go", "[1, 2]")),
        ("system message", "[1, 2]", ("[1, 2]",)),
        ("{{topic}}", "1 to 5\ncats, dogs", ("1 to 5", "cats, dogs")),
        ("n", "1..3", ("1", "2", "3")),
        ("presence_penalty", "-1, 0.5, 1.0", ("-1", "0.5", "1.0")),
        ("reasoning_effort", 'low, "high", omitted, NULL', ('"low"', '"high"', "omitted", '"NULL"')),
        ("stop", '"a, b", ["\\n", "]"], null\nomitted', ('"a, b"', '["\\n", "]"]', "null", "omitted")),
        ("stop", '["a", "omitted", ["b"], null]', ('"a"', "omitted", '["b"]', "null")),
        ("response_format", '{\n "type": "text",\n "a": 1\n}', ('{"type": "text", "a": 1}',)),
        ("say", '"a \\" , b", "c\\\\", 1', ('"a \\" , b"', '"c\\\\"', "1")),
    ],
)
def test_typed_values_are_read(field: str, text: str, values: tuple[str, ...]) -> None:
    assert read_values(field, text) == values


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        (
            "temperature",
            " ,\n ",
            "temperature has no values yet. Add at least one: it takes numbers such as 0.5, null or omitted.",
        ),
        (
            "temperature",
            "0, warm",
            "warm is invalid for temperature, which takes numbers such as 0.5, null or omitted.",
        ),
        (
            "max_tokens",
            "0 to 1 step 0.25",
            "0.25 is invalid for max_tokens, which takes whole numbers such as 256, null or omitted.",
        ),
        ("safe_prompt", "null", "null is invalid for safe_prompt, which takes true, false or omitted."),
        ("stream", "omitted", "omitted is invalid for stream, which takes true or false."),
        ("model", "omitted", "omitted is invalid for model, which takes the name of a model."),
        ("endpoint", "null", "null is invalid for endpoint, which takes the name of an endpoint."),
        (
            "system message",
            "null",
            "null is invalid for system message, which takes a text, or omitted.",
        ),
        (
            "{{topic}}",
            "omitted",
            "omitted is invalid for {{topic}}, which takes a text: a variable can be neither omitted nor null.",
        ),
        (
            "unheard_of",
            "high",
            'high is invalid for unheard_of, which takes JSON, such as 0.5, true or "a text in quotation marks", '
            "or omitted.",
        ),
        ("stop", "5", '5 is invalid for stop, which takes a text or a list of texts such as ["\\n\\n"], or omitted.'),
        (
            "response_format",
            "json",
            'json is invalid for response_format, which takes JSON such as {"type": "json_object"}, or omitted.',
        ),
        (
            "random_seed",
            "9007199254740992",
            "9007199254740992 is too large for random_seed, which allows at most 9,007,199,254,740,991.",
        ),
        ("temperature", "0:1:0", "0:1:0 never ends: its step does not reach 1. Write a step above 0."),
        (
            "random_seed",
            "seeds 2000",
            "1 to 2000 would be 2,000 values, and one axis has at most 1,000. Use a larger step.",
        ),
        ("stop", "[" * 500 + "]" * 500, "A value of stop has more than 100 levels of nesting. Make it flatter."),
        ("messages", "[]", "messages cannot be swept as a whole. Sweep a variable in them, such as {{topic}}."),
        ("extra_body", "{}", "extra_body cannot be swept as a whole. Sweep one of its keys, such as stop."),
        ("{{1}}", "a", "{{1}} is not a variable. Write its name in braces, such as {{topic}}."),
        ("{{a}} {{b}}", "a", "{{a}} {{b}} is not a variable. Write its name in braces, such as {{topic}}."),
        (" ", "1", "Choose the field of these values."),
        (
            "seed",
            ", ".join(map(str, range(1_001))),
            "seed has 1,001 values, and one axis has at most 1,000. Remove some.",
        ),
        ("seed", "0..999, 1000", "seed has more than 1,000 values, and one axis has at most 1,000. Remove some."),
    ],
)
def test_an_invalid_axis_is_refused_with_a_next_step(field: str, text: str, sentence: str) -> None:
    with pytest.raises(AxisProblem) as problem:
        read_values(field, text)
    assert (problem.value.field, str(problem.value)) == (field, sentence)


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "1e999", "0x1", "1_000", "007", '"0.5"', "[0", "9" * 5_000, "seeds 0"]
)
def test_only_json_numbers_are_numbers(text: str) -> None:
    with pytest.raises(AxisProblem, match=r" (is invalid for|is too large for) random_seed"):
        read_values("random_seed", text)


@pytest.mark.parametrize("depth", range(900, 1_000, 3))
@pytest.mark.parametrize("field", ["stop", "temperature"])
def test_deep_nesting_is_refused_with_a_sentence(field: str, depth: int) -> None:
    with pytest.raises(AxisProblem):
        read_values(field, "[" * depth + "]" * depth)


@given(st.sampled_from(SWEEPABLE), st.text(max_size=60))
def test_any_text_becomes_values_that_survive_rereading_or_is_refused(field: str, text: str) -> None:
    try:
        values = read_values(field, text)
    except AxisProblem:
        return
    assert 1 <= len(values) == len(set(values)) <= MAX_VALUES
    assert [read_word(field, value) or "base" for value in values] == list(values)
    if field != "stop":
        assert read_values(field, json.dumps(values)) == values


@given(drafts, st.sampled_from(["", "base", " ", " base "]), st.sampled_from(SWEEPABLE))
def test_base_and_an_empty_value_keep_a_field(draft: Draft, words: str, field: str) -> None:
    assert with_values(draft, {field: words}) == draft


@given(
    st.sampled_from(["temperature", "top_p"]),
    st.floats(-LARGEST_WHOLE, LARGEST_WHOLE) | st.sampled_from([0.1, 1e-7, 2.0]),
)
def test_a_number_is_sent_as_it_was_typed(field: str, number: float) -> None:
    [value] = read_values(field, repr(number))
    draft = with_values(a_draft(), {field: value})
    assert body_of(draft)[field] == number
    assert in_words(draft)[field] == value


@given(json_values)
def test_a_key_of_the_extra_body_is_sent_as_it_was_typed(value: Any) -> None:
    assert read_values("x", json.dumps([value], indent=1)) == (read_word("x", json.dumps(value)),)
    sent = body_of(with_values(a_draft(extra_body='{"n": 2}'), {"x": json.dumps(value)}))
    assert (sent["n"], sent["x"]) == (2, value)


def test_every_kind_of_field_reaches_the_request() -> None:
    draft = with_values(
        with_system("Be kind."),
        {
            "temperature": "0.25",
            "top_p": "null",
            "max_tokens": "7",
            "random_seed": "3",
            "safe_prompt": "true",
            "model": "large",
            "endpoint": "there",
            "stream": "false",
            "system message": "Be {{mood}}.",
            "{{name}}": "Bo",
            "{{ mood }}": "glad",
            "stop": '["."]',
        },
    )
    assert draft.endpoint == "there"
    assert body_of(draft) == {
        "model": "large",
        "messages": [{"role": "system", "content": "Be glad."}, {"role": "user", "content": "Hi Bo"}],
        "temperature": 0.25,
        "top_p": None,
        "max_tokens": 7,
        "random_seed": 3,
        "safe_prompt": True,
        "stream": False,
        "stop": ["."],
    }


def test_omitted_removes_a_field_of_the_base() -> None:
    base = with_settings(
        with_system("One.", "Two."), temperature=Setting(state=FieldState.VALUE, value=0.5)
    ).model_copy(update={"extra_body": '{"n": 1}'})
    draft = with_values(base, {"temperature": "omitted", "system message": "omitted", "n": "omitted", "k": "omitted"})
    assert body_of(draft) == {"model": "m", "messages": [{"role": "user", "content": "Hi Ada"}], "stream": True}
    assert draft.settings["temperature"].value == 0.5


def test_a_system_message_replaces_all_others() -> None:
    draft = with_values(with_system("One.", "Two."), {"system message": "Three."})
    assert [message.content for message in draft.to_request(BEEZY).messages] == ["Three.", "Hi Ada"]


def test_keys_of_an_object_keep_their_order() -> None:
    [words] = read_values("response_format", '{"b": 1, "a": 2}')
    assert list(body_of(with_values(a_draft(), {"response_format": words}))["response_format"]) == ["b", "a"]


def test_nul_and_unpaired_surrogates_become_replacement_characters() -> None:
    assert read_values("stop", r'"\ud800"') == ('"\ufffd"',)
    assert read_values("{{topic}}", "a\x00b") == ("a\ufffdb",)


@pytest.mark.parametrize(
    ("extra_body", "sentence"),
    [
        ("[1]", "The form's extra body must be a JSON object. Fix it there first."),
        (
            '{"a": ' + "[" * 200 + "]" * 200 + "}",
            "The form's extra body has more than 100 levels of nesting. Make it flatter.",
        ),
    ],
)
def test_a_key_cannot_be_set_in_an_invalid_extra_body(extra_body: str, sentence: str) -> None:
    draft = a_draft(extra_body=extra_body)
    with pytest.raises(AxisProblem) as problem:
        with_values(draft, {"n": "1"})
    assert str(problem.value) == sentence
    assert body_of(with_values(a_draft(), {"n": "1"}))["n"] == 1
    assert field_names(draft) == field_names(a_draft())


def test_sweepable_fields_are_form_fields_variables_and_extra_keys() -> None:
    draft = a_draft("{{a}} and {{b}}", extra_body='{"n": 1, "messages": 2, "model": "m", "": 3, "{{x": 4}')
    assert field_names(draft) == [
        *CONTRACT_FIELDS,
        "model",
        "endpoint",
        "stream",
        "system message",
        "{{a}}",
        "{{b}}",
        "n",
    ]


@given(drafts)
def test_every_field_that_is_offered_can_be_swept(draft: Draft) -> None:
    for field in field_names(draft):
        assert read_word(field, "base") == ""


def test_too_much_text_is_refused_with_a_sentence() -> None:
    with pytest.raises(AxisProblem, match=r"temperature has values of more than 1,000,000 characters. Remove some."):
        read_values("temperature", "1," * 500_001)
