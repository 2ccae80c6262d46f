"""Dialects of the contract: the ranges, nulls, defaults and key names of an endpoint.

Forms, lint and servers ask a profile; none of them has its own ranges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from pydantic import JsonValue

from components.contract import sentences
from components.contract.fields import FIELDS, Field, field_named, is_of_contract


class UsageReport(Enum):
    """The way in which an endpoint reports token usage in a stream."""

    IN_FINISH_CHUNK = "in the finish chunk, always"
    BY_STREAM_OPTIONS = "in a last chunk, if stream_options.include_usage is true"


class UnknownKeys(Enum):
    """The endpoint's reaction to an unknown body key."""

    IGNORED = "ignored"
    REFUSED = "refused with 422"


@dataclass(frozen=True)
class FieldRules:
    """The rules of one dialect for one optional field of the request.

    ``minimum`` and ``maximum`` are inclusive, None for no limit. ``default`` describes the endpoint's behaviour when
    the field is omitted. ``key`` is the field's name on the wire. ``if_omitted`` is the value that a form sends in
    place of an omitted field, if the operator sets one.
    """

    key: str
    default: str
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = True
    if_omitted: int | None = None

    @property
    def has_both_limits(self) -> bool:
        """Whether the range has both limits, so that a slider can show it."""
        return self.minimum is not None and self.maximum is not None

    def range_problem(self, value: JsonValue) -> str | None:
        """One sentence when ``value`` is a number outside the range, else None."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if self.minimum is not None and value < self.minimum:
            return sentences.TOO_SMALL.format(key=self.key, minimum=self.minimum, value=value)
        if self.maximum is not None and value > self.maximum:
            return sentences.TOO_LARGE.format(key=self.key, maximum=self.maximum, value=value)
        return None


@dataclass(frozen=True)
class Profile:
    """A dialect: its name and its rules by field name.

    A field of the contract that is not in ``fields`` does not exist in the dialect. ``own`` are the rows of fields that
    only one endpoint has. ``prefix``: the dialect supports the prefix of a last assistant message.
    """

    name: str
    fields: Mapping[str, FieldRules]
    own: Mapping[str, Field] = field(default_factory=lambda: MappingProxyType({}))
    prefix: bool = True
    usage: UsageReport = UsageReport.IN_FINISH_CHUNK
    unknown_keys: UnknownKeys = UnknownKeys.IGNORED

    @property
    def further_fields(self) -> tuple[str, ...]:
        """The known fields beyond the contract."""
        return tuple(name for name in self.fields if not is_of_contract(name))

    def field(self, name: str) -> Field:
        """The row of the field of that name."""
        return self.own.get(name) or field_named(name)

    def knows(self, name: str) -> bool:
        """Whether the field has a row."""
        return name in FIELDS or name in self.own

    def rules_of(self, name: str) -> FieldRules | None:
        """The rules of a field; None for a field of the contract that the dialect does not have."""
        if name in self.fields or is_of_contract(name):
            return self.fields.get(name)
        return FieldRules(name, f"the {self.name} dialect does not know it")

    def key_of(self, name: str) -> str | None:
        """The key under which a field is sent; None where it is not sent."""
        rules = self.rules_of(name)
        return rules.key if rules else None

    def name_of(self, key: str) -> str | None:
        """The field that is sent under this key, the reverse of ``key_of``; None where no field is."""
        field = next((name for name, rules in self.fields.items() if rules.key == key), None)
        return field or (None if is_of_contract(key) else key)

    def range_problems(self, values: Mapping[str, JsonValue]) -> dict[str, str]:
        """The fields with a value outside this dialect's range, each with one sentence."""
        problems = ((name, self.fields[name].range_problem(values[name])) for name in values if name in self.fields)
        return {name: problem for name, problem in problems if problem}


BEEZY = Profile(
    name="beezy",
    fields=MappingProxyType(
        {
            "temperature": FieldRules("temperature", "default 0.7", 0.0, 1.0),
            "top_p": FieldRules("top_p", "default 1.0", 0.0, 1.0),
            "max_tokens": FieldRules("max_tokens", "up to the model", 0),
            "random_seed": FieldRules("random_seed", "random"),
            "safe_prompt": FieldRules("safe_prompt", "off", nullable=False),
        }
    ),
)

_COMMON_FURTHER_FIELDS = {
    "stop": FieldRules("stop", "no stop text"),
    "presence_penalty": FieldRules("presence_penalty", "0", -2, 2),
    "frequency_penalty": FieldRules("frequency_penalty", "0", -2, 2),
    "n": FieldRules("n", "1", 1, nullable=False),
    "response_format": FieldRules("response_format", "text", nullable=False),
    "tools": FieldRules("tools", "none", nullable=False),
    "tool_choice": FieldRules("tool_choice", "auto if there are tools", nullable=False),
    "parallel_tool_calls": FieldRules("parallel_tool_calls", "on", nullable=False),
    "reasoning_effort": FieldRules("reasoning_effort", "the model's default"),
    "prediction": FieldRules("prediction", "none", nullable=False),
    "metadata": FieldRules("metadata", "none"),
}

MISTRAL = Profile(
    name="mistral",
    fields=MappingProxyType(
        {
            "temperature": FieldRules("temperature", "the model's default", 0.0, 1.5),
            "top_p": FieldRules("top_p", "default 1.0", 0.0, 1.0),
            "max_tokens": FieldRules("max_tokens", "up to the model", 0),
            "random_seed": FieldRules("random_seed", "random", 0),
            "safe_prompt": FieldRules("safe_prompt", "off", nullable=False),
            **_COMMON_FURTHER_FIELDS,
            "prompt_mode": FieldRules("prompt_mode", "the model's default"),
        }
    ),
    unknown_keys=UnknownKeys.REFUSED,
)

OPENAI = Profile(
    name="openai",
    fields=MappingProxyType(
        {
            "temperature": FieldRules("temperature", "endpoint default", 0.0, 2.0),
            "top_p": FieldRules("top_p", "endpoint default", 0.0, 1.0),
            "max_tokens": FieldRules("max_tokens", "up to the model", 0),
            "random_seed": FieldRules("seed", "random"),
            **_COMMON_FURTHER_FIELDS,
            "logprobs": FieldRules("logprobs", "off"),
            "top_logprobs": FieldRules("top_logprobs", "none", 0, 20),
            "logit_bias": FieldRules("logit_bias", "none"),
            "stream_options": FieldRules("stream_options", "requests the usage"),
        }
    ),
    prefix=False,
    usage=UsageReport.BY_STREAM_OPTIONS,
)

PROFILES: Mapping[str, Profile] = MappingProxyType({profile.name: profile for profile in (BEEZY, MISTRAL, OPENAI)})


def profile_named(name: str) -> Profile:
    """The profile of that name.

    Raises ValueError with the known names when there is none.
    """
    try:
        return PROFILES[name]
    except KeyError:
        raise ValueError(sentences.DIALECT_UNKNOWN.format(name=name, known=", ".join(PROFILES))) from None


def may_be_null(name: str) -> bool:
    """Whether any dialect accepts null for this field; a field that none knows may hold anything."""
    rules = [profile.fields[name] for profile in PROFILES.values() if name in profile.fields]
    return not rules or any(each.nullable for each in rules)


def fits(name: str, value: object) -> bool:
    """Whether a field of that name can hold ``value``; None stands for null."""
    if value is None:
        return may_be_null(name)
    return field_named(name).can_hold(value)
