"""The fields of a draft in words, and the differences of several drafts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contract.difference import Difference
from components.contract.fields import CONTRACT_FIELDS
from components.contract.messages import Role
from components.contract.profile import BEEZY
from components.contract.request import to_bytes
from components.drafts.conversation import Turn
from components.drafts.draft import FieldState, Setting
from components.drafts.in_words import OMITTED, SYSTEM, differences_between, differing, in_words
from tests.drafts.test_comparison import all_settings
from tests.drafts.test_draft import a_draft, with_settings

sendable = st.builds(
    lambda settings, stream, extra: a_draft(settings=settings, stream=stream, extra_body=extra),
    all_settings,
    st.booleans(),
    st.sampled_from(
        ["", "{}", '{"n": 1}', '{"n": 1.0}', '{"n": true}', '{"stop": {"a": 1, "b": 2}}', '{"stop": {"b": 2, "a": 1}}']
    ),
).filter(lambda draft: draft.settings["safe_prompt"].state is not FieldState.NULL)


def value(content: float | bool) -> Setting:
    return Setting(state=FieldState.VALUE, value=content)


def test_fields_are_described_in_the_order_of_the_form():
    draft = with_settings(
        a_draft(endpoint="here", stream=False, extra_body='{"stop": ["ä"], "n": null}'),
        temperature=value(0.0),
        top_p=Setting(state=FieldState.NULL, value=1.0),
        max_tokens=value(9),
        safe_prompt=value(True),
    )
    assert list(in_words(draft).items()) == [
        ("endpoint", "here"),
        ("model", "m"),
        (SYSTEM, OMITTED),
        ("temperature", "0"),
        ("top_p", "null"),
        ("max_tokens", "9"),
        ("random_seed", OMITTED),
        ("safe_prompt", "true"),
        ("stream", "false"),
        ("stop", '["ä"]'),
        ("n", "null"),
    ]
    assert list(in_words(a_draft()))[3:8] == [*CONTRACT_FIELDS]


def test_unset_fields_are_omitted():
    words = in_words(a_draft(model=None, endpoint=None))
    assert (words["endpoint"], words["model"]) == (OMITTED, OMITTED)


def test_the_system_message_is_shown_whole_with_its_variables():
    turns = [Turn(id=str(number), role=Role.SYSTEM, content=text) for number, text in enumerate(["{{a}}", "x" * 99], 5)]
    words = in_words(a_draft(turns=(*turns, *a_draft("Not this").turns), variables={"a": "Be brief."}))
    assert words[SYSTEM] == "Be brief.\n" + "x" * 99
    assert "Not this" not in str(words)


def test_invalid_extra_fields_are_shown_as_typed():
    assert in_words(a_draft(extra_body="{n"))["extra body fields"] == "{n"
    assert "extra body fields" not in in_words(a_draft(extra_body=" \n"))


def test_the_order_of_keys_is_no_difference():
    one, other = (
        a_draft(extra_body=text) for text in ('{"n": 1, "s": {"a": 1, "b": 2}}', '{"s": {"b": 2, "a": 1}, "n": 1}')
    )
    assert differing([in_words(one), in_words(other)]) == []


@pytest.mark.parametrize("key", ["endpoint", "system message", "temperature", "stream"])
def test_an_extra_field_hides_no_field_of_the_form(key):
    here = a_draft(endpoint="here", extra_body=json.dumps({key: "same"}))
    there = here.model_copy(update={"endpoint": "there"})
    assert in_words(here)[key] == in_words(a_draft(endpoint="here"))[key]
    assert in_words(here)[f"{key} (extra body)"] == '"same"'
    assert differing([in_words(here), in_words(there)]) == ["endpoint"]


@pytest.mark.parametrize(("one", "other"), [(0.7, 0.70000001), (1e-7, 1.1e-7), (123_456_789.0, 123_456_788.0)])
def test_the_last_digit_of_a_number_is_a_difference(one, other):
    words = [in_words(with_settings(a_draft(), temperature=value(number))) for number in (one, other)]
    assert differing(words) == ["temperature"]
    assert [float(fields["temperature"]) for fields in words] == [one, other]


@given(sendable, sendable)
def test_drafts_differ_in_words_exactly_where_their_requests_differ(one, other):
    sent = [json.loads(to_bytes(draft.to_request(BEEZY), BEEZY)) for draft in (one, other)]
    # As text, since 1, 1.0 and true are equal in Python.
    texts = [{key: json.dumps(content, sort_keys=True) for key, content in body.items()} for body in sent]
    keys = {key for key in {**texts[0], **texts[1]} if texts[0].get(key) != texts[1].get(key)}
    assert {*differing([in_words(one), in_words(other)])} == keys


def test_a_field_of_only_one_draft_is_a_difference():
    all_words = [{"a": "1", "b": "2"}, {"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "4"}]
    assert differing(all_words) == ["b", "c"]
    assert differing(all_words[:1]) == []
    assert differing([{"c": OMITTED}, {}]) == []


def test_differences_have_a_full_and_a_short_form():
    differences = differences_between({"a": "1", "b": "2", "d": "x" * 99}, {"a": "1", "b": "3", "c": "4"})
    assert differences[1] == Difference("d", "x" * 99, OMITTED)
    assert [found.shortened() for found in differences] == [
        Difference("b", "2", "3"),
        Difference("d", "x" * 39 + "…", OMITTED),
        Difference("c", OMITTED, "4"),
    ]
