"""Checks on the text of an answer, its length and its end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

import regex
from pydantic import Field, field_validator, model_validator

from components.checks import sentences
from components.checks.check import Answer, Check, Result, Text, folded, quoted
from components.checks.similarity import similarity
from components.drafts.variables import filled, names_in

_REGEX_S = 0.2
_LONGEST_REGEX = 2_000


class Contains(Check):
    """The answer contains a text."""

    kind = "contains"
    bare = "text"
    text: Text
    ignore_case: bool = False

    @property
    def words(self) -> str:
        """The check in words."""
        return f"contains {quoted(self.text)}"

    def judge(self, answer: Answer) -> Result:
        """Whether the text is part of the answer."""
        position = folded(answer.text, self.ignore_case).find(folded(self.text, self.ignore_case))
        if position < 0:
            return Result(False, f"{quoted(self.text)} is not in the answer.")
        return Result(True, f"{quoted(self.text)} is at character {position + 1:,}.")


class NotContains(Contains):
    """The answer does not contain a text."""

    kind = "not_contains"

    @property
    def words(self) -> str:
        """The check in words."""
        return f"does not contain {quoted(self.text)}"

    def judge(self, answer: Answer) -> Result:
        """Whether the text is no part of the answer."""
        result = super().judge(answer)
        return Result(not result.passed, result.reason)


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
        return f"matches {quoted(self.pattern)}"

    def with_values(self, values: Mapping[str, str]) -> Matches:
        """The check with these values, as text and not as part of the pattern."""
        return super().with_values({name: regex.escape(value) for name, value in values.items()})

    def judge(self, answer: Answer) -> Result:
        """Whether the pattern is found within the time limit."""
        try:
            match = _compiled(self.pattern, self.ignore_case).search(answer.text, timeout=_REGEX_S, concurrent=True)
        except TimeoutError:
            return Result(None, sentences.PATTERN_SLOW.format(seconds=_REGEX_S))
        except regex.error as error:
            return Result(None, sentences.PATTERN_UNREADABLE.format(error=error))
        if not match:
            return Result(False, f"Nothing matches {quoted(self.pattern)}.")
        return Result(True, f"{quoted(match[0])} matches at character {match.start() + 1:,}.")


class Equals(Check):
    """The answer is a text; white space at both ends is ignored."""

    kind = "equals"
    bare = "text"
    text: str
    ignore_case: bool = False

    @property
    def words(self) -> str:
        """The check in words."""
        return f"equals {quoted(self.text)}"

    def judge(self, answer: Answer) -> Result:
        """Whether both texts are equal."""
        actual, expected = (folded(text.strip(), self.ignore_case) for text in (answer.text, self.text))
        if actual == expected:
            return Result(True, "The answer is equal.")
        return Result(False, f"The answer is {quoted(answer.text.strip())}.")


class Length(Check):
    """The length of the answer."""

    kind = "length"
    bare = "at_most"
    at_least: float | None = None
    at_most: float | None = None
    unit: Literal["characters", "words", "lines", "tokens"] = "characters"

    @model_validator(mode="after")
    def _has_bounds(self) -> Length:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at_least or at_most")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least is more than at_most")
        return self

    @property
    def words(self) -> str:
        """The check in words."""
        if self.at_least is not None and self.at_most is not None:
            return f"{self.at_least:,g} to {self.at_most:,g} {self.unit}"
        bound = f"at least {self.at_least:,g}" if self.at_least is not None else f"at most {self.at_most:,g}"
        return f"{bound} {self.unit}"

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
        above = self.at_least is None or length >= self.at_least
        passed = above and (self.at_most is None or length <= self.at_most)
        return Result(passed, f"The answer has {length:,} {unit}.")


class FinishReason(Check):
    """The reason for the answer's end, in the endpoint's words."""

    kind = "finish_reason"
    bare = "reason"
    reason: Text

    @property
    def words(self) -> str:
        """The check in words."""
        return f"ends with {self.reason}"

    def judge(self, answer: Answer) -> Result:
        """Whether it is the reported reason."""
        reason = answer.finish_reason
        sentence = f"The finish reason is {reason}." if reason else "There is no finish reason."
        return Result(reason == self.reason, sentence)


class Similar(Check):
    """The similarity to a reference, from 0 to 1: the share of characters common to both in the same order."""

    kind = "similarity"
    bare = "to"
    to: Text
    at_least: float = Field(default=0.8, ge=0, le=1)

    @property
    def words(self) -> str:
        """The check in words."""
        return f"similarity to {quoted(self.to)} at least {self.at_least:g}"

    def judge(self, answer: Answer) -> Result:
        """Whether the answer is as similar as that."""
        score = similarity(answer.text.strip(), self.to.strip())
        # Rounded down: 0.7996 must not read as 0.80 and fail.
        return Result(score >= self.at_least, f"The similarity is {math.floor(score * 1000) / 1000:g}.")


@lru_cache(maxsize=256)
def _compiled(pattern: str, ignore_case: bool) -> Any:
    return regex.compile(pattern, regex.IGNORECASE if ignore_case else 0, cache_pattern=False)
