"""Ambiguous JSON is refused with a reason."""

import json

import pytest

from components.contract.strict_json import read_json, read_json_object


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"a": 1, "a": 2}', "the key 'a' occurs twice"),
        ('{"a": {"b": 1, "b": 1}}', "the key 'b' occurs twice"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ('{"a": -1e999}', "-1e999 is too large"),
        ('{"a": ' + "9" * 5_000 + "}", "has too many digits"),
        ("[1]", "must be a JSON object"),
        ("{", "The request is not JSON"),
        ("[" * 100_000, "it nests too deeply"),
    ],
)
def test_ambiguous_json_is_refused_with_a_sentence(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_json_object(text, "The request")


def test_a_valid_object_is_returned_unchanged():
    assert read_json_object('{"a": [1, 1.0, null, true, "x"]}', "It") == {"a": [1, 1.0, None, True, "x"]}


def test_a_duplicate_key_is_found_among_many() -> None:
    many = ", ".join(f'"{number}": 0' for number in range(90_000))
    with pytest.raises(ValueError, match="the key '7' occurs twice"):
        read_json(f'{{{many}, "7": 0}}')


def test_too_many_values_are_refused_and_long_texts_are_not() -> None:
    for text in ("[" + "[]," * 60_000 + "1]", "[" + "{}," * 60_000 + "1]", "[" + "1," * 100_001 + "1]"):
        with pytest.raises(ValueError, match="it holds more than 100,000 values"):
            read_json(text)
        with pytest.raises(ValueError, match="it holds more than 100,000 values"):
            read_json(text.encode())
    prose = "It is long, and (as prose goes) has few marks: [1], {2}, and so on. " * 12_000
    assert read_json(json.dumps([prose])) == [prose]
