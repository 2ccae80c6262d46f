"""Checks on answers: each kind passes and fails with a reason, within its time limit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from components.checks.check import Answer, CheckProblem
from components.checks.judge import Judge
from components.checks.kinds import KINDS, read_check
from components.checks.results import answer_of, check_answer
from components.streaming.outcome import Status, ToolCall
from tests.experiments.conftest import a_run

WEATHER = (ToolCall("1", "get_weather", '{"city": "Paris", "days": 2}'),)
DOUBLING: JsonValue = {
    "$ref": "#/$defs/d0",
    "$defs": {f"d{level}": {"allOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(40)} | {"d40": True},
}


def result(
    kind: str, value: Any, text: str = "", values: dict[str, str] | None = None, **facts: Any
) -> tuple[Any, str]:
    found = check_answer(read_check(kind, value), Answer(text, **facts), values)
    return found.passed, found.reason


@pytest.mark.parametrize(
    ("kind", "value", "text", "passed", "reason"),
    [
        ("contains", "Paris", "It is Paris.", True, "“Paris” is at character 7."),
        ("contains", "paris", "It is Paris.", False, "“paris” is not in the answer."),
        ("contains", {"text": "paris", "ignore_case": True}, "It is Paris.", True, "“paris” is at character 7."),
        ("not_contains", "sorry", "It is Paris.", True, "“sorry” is not in the answer."),
        ("not_contains", "is", "It is Paris.", False, "“is” is at character 4."),
        ("regex", r"\d{4}", "in 1995", True, "“1995” matches at character 4."),
        ("regex", r"^\d", "in 1995", False, "Nothing matches “^\\d”."),
        ("equals", "Paris", " Paris\n", True, "The answer is equal."),
        ("equals", "Paris", "Paris.", False, "The answer is “Paris.”."),
        ("json", True, '{"a": 1}', True, "The answer is JSON."),
        ("json", True, "NaN", False, "The answer is not JSON: NaN is not a JSON number."),
        ("json_schema", {"type": "object", "required": ["a"]}, '{"a": 1}', True, "The schema admits the answer."),
        ("json_schema", {"required": ["a"]}, "{}", False, "At $: 'a' is a required property."),
        (
            "json_schema",
            {"properties": {"a": {"type": "integer"}}},
            '{"a": "x"}',
            False,
            "At $.a: 'x' is not of type 'integer'.",
        ),
        ("json_schema", {"additionalProperties": False}, '{"b": 1}', False, "At $: 'b' is not allowed."),
        ("json_schema", {"patternProperties": {"^x": {"const": 2}}}, '{"x": 1}', False, "At $.x: 2 was expected."),
        ("json_schema", {"uniqueItems": True}, "[1, 1]", False, "At $: [1, 1] has non-unique elements."),
        ("json_schema", {}, "Sure: {}", False, "The answer is not JSON: Expecting value: line 1 column 1 (char 0)."),
        ("length", 3, "abc", True, "The answer has 3 characters."),
        ("length", {"at_least": 2, "unit": "words"}, "one", False, "The answer has 1 word."),
        ("length", {"at_most": 1, "unit": "lines"}, "a\nb", False, "The answer has 2 lines."),
        ("similarity", {"to": "abcd", "at_least": 0.75}, "abce", True, "The similarity is 0.75."),
        ("similarity", "abcd", "abce", False, "The similarity is 0.75."),
        ("number", 42, "Not 7 but 42.", True, "The last number is 42."),
        ("number", {"equals": 42, "within": 0.5}, "41.4", False, "The last number is 41.4."),
        ("number", {"at_least": 1000, "which": "first"}, "1,250 or 3", True, "The first number is 1,250."),
        ("number", {"at_most": -1}, "It is -1.5e2.", True, "The last number is -150."),
        ("number", 1, "None.", False, "The answer holds no number."),
        ("expression", "len(words(answer)) < 3 and 'no' not in lower(answer)", "I am", True, "The expression is true."),
        ("expression", "count(answer, 'a') == 2", "a", False, "The expression is false."),
    ],
)  # fmt: skip
def test_a_check_passes_or_fails_with_the_reason(kind: str, value: Any, text: str, passed: bool, reason: str) -> None:
    assert result(kind, value, text) == (passed, reason)


def test_finish_reason_and_token_count_are_checked() -> None:
    assert result("finish_reason", "stop", finish_reason="stop") == (True, "The finish reason is stop.")
    assert result("finish_reason", "stop", finish_reason="length") == (False, "The finish reason is length.")
    assert result("finish_reason", "stop") == (False, "There is no finish reason.")
    assert result("length", {"at_most": 5, "unit": "tokens"}, tokens=6) == (False, "The answer has 6 tokens.")
    assert result("length", {"at_most": 5, "unit": "tokens"})[0] is None
    assert result("expression", "tokens > 5 or finish_reason == 'stop'", tokens=6)[0] is True


@pytest.mark.parametrize(
    ("value", "passed", "reason"),
    [
        ("get_weather", True, "calls get_weather."),
        ({"name": "get_weather", "arguments": {"city": "Paris"}}, True, 'calls get_weather with {"city": "Paris"}.'),
        ({"name": "get_weather", "arguments": {"city": "Rome"}}, False, 'city of get_weather is "Paris", not "Rome".'),
        ({"name": "get_weather", "arguments": {"days": True}}, False, "days of get_weather is 2, not true."),
        ({"name": "get_weather", "arguments": {"unit": "C"}}, False, "The call of get_weather has no unit."),
        ("get_time", False, "It calls get_weather, not get_time."),
    ],
)
def test_a_tool_must_be_called_with_these_arguments(value: Any, passed: bool, reason: str) -> None:
    assert result("tool_call", value, tool_calls=WEATHER) == (passed, reason)


def test_one_of_several_calls_is_enough_and_unreadable_arguments_are_not() -> None:
    calls = (ToolCall("1", "f", '{"x": 1}'), ToolCall("1", "f", '{"x": 2}'))
    assert result("tool_call", {"name": "f", "arguments": {"x": 2}}, tool_calls=calls)[0] is True
    assert result("tool_call", {"name": "f", "arguments": {"x": 2}}, tool_calls=(ToolCall("1", "f", "{x"),))[0] is False
    assert result("tool_call", "f") == (False, "It calls no tool.")


@pytest.mark.parametrize(
    ("kind", "value", "text", "values", "passed"),
    [
        ("equals", "{{capital}}", "Paris", {"capital": "Paris"}, True),
        ("contains", "the {{ capital }} of", "the a.b of", {"capital": "a.b"}, True),
        ("regex", "^{{capital}}$", "axb", {"capital": "a.b"}, False),
        ("regex", "^{{capital}}$", "a.b", {"capital": "a.b"}, True),
        ("number", {"equals": "{{sum}}", "within": 1}, "It is 1,001.", {"sum": "1,000"}, True),
        ("number", {"equals": "{{sum}}"}, "It is 1.", {"sum": "one"}, None),
        ("expression", "{{capital}} in answer", 'say "hi" twice', {"capital": '"hi"'}, True),
        ("similarity", {"to": "{{capital}}"}, "Paris", {"capital": "Paris"}, True),
        ("json_schema", {"const": "{{capital}}"}, '"{{capital}}"', {"capital": "Paris"}, True),
    ],
)
def test_a_column_of_the_data_set_is_the_expected_value(
    kind: str, value: Any, text: str, values: dict[str, str], passed: bool | None
) -> None:
    assert result(kind, value, text, values)[0] is passed


def test_the_variables_of_a_check_are_listed() -> None:
    assert read_check("tool_call", {"name": "f", "arguments": {"x": ["{{a}}", {"y": "{{b}}"}]}}).variable_names == [
        "a",
        "b",
    ]
    assert read_check("judge", "Is {{answer}} like {{wanted}}?").variable_names == ["wanted"]
    assert read_check("json_schema", {"const": "{{a}}"}).variable_names == []


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("regex", r"^(x|xx)+[yz]w$", "x" * 60 + "yw2"),
        ("json_schema", {"$ref": "#"}, "{}"),
        ("json_schema", DOUBLING, "{}"),
        ("json_schema", {"pattern": r"^(x|xx)+[yz]w$"}, f'"{"x" * 60}yw2"'),
        ("json_schema", {"$ref": "http://127.0.0.1:1/schema"}, "{}"),
        ("json_schema", {"uniqueItems": True}, f"[{','.join(map(str, range(3_000)))}]"),
        ("expression", "answer * 99999999", "a" * 1_000),
        ("expression", "'%99999999d' % 1", ""),
        ("expression", "1 / len(answer)", ""),
    ],
)
def test_a_check_that_cannot_finish_neither_passes_nor_fails(kind: str, value: Any, text: str) -> None:
    # Without limits these would take minutes or gigabytes.
    passed, reason = result(kind, value, text)
    assert passed is None
    assert reason.endswith(".")


@pytest.mark.parametrize(
    "expression",
    [
        "answer.upper()",
        "().__class__.__base__",
        "[x for x in answer]",
        "f'{answer:>999999999}'",
        "9 ** 9 ** 9",
        "1 << 999",
        "open('/etc/passwd')",
        "(lambda: 1)()",
        "len(min)",
        "min(answer, key=len)",
        "answer = 1",
        "import os",
        "unknown",
        "-" * 500 + "1",
        "(" * 5_000,
        "a b",
    ],
)
def test_an_expression_cannot_run_code(expression: str) -> None:
    with pytest.raises(CheckProblem, match="cannot be made"):
        read_check("expression", expression)


@given(st.text(max_size=60))
def test_any_expression_is_evaluated_or_refused(expression: str) -> None:
    try:
        check = read_check("expression", expression)
    except CheckProblem:
        return
    check_answer(check, Answer("text"))


@pytest.mark.parametrize(
    ("kind", "value", "sentence", "path"),
    [
        ("contanis", "x", "There is no check contanis. Did you mean contains? The kinds are contains, ", ()),
        ("contains", 3, "The check contains cannot be made: Input should be a valid string.", ()),
        ("contains", {"text": "x", "case": 1}, "case: there is no such field; it has text, ignore_case.", ("case",)),
        ("regex", "(", "it is no regular expression: missing )", ()),
        ("json_schema", {"type": "thing"}, "it is no JSON Schema: 'thing' is not valid", ()),
        ("length", {"unit": "words"}, "give at_least or at_most.", ()),
        ("length", {"at_least": 5, "at_most": 2}, "at_least is more than at_most.", ()),
        ("number", "four", "equals must be a number, or a column such as {{expected}}.", ()),
        ("judge", "Is it good?", "the prompt needs {{answer}}.", ()),
    ],
)
def test_an_invalid_check_is_refused_with_reason_and_place(
    kind: str, value: Any, sentence: str, path: tuple[str, ...]
) -> None:
    with pytest.raises(CheckProblem) as problem:
        read_check(kind, value)
    assert sentence in problem.value.sentence
    assert problem.value.path == path


@pytest.mark.parametrize(
    ("fields", "reply", "passed", "reason"),
    [
        ({}, "It is polite. PASS", True, "The judge says “It is polite. PASS”."),
        ({}, "Failed.", False, "The judge says “Failed.”."),
        ({}, "It passes here and fails there.", None, "The judge says neither pass nor fail, or both: "),
        ({}, "What a lovely day", None, "The judge says neither pass nor fail, or both: “What a lovely day”."),
        ({"at_least": 7}, "Score: 8/10, since 2 of 3 points hold", True, "The judge's score is 8."),
        ({"at_least": 7}, "6.5", False, "The judge's score is 6.5."),
        ({"at_least": 7}, "7/10", True, "The judge's score is 7."),
        ({"at_least": 7}, "between 6 and 9", None, "The judge gives no single score: “between 6 and 9”."),
        ({"at_least": 7}, "", None, "The judge gives no single score: “”."),
    ],
)
def test_the_verdict_of_a_judge_is_read(fields: dict[str, Any], reply: str, passed: bool | None, reason: str) -> None:
    check = read_check("judge", {"prompt": "{{answer}}", **fields})
    assert isinstance(check, Judge)
    found = check.opinion(reply)
    assert found.passed is passed
    assert found.reason.startswith(reason)


def test_a_judge_check_has_no_result_before_the_judge_answers() -> None:
    check = read_check("judge", "Is {{answer}} like {{wanted}}?").with_values({"wanted": "{{answer}}s"})
    assert isinstance(check, Judge)
    assert check_answer(check, Answer("a cat")).passed is None
    assert check.question(Answer("a cat")).startswith("Is a cat like ")


def test_an_unsuccessful_run_is_not_checked() -> None:
    record = a_run("half", Status.ERROR, message="The connection broke.").record()
    assert check_answer(read_check("contains", "half"), answer_of(record)).passed is None
    assert check_answer(read_check("contains", "half"), answer_of(a_run("half").record())).passed is True


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("contains", "x"),
        ("not_contains", {"text": "x", "ignore_case": True}),
        ("regex", "x+"),
        ("equals", ""),
        ("json", True),
        ("json_schema", {"type": "object"}),
        ("length", 5.0),
        ("length", {"at_least": 5.0, "unit": "words"}),
        ("finish_reason", "stop"),
        ("tool_call", "f"),
        ("tool_call", {"name": "f", "arguments": {"x": [1, None]}}),
        ("similarity", {"to": "x", "at_least": 0.5}),
        ("number", "{{x}}"),
        ("number", {"at_least": 2.5, "which": "first"}),
        ("expression", "len(answer) > {{x}}"),
        ("judge", {"prompt": "{{answer}}", "endpoint": "other", "at_least": 7.0}),
    ],
)
def test_a_check_survives_writing_and_reading(kind: str, value: JsonValue) -> None:
    check = read_check(kind, value)
    assert check.to_value() == value
    assert read_check(kind, check.to_value()) == check
    assert check.words


def test_each_kind_has_its_line_in_the_documentation() -> None:
    with open("docs/checks.md", encoding="utf-8") as file:
        documented = file.read()
    assert [kind for kind in KINDS if f"| `{kind}` |" not in documented] == []
