"""Checks that read values from an answer: JSON, tool calls, numbers, expressions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Literal

import regex
from pydantic import Field, JsonValue, field_validator, model_validator

from components.checks.check import Answer, Check, Result, Text, quoted
from components.checks.expression import EXPRESSION_WORDS, ExpressionProblem, evaluated, parsed_expression
from components.checks.schema import SchemaProblem, schema_problem, validated
from components.contract.difference import shortened
from components.contract.strict_json import read_json
from components.drafts.variables import filled, names_in
from components.streaming.outcome import ToolCall

NUMBER = regex.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?")
"""A number in a text, with or without commas between thousands."""


class IsJson(Check):
    """The whole answer is JSON."""

    kind = "json"
    bare = "valid"
    valid: Literal[True] = True

    @property
    def words(self) -> str:
        """The check in words."""
        return "is JSON"

    def to_value(self) -> JsonValue:
        """The value that ``read_check`` reads as this check."""
        return True

    def judge(self, answer: Answer) -> Result:
        """Whether the answer can be read as JSON."""
        try:
            read_json(answer.text)
        except ValueError as error:
            return Result(False, f"The answer is not JSON: {error}.")
        return Result(True, "The answer is JSON.")


class MatchesSchema(Check):
    """The whole answer is JSON that a JSON Schema admits."""

    kind = "json_schema"
    bare = "schema_"
    bare_objects = True
    schema_: dict[str, JsonValue] | bool

    @field_validator("schema_")
    @classmethod
    def _is_schema(cls, schema: dict[str, JsonValue] | bool) -> dict[str, JsonValue] | bool:
        if problem := schema_problem(schema):
            raise ValueError(problem)
        return schema

    @property
    def words(self) -> str:
        """The check in words."""
        title = self.schema_.get("title") if isinstance(self.schema_, dict) else None
        return f"matches the JSON Schema {title}" if isinstance(title, str) else "matches its JSON Schema"

    @property
    def variable_names(self) -> list[str]:
        """None: braces in a schema are text."""
        return []

    def judge(self, answer: Answer) -> Result:
        """Whether the schema admits the answer."""
        try:
            value = read_json(answer.text)
        except ValueError as error:
            return Result(False, f"The answer is not JSON: {error}.")
        try:
            problem = validated(self._schema_text, value)
        except SchemaProblem as unusable:
            return Result(None, unusable.sentence)
        return Result(problem is None, problem or "The schema admits the answer.")

    @cached_property
    def _schema_text(self) -> str:
        return json.dumps(self.schema_)


class CallsTool(Check):
    """The answer asks for a call of a tool. Of its arguments, the given ones must be equal; it may have more."""

    kind = "tool_call"
    bare = "name"
    name: Text
    arguments: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def words(self) -> str:
        """The check in words."""
        return f"calls {self.name}" + (f" with {shortened(json.dumps(self.arguments))}" if self.arguments else "")

    def judge(self, answer: Answer) -> Result:
        """Whether one of the calls is such a call."""
        calls = [call for call in answer.tool_calls if call.name == self.name]
        if not calls:
            called = ", ".join(dict.fromkeys(call.name for call in answer.tool_calls))
            return Result(False, f"It calls {called}, not {self.name}." if called else "It calls no tool.")
        reasons = [self._differs(call) for call in calls]
        return Result(None in reasons, next(filter(None, reasons), "") if None not in reasons else f"{self.words}.")

    def _differs(self, call: ToolCall) -> str | None:
        try:
            arguments = read_json(call.arguments or "{}")
        except ValueError as error:
            return f"The arguments of {self.name} are not JSON: {error}."
        if not isinstance(arguments, dict):
            return f"The arguments of {self.name} are no JSON object."
        for key, expected in self.arguments.items():
            if key not in arguments:
                return f"The call of {self.name} has no {key}."
            if not _same_json(arguments[key], expected):
                values = (shortened(json.dumps(value, ensure_ascii=False)) for value in (arguments[key], expected))
                return f"{key} of {self.name} is {', not '.join(values)}."
        return None


class NumberWithin(Check):
    """A number in the answer: the last one, or the first. ``equals`` takes a text, too, such as ``{{expected}}``."""

    kind = "number"
    bare = "equals"
    equals: float | Text | None = None
    within: float = Field(default=0.0, ge=0)
    at_least: float | None = None
    at_most: float | None = None
    which: Literal["last", "first"] = "last"

    @model_validator(mode="after")
    def _has_a_condition(self) -> NumberWithin:
        if self.equals is None and self.at_least is None and self.at_most is None:
            raise ValueError("give equals, at_least or at_most")
        if isinstance(self.equals, str) and not names_in([self.equals]):
            raise ValueError("equals must be a number, or a column such as {{expected}}")
        return self

    @property
    def words(self) -> str:
        """The check in words."""
        conditions = []
        if self.equals is not None:
            equals = self.equals if isinstance(self.equals, str) else f"{self.equals:,g}"
            conditions.append(f"is {equals}" + (f" ± {self.within:g}" if self.within else ""))
        if self.at_least is not None:
            conditions.append(f"is at least {self.at_least:,g}")
        if self.at_most is not None:
            conditions.append(f"is at most {self.at_most:,g}")
        return f"the {self.which} number {' and '.join(conditions)}"

    def judge(self, answer: Answer) -> Result:
        """Whether the number is within the bounds."""
        numbers = NUMBER.findall(answer.text)
        if not numbers:
            return Result(False, "The answer holds no number.")
        number = float(numbers[-1 if self.which == "last" else 0].replace(",", ""))
        expected = self.equals
        if isinstance(expected, str):
            try:
                expected = float(expected.replace(",", ""))
            except ValueError:
                return Result(None, f"{quoted(str(self.equals))} is no number to compare with.")
        passed = (
            (expected is None or abs(number - expected) <= self.within + 1e-12 * abs(expected))
            and (self.at_least is None or number >= self.at_least)
            and (self.at_most is None or number <= self.at_most)
        )
        return Result(passed, f"The {self.which} number is {number:,.10g}.")


class Expression(Check):
    """An expression in a small language without loops, attributes and imports; see ``expression.py``."""

    kind = "expression"
    bare = "expression"
    expression: Text

    @field_validator("expression")
    @classmethod
    def _can_be_read(cls, expression: str) -> str:
        try:
            parsed_expression(filled(expression, dict.fromkeys(names_in([expression]), '""')))
        except ExpressionProblem as problem:
            raise ValueError(f"{problem} {EXPRESSION_WORDS}") from None
        return expression

    @property
    def words(self) -> str:
        """The check in words."""
        return shortened(self.expression)

    def with_values(self, values: Mapping[str, str]) -> Expression:
        """The check with these values, as texts of the expression."""
        return super().with_values({name: json.dumps(value) for name, value in values.items()})

    def judge(self, answer: Answer) -> Result:
        """Whether the expression holds."""
        names = {"answer": answer.text, "finish_reason": answer.finish_reason, "tokens": answer.tokens}
        try:
            value = evaluated(self.expression, names)
        except ExpressionProblem as problem:
            return Result(None, str(problem))
        return Result(bool(value), f"The expression is {shortened(json.dumps(value, default=str))}.")


def _same_json(first: JsonValue, second: JsonValue) -> bool:
    # In Python True equals 1, in JSON it does not.
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_same_json(value, second[key]) for key, value in first.items())
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_same_json, first, second))
    return first == second
