"""The searchable texts of a request: its prompt and its settings."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.log.request_summary import setting_line, summarize_request


def test_the_last_user_message_comes_first_in_the_prompt_text() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "user", "content": [{"type": "text", "text": "And"}, {"type": "text", "text": "now?"}]},
    ]
    summary = summarize_request(json.dumps({"model": "m", "messages": messages, "stream": True}))
    assert summary == ("And\nnow?\n\nBe brief.\n\nHello", "")


def test_settings_with_a_value_null_and_omitted_are_distinguished() -> None:
    body = {"model": "m", "messages": [], "temperature": 0.7, "max_tokens": None, "stop": ["a\nb"], "stream": False}
    assert summarize_request(json.dumps(body)).settings.split("\n") == [
        "temperature=0.7",
        "max_tokens=null",
        'stop=["a\\nb"]',
        "stream=false",
    ]


def test_a_long_value_is_shortened() -> None:
    assert setting_line("tools", ["x" * 1000]) == f'tools=["{"x" * 198}…'


@pytest.mark.parametrize("body", ["", "no JSON", "[]", "3", '{"messages": 3}', '{"messages": [3, {"content": [4]}]}'])
def test_a_body_of_another_shape_has_no_prompt_text(body: str) -> None:
    assert summarize_request(body) == ("", "")


_JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=5)


@given(st.dictionaries(st.text(), _JSON))
def test_each_field_has_exactly_one_line(body: dict[str, object]) -> None:
    settings = {name: value for name, value in body.items() if name not in ("model", "messages")}
    expected = sum(not (name == "stream" and value is True) for name, value in settings.items())
    assert len([line for line in summarize_request(json.dumps(body)).settings.split("\n") if line]) == expected
