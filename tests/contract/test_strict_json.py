"""JSON that two readers would read differently is refused, with a reason."""

import pytest

from components.contract.strict_json import read_json, read_json_object


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
        ('{"a": {"b": 1, "b": 1}}', "the key 'b' stands twice"),
        ('{"a": NaN}', "NaN is no number in JSON"),
        ('{"a": -1e999}', "-1e999 is too large a number"),
        ('{"a": ' + "9" * 5_000 + "}", "is too long a number"),
        ("[1]", "must be a JSON object"),
        ("{", "The request is not JSON"),
        ("[" * 100_000, "it nests too deeply"),
    ],
)
def test_json_that_readers_would_not_agree_on_is_refused_with_a_sentence(text, said):
    with pytest.raises(ValueError, match=said):
        read_json_object(text, "The request")


def test_a_sound_object_comes_back_as_it_is():
    assert read_json_object('{"a": [1, 1.0, null, true, "x"]}', "It") == {"a": [1, 1.0, None, True, "x"]}


def test_a_key_that_stands_twice_is_found_among_very_many() -> None:
    many = ", ".join(f'"{number}": 0' for number in range(200_000))
    with pytest.raises(ValueError, match="the key '7' stands twice"):
        read_json(f'{{{many}, "7": 0}}')
