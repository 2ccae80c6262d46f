"""Chunks as endpoints send them: malformed parts neither raise errors nor lose text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contract.chunk import (
    ChoiceDelta,
    Chunk,
    UnreadableEvent,
    Usage,
    read_chunk,
    read_completion,
    read_object,
    read_value,
)


def a_chunk(delta=None, *, finish=None, **more):
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}
    return read_chunk(json.dumps({"id": "c", "model": "m", "choices": [choice], **more}))


def the_choice(delta, **more):
    chunk = a_chunk(delta, **more)
    assert len(chunk.choices) == 1
    return chunk.choices[0]


def test_a_plain_chunk_is_read_completely():
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    assert a_chunk({"role": "assistant", "content": "Hi"}, finish="stop", usage=usage) == Chunk(
        choices=(ChoiceDelta(index=0, text="Hi", finish_reason="stop"),), usage=Usage(3, 5, 8), model="m"
    )


@pytest.mark.parametrize(
    ("delta", "text", "reasoning"),
    [
        ({"role": "assistant", "content": ""}, "", ""),
        ({"content": None}, "", ""),
        ({}, "", ""),
        ({"content": 5}, "", ""),
        ({"content": "a", "unknown": {"b": [1]}}, "a", ""),
        ({"content": "a", "reasoning_content": "b"}, "a", "b"),
        ({"content": "a", "reasoning": "b"}, "a", "b"),
        ({"content": None, "reasoning_content": "b", "reasoning": "b"}, "", "b"),
        ({"content": "a", "reasoning_content": "", "reasoning": "b"}, "a", "b"),
        ({"content": "a", "reasoning_content": None, "reasoning": "b"}, "a", "b"),
        ({"content": []}, "", ""),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "ab", ""),
        ({"content": ["a", {"type": "text", "text": "b"}]}, "ab", ""),
        ({"content": [{"type": "thinking", "thinking": "b"}, {"type": "text", "text": "a"}]}, "a", "b"),
        ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "b"}]}]}, "", "b"),
        ({"content": [{"type": "thinking", "thinking": None}]}, "", ""),
        ({"content": [{"type": "thinking", "thinking": "b"}], "reasoning": "c"}, "", "bc"),
        (
            {"content": [{"type": "reasoning", "summary": [{"text": "b"}]}, {"type": "output_text", "text": "a"}]},
            "a",
            "b",
        ),
        ({"role": "assistant", "content": "a", "thinking": "b"}, "a", "b"),
        ({"content": "a", "reasoning": {"content": "b"}}, "a", "b"),
        ({"content": "", "reasoning_details": [{"type": "reasoning.text", "text": "b"}]}, "", "b"),
        ({"reasoning_details": [{"type": "reasoning.summary", "summary": "b"}, {"text": "c"}]}, "", "bc"),
        ({"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}, {"text": None}, 5]}, "", ""),
        ({"reasoning": "b", "reasoning_details": [{"type": "reasoning.text", "text": "b"}]}, "", "b"),
        ({"thinking_blocks": [{"type": "thinking", "thinking": "b", "signature": "x"}]}, "", "b"),
        ({"content": {"type": "text", "text": "Hi"}}, "Hi", ""),
        ({"content": None, "refusal": "I will not."}, "I will not.", ""),
        ({"content": "Hi", "refusal": None}, "Hi", ""),
    ],
)
def test_text_and_reasoning_are_found_in_all_places(delta, text, reasoning):
    choice = the_choice(delta)
    assert (choice.text, choice.reasoning) == (text, reasoning)


@pytest.mark.parametrize("part", [{"type": "image_url", "image_url": "x"}, {"text": "x"}, 5, None, {"type": "text"}])
def test_an_unknown_part_is_skipped_with_a_warning(part):
    chunk = a_chunk({"content": [{"type": "text", "text": "a"}, part, {"type": "text", "text": "b"}]})
    assert chunk.choices[0].text == "ab"
    assert len(chunk.warnings) == 1
    assert "was skipped" in chunk.warnings[0]


def test_a_warning_about_a_part_is_short_plain_text():
    chunk = a_chunk({"content": [{"type": "\x00<b>" * 1000}]})
    assert len(chunk.warnings[0]) < 250
    assert "\x00" not in chunk.warnings[0]


@pytest.mark.parametrize("choice", [{"index": 0}, {"delta": None}, {"delta": "x"}, {"delta": []}, {}])
def test_a_choice_without_a_delta_adds_nothing(choice):
    assert read_chunk(json.dumps({"choices": [choice]})).choices == (ChoiceDelta(),)


@pytest.mark.parametrize("index", [None, "x", "", "²", "9" * 5000, 1.0, True, -1, 10**30])
def test_an_invalid_index_counts_as_the_first_choice(index):
    chunk = read_chunk(json.dumps({"choices": [{"index": index, "delta": {"content": "a"}}]}))
    assert [(type(choice.index), choice.index, choice.text) for choice in chunk.choices] == [(int, 0, "a")]


@pytest.mark.parametrize("indexes", [("0", "1"), (None, None)])
def test_an_index_may_be_text_and_where_it_is_missing_the_place_counts(indexes):
    choices = [{"index": index, "delta": {"content": "a"}} for index in indexes]
    assert [choice.index for choice in read_chunk(json.dumps({"choices": choices})).choices] == [0, 1]


def test_choices_are_distinguished_by_their_index():
    choices = [{"index": index, "delta": {"content": text}} for index, text in ((1, "b"), (0, "a"))]
    chunk = read_chunk(json.dumps({"choices": choices}))
    assert [(choice.index, choice.text) for choice in chunk.choices] == [(1, "b"), (0, "a")]


@pytest.mark.parametrize("fields", [{}, *({"choices": choices} for choices in (None, {}, "x", 5))])
def test_a_chunk_without_choices_is_read_with_a_warning(fields):
    chunk = read_chunk(json.dumps({**fields, "model": "m"}))
    assert (chunk.choices, chunk.model, chunk.warnings) == ((), "m", ("a chunk had no choices",))


def test_invalid_choices_are_skipped():
    assert read_chunk('{"choices": [null, 5, {"delta": {"content": "a"}}, "x"]}').choices == (ChoiceDelta(text="a"),)


def test_a_chunk_without_choices_can_carry_usage():
    chunk = read_chunk('{"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}')
    assert chunk == Chunk(usage=Usage(1, 2, 3))


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (None, None),
        ("many", None),
        ([], None),
        ({}, Usage()),
        ({"prompt_tokens": 0}, Usage(prompt_tokens=0)),
        ({"cached_tokens": 5}, Usage()),
        ({"prompt_tokens": 3, "total_tokens": 3, "details": {}}, Usage(prompt_tokens=3, total_tokens=3)),
        ({"prompt_tokens": True, "completion_tokens": "5", "total_tokens": 1.5}, Usage()),
        ({"prompt_tokens": -1, "completion_tokens": 2**63, "total_tokens": 2**63 - 1}, Usage(total_tokens=2**63 - 1)),
    ],
)
def test_only_counts_are_usage(usage, counts):
    assert a_chunk(usage=usage).usage == counts


@pytest.mark.parametrize(
    "fields",
    [
        {"choices": [{"delta": {}, "usage": {"prompt_tokens": 3, "completion_tokens": 2}}]},
        {
            "choices": [],
            "x_groq": {"id": "r", "usage": {"prompt_tokens": 3, "completion_tokens": 2, "queue_time": 0.1}},
        },
        {"choices": [], "usage": None, "x_provider": {"usage": {"prompt_tokens": 3, "completion_tokens": 2}}},
        {"choices": [{"usage": {"prompt_tokens": 9}}], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
        {"choices": [{"delta": {"usage": {"prompt_tokens": 3, "completion_tokens": 2}}}]},
        {"choices": [], "usage": {"input_tokens": 3, "output_tokens": 2}},
        {"choices": [], "usage": {"prompt_tokens": 3.0, "completion_tokens": 2.0}},
    ],
)
def test_usage_is_found_in_all_places(fields):
    assert read_chunk(json.dumps(fields)).usage == Usage(prompt_tokens=3, completion_tokens=2)


@pytest.mark.parametrize("cached", [0, 9, 2**63 - 1])
def test_cached_prompt_tokens_are_usage(cached):
    usage = {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 3}}
    assert a_chunk(usage=usage).usage == Usage(prompt_tokens=9, cached_tokens=cached)


@pytest.mark.parametrize(
    "details",
    [
        None,
        "many",
        5,
        [],
        [{"cached_tokens": 5}],
        {},
        *({"cached_tokens": odd} for odd in (None, True, "5", 1.5, -1, 2**63, [5], {"cached_tokens": 5})),
    ],
    ids=str,
)
def test_invalid_cached_tokens_are_not_reported(details):
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10, "prompt_tokens_details": details}
    assert a_chunk(usage=usage).usage == Usage(9, 1, 10, cached_tokens=None)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens_details": {"cached_tokens": 5}, "completion_tokens_details": {"reasoning_tokens": 4}},
        {"input_tokens_details": {"cached_tokens": 5}, "output_tokens_details": {"reasoning_tokens": 4}},
        {"prompt_cache_hit_tokens": 5, "reasoning_tokens": 4, "completion_tokens_details": None},
    ],
)
def test_partial_counts_are_found_in_all_places(usage):
    assert a_chunk(usage=usage).usage == Usage(cached_tokens=5, reasoning_tokens=4)


def test_a_later_report_of_usage_completes_the_one_before_it():
    first = Usage(prompt_tokens=5, completion_tokens=1, cached_tokens=0)
    assert Usage(completion_tokens=2).after(first) == Usage(5, 2, cached_tokens=0)
    assert Usage(0, 0, 0).after(Usage(5, 2, 7)) == Usage(5, 2, 7)
    assert Usage(3).after(None) == Usage(3)


@pytest.mark.parametrize(
    ("finish", "reason"),
    [(None, None), ("stop", "stop"), ("length", "length"), ("error", "error"), ("tool_calls", "tool_calls"), (1, None)],
)
def test_a_finish_reason_is_a_word_or_nothing(finish, reason):
    assert the_choice({}, finish=finish).finish_reason == reason


def test_tool_calls_are_read_in_pieces():
    pieces = [{"index": 0, "function": {"arguments": '{"a'}}]
    assert the_choice({"tool_calls": pieces}).tool_calls == tuple(pieces)
    assert the_choice({"tool_calls": None}).tool_calls == ()


def test_unknown_keys_anywhere_change_nothing():
    plain = a_chunk({"content": "a"})
    choice = {"index": 0, "delta": {"content": "a", "p": 1}, "finish_reason": None, "logprobs": None}
    assert read_chunk(json.dumps({"model": "m", "p": "xyzzy", "object": 5, "choices": [choice]})) == plain


@pytest.mark.parametrize(
    "fields",
    [
        {"error": {"message": "no"}},
        {"error": "no"},
        {"error": {"message": "no"}, "choices": []},
        {"object": "error", "message": "no"},
    ],
)
def test_an_error_inside_the_stream_is_an_error(fields):
    data = json.dumps(fields)
    assert read_chunk(data) == Chunk(error=data)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"choices": [{"delta": {}, "error": {"message": "no", "code": 502}}]}, {"message": "no", "code": 502}),
        ({"choices": [{"delta": {}, "error": "no"}]}, "no"),
        ({"choices": [{"delta": {"error": "no"}}]}, "no"),
        ({"choices": [{"delta": {}}], "x_groq": {"id": "r", "error": "no"}}, "no"),
        ({"choices": [], "x_provider": {"error": {"message": "no"}}}, {"message": "no"}),
        ({"choices": None, "base_resp": {"status_code": 7, "status_msg": "no"}}, {"message": "no", "code": 7}),
    ],
)
def test_an_error_is_found_in_all_places(fields, expected):
    assert json.loads(read_chunk(json.dumps(fields)).error) == expected


@pytest.mark.parametrize(
    "more",
    [
        {"error": None},
        {"base_resp": {"status_code": 0, "status_msg": "success"}},
        {"base_resp": "fine"},
        {"x_groq": {"id": "r", "error": None}},
        {"x_groq": "r", "x_": [{"error": "no"}]},
    ],
)
def test_values_that_only_resemble_an_error_are_ignored(more):
    assert a_chunk({"content": "a"}, **more) == a_chunk({"content": "a"})


@pytest.mark.parametrize("model", [None, 5, ["m"]])
def test_an_invalid_model_name_is_not_reported(model):
    assert a_chunk(model=model).model is None


@pytest.mark.parametrize(("sent", "read"), [("fp_1", "fp_1"), (None, None), (5, None)])
def test_a_system_fingerprint_is_a_text(sent, read):
    assert a_chunk(system_fingerprint=sent).system_fingerprint == read


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_outside_json_are_read_as_null(number):
    assert read_object(f'{{"logprob": {number}}}') == {"logprob": None}


def test_the_last_of_two_equal_keys_wins():
    chunk = read_chunk('{"choices": [], "choices": [{"delta": {"content": "a", "content": "b"}}]}')
    assert chunk.choices[0].text == "b"


@pytest.mark.parametrize(
    "data",
    ["", "{", '{"choices": [', "[1,2]", '"text"', "null", "5", "[" * 200_000, '{"a": ' + "9" * 5000 + "}", "\x00"],
    ids=["empty", "cut", "cut-deeper", "list", "string", "null", "number", "deep", "huge-integer", "nul"],
)
def test_other_json_than_an_object_is_unreadable(data):
    with pytest.raises(UnreadableEvent, match="JSON"):
        read_chunk(data)


def test_nested_reasoning_is_skipped_with_a_warning():
    data = '{"choices":[{"delta":{"content":' + '[{"type":"thinking","thinking":' * 400 + '"x"' + "}]" * 400 + "}}]}"
    chunk = read_chunk(data)
    assert chunk.choices == (ChoiceDelta(),)
    assert chunk.warnings == ("a content part of the unknown type 'thinking' was skipped",)


def test_a_whole_completion_is_read_like_one_chunk():
    data = {
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 4, "total_tokens": 6, "prompt_tokens_details": {"cached_tokens": 3}},
    }
    assert read_completion(json.dumps(data)) == Chunk(
        choices=(ChoiceDelta(text="Hi", finish_reason="stop", whole=True),), usage=Usage(4, None, 6, 3), model="m"
    )


@pytest.mark.parametrize("beside", [{}, {"delta": None}, {"delta": {}}])
def test_a_message_replaces_a_missing_delta(beside):
    choice = {"index": 0, **beside, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    assert read_chunk(json.dumps({"choices": [choice]})).choices == (
        ChoiceDelta(text="Hi", finish_reason="stop", whole=True),
    )


def test_a_delta_takes_precedence_over_a_message():
    choice = {"delta": {"content": "lo"}, "message": {"content": "Hello"}}
    assert read_chunk(json.dumps({"choices": [choice]})).choices == (ChoiceDelta(text="lo"),)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
KEYS = (
    "choices delta message content index finish_reason usage model error object type prompt_tokens_details "
    "reasoning reasoning_details text summary x_groq base_resp status_code system_fingerprint tool_calls"
)
keys = st.sampled_from([*KEYS.split(), "cached_tokens"])
chunk_like = st.recursive(
    json_values | st.sampled_from(["text", "thinking", "error"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=30,
)


@given(st.dictionaries(keys, chunk_like, max_size=8))
def test_any_object_can_be_read(fields):
    for read in (read_chunk, read_completion):
        chunk = read(json.dumps(fields))
        assert all(isinstance(choice.text, str) and choice.index >= 0 for choice in chunk.choices)


def test_completions_of_the_older_kind_keep_their_text_and_their_calls() -> None:
    assert read_chunk('{"choices": [{"text": "Hi", "index": 0}]}').choices[0].text == "Hi"
    call = {"name": "look", "arguments": "{}"}
    (choice,) = read_chunk(json.dumps({"choices": [{"delta": {"function_call": call}}]})).choices
    assert choice.tool_calls == ({"index": 0, "function": call},)


def test_text_with_an_error_is_kept() -> None:
    chunk = read_chunk('{"error": {"message": "no"}, "choices": [{"delta": {"content": "last words"}}]}')
    assert chunk.error
    assert chunk.choices[0].text == "last words"


@pytest.mark.parametrize(
    "data",
    [
        r'"half a pair \ud83d"',
        r'"\u0000 \ud83d\ude00 \u00fc"',
        "[NaN, Infinity, -Infinity, 1e400, -1e400, 0.1, 1e-320, -0.0, -0]",
        "[9223372036854775808, 123456789012345678901234567890123]",
        '{"a": 1, "a": {"b": []}}',
        " \t\r\n[ true , null ] ",
        "[" * 300 + "]" * 300,
    ],
)
def test_the_fast_parser_agrees_with_the_library(data):
    assert repr(read_value(data)) == repr(json.loads(data, parse_constant=lambda _: None))


@pytest.mark.parametrize("data", ["", "{", "[1,]", "01", "+1", '"\t"', "{'a': 1}", "[1] 2", "\ufeff1", "1_000"])
def test_the_fast_parser_refuses_invalid_json(data):
    with pytest.raises(UnreadableEvent):
        read_value(data)


@pytest.mark.parametrize("more", [{"usage": {"completion_tokens": 1}}, {"object": "error"}])
def test_a_plain_chunk_with_one_more_field_is_read_in_full(more):
    plain = {"model": "m", "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}]}
    assert read_chunk(json.dumps(plain)) == Chunk((ChoiceDelta(0, "Hi"),), model="m")
    chunk = read_chunk(json.dumps(plain | more))
    assert chunk.choices == (ChoiceDelta(0, "Hi"),)
    assert (chunk.usage is not None, chunk.error is not None) == ("usage" in more, "object" in more)
