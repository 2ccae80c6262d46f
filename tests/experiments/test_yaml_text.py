"""YAML: written values are read again, plain values are those of JSON, and nothing is executed or expanded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from components.experiments.yaml_text import MAX_BYTES, YamlProblem, read_yaml, write_yaml

ODD = [
    *("no", "yes", "on", "~", "null", "Null", "true", "True", "1e5", "1_000", "0x1f", "0o7", "1:30", "2001-01-01"),
    *(".inf", ".5", "1.", "+1", "-0", "00", "1E400", "- a", "a: b", "# x", "!", "&a", "*a", "=", "<<", "%", "@", "`"),
    *("'", '"', "|", ">", "?", "-", "", " ", "\t", "\n", "a\nb", "a\n b\n", "\na", "x \ny", "\r\n", "\x85", "\u2028"),
    *("\ufeff", "\x00", "\x7f", "{{country}}", "---", "...", "a #b", "😀"),
]
texts = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(ODD)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_written_values_are_read_with_the_same_type(value: JsonValue) -> None:
    assert repr(read_yaml(write_yaml(value)).value) == repr(value)


@given(texts)
def test_any_text_is_read_or_refused_with_its_line(text: str) -> None:
    sentence = "Line 1"
    try:
        read_yaml(text)
    except YamlProblem as problem:
        sentence = problem.sentence
    assert sentence.startswith("Line ")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("1995-12-17", "1995-12-17"),
        ("1_000", "1_000"),
        ("007", "007"),
        ("1e3", 1000.0),
        ("~", None),
        ("a:\n- 1\n- {b: true}", {"a": [1, {"b": True}]}),
        ("a: |\n  one\n  two\n", {"a": "one\ntwo\n"}),
    ],
)
def test_plain_values_are_those_of_json(text: str, value: JsonValue) -> None:
    assert read_yaml(text).value == value


def test_each_part_has_its_line() -> None:
    document = read_yaml("a: 1\nb:\n  - c\n  - d: 5\n    e: 6\n")
    assert [document.line(path) for path in (("a",), ("b",), ("b", 0), ("b", 1, "e"), ("b", 1, "unknown"), ())] == [
        *(1, 2, 3, 5, 4, 1)
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: {a: 1\n", "Line 3 is not YAML: "),
        ("a: 1\n\ta: 2", "Line 2 is not YAML: "),
        ("x: 1\na: \x01", "Line 2 is not YAML: it holds a character that no text has. "),
        ("a: 1\nb: 2\na: 3", "Line 3: a appears a second time. "),
        ("a: &x 1\nb: *x", "Line 1: references with & and * are not read. "),
        ("a: 1\nb: *x", "Line 2: references "),
        (
            "!!python/object/apply:os.system ['true']",
            "Line 1: the tag tag:yaml.org,2002:python/object/apply:os.system ",
        ),
        ("a: !!binary aGk=", "Line 1: the tag "),
        ("a: 1\n---\nb: 2", "Line 2: a second document begins here"),
        ("? [1]\n: 2", "Line 1: a name must be a text."),
        ("a: 1e999", "Line 1: the number is too large."),
        ("a: " + "9" * 5_000, "Line 1: the number is too large."),
        ("a:\n  " + "[" * 100_000, "Line 2 nests more than 60 levels deep. "),
        (f"[{'1,' * 100_000}]", "Line 1: the file holds more than 100,000 values. "),
        ("x" * (MAX_BYTES + 1), "The file is longer than 5 MB. "),
    ],
)
def test_refusals_name_the_line_and_a_next_step(text: str, sentence: str) -> None:
    with pytest.raises(YamlProblem) as problem:
        read_yaml(text)
    assert problem.value.sentence.startswith(sentence)


def test_a_bomb_of_references_is_refused_at_its_first_one() -> None:
    bomb = "a: &a [x]\n" + "".join(f"b{n}: &b{n} [{','.join([f'*b{n - 1}' if n else '*a'] * 9)}]\n" for n in range(30))
    with pytest.raises(YamlProblem, match="Line 1: references"):
        read_yaml(bomb)
