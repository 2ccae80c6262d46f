"""What all checks have in common: the answer that they read, their result, and their fields.

A check is pure: it reads an answer that has ended, and asks nothing. A judge's question is sent by the caller.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from components.contract.difference import shortened
from components.drafts.variables import filled, names_in
from components.streaming.outcome import ToolCall
from components.user_error import UserError

Text = Annotated[str, Field(min_length=1)]

_C = TypeVar("_C", bound="Check")


class CheckProblem(UserError):
    """A check cannot be made as written; the text says why and what to do. ``path`` leads to the part that is wrong."""

    def __init__(self, sentence: str, path: Sequence[str | int] = ()) -> None:
        super().__init__(sentence)
        self.path = tuple(path)


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
        return names_in(texts_in(self.model_dump()))

    def with_values(self: _C, values: Mapping[str, str]) -> _C:
        """The check with these values of its variables."""
        if not self.has_variables:
            return self
        return self.model_copy(update=_filled(dict(self), values))

    def to_value(self) -> JsonValue:
        """The value that ``read_check`` reads as this check."""
        fields: dict[str, JsonValue] = self.model_dump(mode="json", exclude_defaults=True)
        if self.bare_objects or (list(fields) == [self.bare] and not isinstance(fields[self.bare], dict)):
            return fields[self.bare]
        return fields

    @cached_property
    def has_variables(self) -> bool:
        """Whether the check reads columns."""
        return bool(self.variable_names)


def texts_in(value: object) -> list[str]:
    """All texts in a value made of objects and lists."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in texts_in(inner)]
    return [text for inner in value for text in texts_in(inner)] if isinstance(value, list | tuple) else []


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return filled(value, values)
    if isinstance(value, Mapping):
        return {key: _filled(inner, values) for key, inner in value.items()}
    return [_filled(inner, values) for inner in value] if isinstance(value, list) else value


def folded(text: str, fold: bool) -> str:
    """The text without its case, if ``fold``."""
    return text.casefold() if fold else text


def quoted(text: str) -> str:
    """The text in quotation marks, cut to fit into one line."""
    return f"“{shortened(text)}”"
