"""``{{name}}`` in messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.drafts.variables import MAX_FILLED, filled, filled_length, names_in

names = st.from_regex(r"[a-zA-Z_]\w{0,10}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{city}} and {{ city }} and {{Stadt}}", ["city", "Stadt"]),
        ("{{größe}}{{_x1}}", ["größe", "_x1"]),
        ("{city} {{}} {{ }} {{1st}} {{a b}} {{a-b}} {{a\n}} {{{", []),
        ("{{{city}}}", ["city"]),
    ],
)
def test_a_variable_is_a_name_in_two_pairs_of_braces(text, found):
    assert names_in([text]) == found


def test_variables_come_in_the_order_of_the_messages_each_once():
    assert names_in(["{{b}} {{a}}", "{{c}} {{b}}"]) == ["b", "a", "c"]


def test_a_value_is_inserted_verbatim():
    assert filled("{{a}}-{{b}}", {"a": "{{b}}", "b": r"\1"}) == r"{{b}}-\1"


def test_a_variable_without_a_value_stays():
    assert filled("{{a}} {{b}}", {"a": "1"}) == "1 {{b}}"


@given(st.text(), st.dictionaries(names, st.text()))
def test_text_without_variables_is_unchanged(text, values):
    if not names_in([text]):
        assert filled(text, values) == text


@given(st.lists(st.tuples(st.text(st.characters(exclude_characters="{}")), names), min_size=1))
def test_every_variable_with_a_value_is_filled(parts):
    text = "".join(f"{words}{{{{{name}}}}}" for words, name in parts)
    values = {name: "v" for _, name in parts}
    assert filled(text, values) == "".join(f"{words}v" for words, _ in parts)


def test_a_text_that_would_fill_the_memory_is_not_filled():
    text = "{{a}}" * 10_000
    assert filled_length(text, {"a": "x" * 1_000_000}) == 10_000_000_000
    assert filled(text, {"a": "x" * 1_000_000}) == text
    assert len(filled(text, {"a": "x" * 200})) == MAX_FILLED


@given(st.lists(st.sampled_from(["{{a}}", "{{ b }}", "{{c}}", "{", "x"])).map("".join), st.text(max_size=3))
def test_the_filled_length_is_computed_in_advance(text, value):
    values = {"a": value, "b": "{{a}}"}
    assert filled_length(text, values) == len(filled(text, values))
