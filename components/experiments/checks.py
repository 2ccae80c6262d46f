"""Checks on answers: one class per kind, with its name, its fields, its words and how it judges.

A check is pure: it reads an answer that has ended, and asks nothing. A judge's question is sent by the caller.
"""

from __future__ import annotations

import json
import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import regex
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator, model_validator

from components.contract.difference import shortened
from components.contract.strict_json import read_json
from components.drafts.variables import filled, names_in
from components.experiments import sentences
from components.experiments.check_expression import EXPRESSION_WORDS, ExpressionProblem, evaluated, parsed_expression
from components.experiments.check_schema import SchemaProblem, schema_problem, validated
from components.experiments.noise import similarity
from components.experiments.problem import SweepProblem
from components.log.record import RunRecord
from components.streaming.outcome import Status

MOST_CHECKS = 50
_REGEX_S = 0.2
_LONGEST_REGEX = 2_000
_NUMBER = regex.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?")
_SCORE = regex.compile(r"(?i)\b(?:score|rating)\b\W{0,8}([-+]?\d+(?:\.\d+)?)|\b(\d+(?:\.\d+)?) ?/ ?\d+\b")
_VERDICT = regex.compile(r"(?i)\b(pass(?:ed|es)?|fail(?:ed|s)?)\b")

_C = TypeVar("_C", bound="Check")


class CheckProblem(SweepProblem):
    """A check cannot be made as written; the text says why and what to do. ``path`` leads to the part that is wrong."""

    def __init__(self, sentence: str, path: Sequence[str | int] = ()) -> None:
        super().__init__(sentence)
        self.path = tuple(path)


@dataclass(frozen=True)
class ToolCall:
    """A call that an answer asks for; ``arguments`` is JSON as it came."""

    name: str
    arguments: str


@dataclass(frozen=True)
class Answer:
    """The part of a run that checks read. ``tokens`` is None where the endpoint reported none.

    ``problem`` says why there is no complete answer; no check can be made then.
    """

    text: str
    finish_reason: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tokens: int | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Result:
    """The result of a check: passed, failed, or None when it could not be made; and the reason in words."""

    passed: bool | None
    reason: str


def answer_of(record: RunRecord) -> Answer:
    """The answer of a run."""
    calls = tuple(ToolCall(call["name"], call["arguments"]) for call in json.loads(record.tool_calls))
    problem = None
    if record.status != Status.OK:
        problem = record.error_message or sentences.RUN_NOT_ENDED_WELL.format(status=record.status)
    return Answer(record.text, record.finish_reason, calls, record.completion_tokens, problem)


class Check(BaseModel):
    """A check of one kind. Its fields are those of the file; texts in them may hold ``{{column}}``.

    ``bare`` names the field that a value without names sets.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: ClassVar[str]
    bare: ClassVar[str]
    bare_objects: ClassVar[bool] = False
    """Whether an object, too, is the value of the bare field."""

    @property
    @abstractmethod
    def words(self) -> str:
        """The check in words, such as ``contains Paris``."""

    @abstractmethod
    def judge(self, answer: Answer) -> Result:
        """The result for a complete answer, with the variables filled in."""

    @property
    def variable_names(self) -> list[str]:
        """The columns that the check reads, in order of appearance."""
        return names_in(_texts(self.model_dump()))

    def with_values(self: _C, values: Mapping[str, str]) -> _C:
        """The check with these values of its variables."""
        if not self._has_variables:
            return self
        return self.model_copy(update=_filled(dict(self), values))

    def to_value(self) -> JsonValue:
        """The value that ``read_check`` reads as this check."""
        said: dict[str, JsonValue] = self.model_dump(mode="json", exclude_defaults=True)
        if self.bare_objects or (list(said) == [self.bare] and not isinstance(said[self.bare], dict)):
            return said[self.bare]
        return said

    @cached_property
    def _has_variables(self) -> bool:
        return bool(self.variable_names)


class _Bounds(BaseModel):
    """At least and at most; one of them at least."""

    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _one_at_least(self) -> Any:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at_least or at_most")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least is more than at_most")
        return self

    @property
    def _range(self) -> str:
        if self.at_least is not None and self.at_most is not None:
            return f"{self.at_least:,g} to {self.at_most:,g}"
        return f"at least {self.at_least:,g}" if self.at_least is not None else f"at most {self.at_most:,g}"

    def _holds(self, number: float) -> bool:
        above = self.at_least is None or number >= self.at_least
        return above and (self.at_most is None or number <= self.at_most)


_Text = Annotated[str, Field(min_length=1)]


class Contains(Check):
    """The answer contains a text."""

    kind = "contains"
    bare = "text"
    text: _Text
    ignore_case: bool = False

    @property
    def words(self) -> str:
        """The check in words."""
        return f"contains {_quoted(self.text)}"

    def judge(self, answer: Answer) -> Result:
        """Whether the text is part of the answer."""
        place = _folded(answer.text, self.ignore_case).find(_folded(self.text, self.ignore_case))
        if place < 0:
            return Result(False, f"{_quoted(self.text)} is not in the answer.")
        return Result(True, f"{_quoted(self.text)} is at character {place + 1:,}.")


class NotContains(Contains):
    """The answer does not contain a text."""

    kind = "not_contains"

    @property
    def words(self) -> str:
        """The check in words."""
        return f"does not contain {_quoted(self.text)}"

    def judge(self, answer: Answer) -> Result:
        """Whether the text is no part of the answer."""
        found = super().judge(answer)
        return Result(not found.passed, found.reason)


class Matches(Check):
    """The answer matches a regular expression, anywhere."""

    kind = "regex"
    bare = "pattern"
    pattern: Annotated[str, Field(min_length=1, max_length=_LONGEST_REGEX)]
    ignore_case: bool = False

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            _compiled(filled(pattern, dict.fromkeys(names_in([pattern]), "x")), False)
        except regex.error as error:
            raise ValueError(f"it is no regular expression: {error}") from None
        return pattern

    @property
    def words(self) -> str:
        """The check in words."""
        return f"matches {_quoted(self.pattern)}"

    def with_values(self, values: Mapping[str, str]) -> Matches:
        """The check with these values, as text and not as part of the pattern."""
        return super().with_values({name: regex.escape(value) for name, value in values.items()})

    def judge(self, answer: Answer) -> Result:
        """Whether the pattern is found within the time limit."""
        try:
            found = _compiled(self.pattern, self.ignore_case).search(answer.text, timeout=_REGEX_S, concurrent=True)
        except TimeoutError:
            return Result(None, f"The pattern takes longer than {_REGEX_S:g} s on this answer. Simplify it.")
        except regex.error as error:
            return Result(None, f"The pattern cannot be read: {error}.")
        if not found:
            return Result(False, f"Nothing matches {_quoted(self.pattern)}.")
        return Result(True, f"{_quoted(found[0])} matches at character {found.start() + 1:,}.")


class Equals(Check):
    """The answer is a text; white space at both ends is ignored."""

    kind = "equals"
    bare = "text"
    text: str
    ignore_case: bool = False

    @property
    def words(self) -> str:
        """The check in words."""
        return f"equals {_quoted(self.text)}"

    def judge(self, answer: Answer) -> Result:
        """Whether both texts are equal."""
        said, wanted = (_folded(text.strip(), self.ignore_case) for text in (answer.text, self.text))
        if said == wanted:
            return Result(True, "The answer is equal.")
        return Result(False, f"The answer is {_quoted(answer.text.strip())}.")


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

    def with_values(self, values: Mapping[str, str]) -> MatchesSchema:
        """The same check: a schema has no variables."""
        return self

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


class Length(_Bounds, Check):
    """The length of the answer."""

    kind = "length"
    bare = "at_most"
    unit: Literal["characters", "words", "lines", "tokens"] = "characters"

    @property
    def words(self) -> str:
        """The check in words."""
        return f"{self._range} {self.unit}"

    def judge(self, answer: Answer) -> Result:
        """Whether the length is within the bounds."""
        match self.unit:
            case "characters":
                length: int | None = len(answer.text)
            case "words":
                length = len(answer.text.split())
            case "lines":
                length = len(answer.text.splitlines())
            case "tokens":
                length = answer.tokens
        if length is None:
            return Result(None, "The endpoint reported no number of tokens.")
        unit = self.unit[:-1] if length == 1 else self.unit
        return Result(self._holds(length), f"The answer has {length:,} {unit}.")


class FinishReason(Check):
    """The reason for the answer's end, in the endpoint's words."""

    kind = "finish_reason"
    bare = "reason"
    reason: _Text

    @property
    def words(self) -> str:
        """The check in words."""
        return f"ends with {self.reason}"

    def judge(self, answer: Answer) -> Result:
        """Whether it is the reported reason."""
        said = answer.finish_reason
        return Result(said == self.reason, f"The finish reason is {said}." if said else "There is no finish reason.")


class CallsTool(Check):
    """The answer asks for a call of a tool. Of its arguments, the given ones must be equal; it may have more."""

    kind = "tool_call"
    bare = "name"
    name: _Text
    arguments: dict[str, JsonValue] = {}

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
            said = read_json(call.arguments or "{}")
        except ValueError as error:
            return f"The arguments of {self.name} are not JSON: {error}."
        if not isinstance(said, dict):
            return f"The arguments of {self.name} are no JSON object."
        for key, wanted in self.arguments.items():
            if key not in said:
                return f"The call of {self.name} has no {key}."
            if not _same_json(said[key], wanted):
                found, asked = (shortened(json.dumps(value, ensure_ascii=False)) for value in (said[key], wanted))
                return f"{key} of {self.name} is {found}, not {asked}."
        return None


class Similar(Check):
    """The similarity to a reference, from 0 to 1: the share of characters common to both in the same order."""

    kind = "similarity"
    bare = "to"
    to: _Text
    at_least: float = Field(default=0.8, ge=0, le=1)

    @property
    def words(self) -> str:
        """The check in words."""
        return f"similarity to {_quoted(self.to)} at least {self.at_least:g}"

    def judge(self, answer: Answer) -> Result:
        """Whether the answer is as similar as that."""
        found = similarity(answer.text.strip(), self.to.strip())
        # Rounded down: 0.7996 must not read as 0.80 and fail.
        return Result(found >= self.at_least, f"The similarity is {math.floor(found * 1000) / 1000:g}.")


class NumberWithin(Check):
    """A number in the answer: the last one, or the first. ``equals`` takes a text, too, such as ``{{expected}}``."""

    kind = "number"
    bare = "equals"
    equals: float | _Text | None = None
    within: float = Field(default=0.0, ge=0)
    at_least: float | None = None
    at_most: float | None = None
    which: Literal["last", "first"] = "last"

    @model_validator(mode="after")
    def _says_something(self) -> NumberWithin:
        if self.equals is None and self.at_least is None and self.at_most is None:
            raise ValueError("give equals, at_least or at_most")
        if isinstance(self.equals, str) and not names_in([self.equals]):
            raise ValueError("equals must be a number, or a column such as {{expected}}")
        return self

    @property
    def words(self) -> str:
        """The check in words."""
        said = []
        if self.equals is not None:
            equals = self.equals if isinstance(self.equals, str) else f"{self.equals:,g}"
            said.append(f"is {equals}" + (f" ± {self.within:g}" if self.within else ""))
        if self.at_least is not None:
            said.append(f"is at least {self.at_least:,g}")
        if self.at_most is not None:
            said.append(f"is at most {self.at_most:,g}")
        return f"the {self.which} number {' and '.join(said)}"

    def judge(self, answer: Answer) -> Result:
        """Whether the number is within the bounds."""
        numbers = _NUMBER.findall(answer.text)
        if not numbers:
            return Result(False, "The answer holds no number.")
        number = float(numbers[-1 if self.which == "last" else 0].replace(",", ""))
        wanted = self.equals
        if isinstance(wanted, str):
            try:
                wanted = float(wanted.replace(",", ""))
            except ValueError:
                return Result(None, f"{_quoted(str(self.equals))} is no number to compare with.")
        passed = (
            (wanted is None or abs(number - wanted) <= self.within + 1e-12 * abs(wanted))
            and (self.at_least is None or number >= self.at_least)
            and (self.at_most is None or number <= self.at_most)
        )
        return Result(passed, f"The {self.which} number is {number:,.10g}.")


class Expression(Check):
    """An expression in a small language without loops, attributes and imports; see ``check_expression``."""

    kind = "expression"
    bare = "expression"
    expression: _Text

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


class Judge(Check):
    """Another endpoint's opinion: its answer to a prompt with ``{{answer}}``.

    With ``at_least`` the opinion is a score, else pass or fail. ``endpoint`` and ``model`` default to those of the
    run.
    """

    kind = "judge"
    bare = "prompt"
    prompt: _Text
    endpoint: str | None = None
    model: str | None = None
    at_least: float | None = None

    @field_validator("prompt")
    @classmethod
    def _shows_the_answer(cls, prompt: str) -> str:
        if "answer" not in names_in([prompt]):
            raise ValueError("the prompt needs {{answer}}")
        return prompt

    @property
    def words(self) -> str:
        """The check in words."""
        who = self.model or self.endpoint or "the judge"
        return f"{who} says {'pass' if self.at_least is None else f'at least {self.at_least:g}'}"

    @property
    def variable_names(self) -> list[str]:
        """The columns of its prompt; the answer is none."""
        return [name for name in super().variable_names if name != "answer"]

    def question(self, answer: Answer) -> str:
        """The prompt for this answer."""
        return filled(self.prompt, {"answer": answer.text})

    def judge(self, answer: Answer) -> Result:
        """Not known before the question is answered."""
        return Result(None, "Not judged yet.")

    def opinion(self, said: str) -> Result:
        """The result of the judge's answer."""
        if self.at_least is None:
            verdicts = {verdict[:4].lower() for verdict in _VERDICT.findall(said)}
            if len(verdicts) == 1:
                return Result(verdicts == {"pass"}, f"The judge says {_quoted(said.strip())}.")
            return Result(None, f"The judge says neither pass nor fail, or both: {_quoted(said.strip())}.")
        scores = [one or other for one, other in _SCORE.findall(said)] or _NUMBER.findall(said)
        if len(set(scores)) != 1:
            return Result(None, f"The judge gives no single score: {_quoted(said.strip())}.")
        score = float(scores[0].replace(",", ""))
        return Result(score >= self.at_least, f"The judge's score is {score:g}.")


KINDS: Mapping[str, type[Check]] = {
    row.kind: row
    for row in (
        Contains,
        NotContains,
        Matches,
        Equals,
        IsJson,
        MatchesSchema,
        Length,
        FinishReason,
        CallsTool,
        Similar,
        NumberWithin,
        Expression,
        Judge,
    )
}
"""Each kind of check by its name in a file."""


def read_check(kind: str, value: JsonValue) -> Check:
    """The check of that kind; ``value`` is an object of its fields, or the value of its bare field.

    Raises CheckProblem.
    """
    if kind not in KINDS:
        raise CheckProblem(sentences.CHECK_UNKNOWN.format(kind=shortened(kind), kinds=", ".join(KINDS)))
    row = KINDS[kind]
    said = value if isinstance(value, dict) and not row.bare_objects else {row.bare: value}
    try:
        return row.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        path = [step for step in first["loc"] if step in said] if said is value else []
        where = f"{first['loc'][0]}: " if path else ""
        known = ", ".join(row.model_fields) if first["type"] == "extra_forbidden" else ""
        wrong = sentences.CHECK_HAS_NO.format(known=known) if known else first["msg"].removeprefix("Value error, ")
        raise CheckProblem(
            sentences.CHECK_WRONG.format(kind=kind, problem=f"{where}{wrong}".rstrip(".")), path
        ) from None


def check_answer(check: Check, answer: Answer, values: Mapping[str, str] | None = None) -> Result:
    """The result of a check on an answer; ``values`` are those of the row of the data set."""
    if answer.problem:
        return Result(None, answer.problem)
    return (check.with_values(values) if values else check).judge(answer)


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in _texts(inner)]
    return [text for inner in value for text in _texts(inner)] if isinstance(value, list | tuple) else []


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return filled(value, values)
    if isinstance(value, Mapping):
        return {key: _filled(inner, values) for key, inner in value.items()}
    return [_filled(inner, values) for inner in value] if isinstance(value, list) else value


@lru_cache(maxsize=256)
def _compiled(pattern: str, ignore_case: bool) -> Any:
    return regex.compile(pattern, regex.IGNORECASE if ignore_case else 0, cache_pattern=False)


def _same_json(one: JsonValue, other: JsonValue) -> bool:
    # In Python True equals 1, in JSON it does not.
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same_json(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same_json, one, other))
    return one == other


def _folded(text: str, fold: bool) -> str:
    return text.casefold() if fold else text


def _quoted(text: str) -> str:
    return f"“{shortened(text)}”"
