"""The differences between two requests, in words."""

import pytest

from components.contract.difference import Difference, differences
from components.contract.request import ChatCompletionStreamRequest

USER = {"role": "user", "content": "Hello"}


def a_request(**fields):
    return ChatCompletionStreamRequest.model_validate({"model": "m", "messages": [USER], **fields})


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({}, {"temperature": 0.9}, ["temperature omitted → 0.9"]),
        ({"temperature": 0.2}, {"temperature": None}, ["temperature 0.2 → null"]),
        ({"max_tokens": None}, {}, ["max_tokens null → omitted"]),
        ({"safe_prompt": False}, {"safe_prompt": True}, ["safe_prompt false → true"]),
        ({"safe_prompt": False}, {}, ["safe_prompt false → omitted"]),
        ({"model": "a"}, {"model": "b"}, ["model a → b"]),
        ({}, {"stream": False}, ["stream true → false"]),
        ({}, {"messages": [USER, USER]}, ["messages"]),
        ({}, {"messages": [{**USER, "prefix": False}]}, ["messages"]),
        ({"extra_body": {"stop": ["a"]}}, {"extra_body": {"n": 2}}, ['stop ["a"] → omitted', "n omitted → 2"]),
    ],
)
def test_each_difference_is_named_with_both_sides(before, after, words):
    assert [str(found) for found in differences(a_request(**before), a_request(**after))] == words


def test_equal_requests_have_no_differences():
    fields = {"temperature": 0.5, "max_tokens": None, "extra_body": {"a": {"b": 1, "c": 2}}}
    other = {**fields, "extra_body": {"a": {"c": 2, "b": 1}}}
    assert differences(a_request(**fields), a_request(**other)) == []


def test_long_values_are_cut():
    (found,) = differences(a_request(), a_request(extra_body={"stop": "x" * 1000}))
    assert len(found.after) == 40


def test_long_values_that_differ_late_are_shown_from_there_on():
    before, after = ({"stop": "x" * 100 + end + "y" * 100} for end in ("one", "two"))
    (found,) = differences(a_request(extra_body=before), a_request(extra_body=after))
    assert (found.before, found.after) == tuple(f"…{'x' * 12}{end}{'y' * 23}…" for end in ("one", "two"))
    longer = Difference("prompt", "x" * 100, "x" * 101).shortened()
    assert (longer.before, longer.after) == (f"…{'x' * 12}", f"…{'x' * 13}")
