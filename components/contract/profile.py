"""Dialects of the contract: which ranges, nulls, defaults and key names an endpoint speaks.

A form, a lint or a server asks a profile; none of them holds a range of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class UsageReport(Enum):
    """How an endpoint comes to report token usage in a stream."""

    IN_FINISH_CHUNK = "in the finish chunk, unasked"
    BY_STREAM_OPTIONS = "in a last chunk, when stream_options.include_usage asks for it"


class UnknownKeys(Enum):
    """What an endpoint does with a body key that it does not know."""

    IGNORED = "ignored"
    REFUSED = "refused with 422"


@dataclass(frozen=True)
class FieldRules:
    """What one dialect allows for one optional field of the request.

    ``minimum`` and ``maximum`` are inclusive, None where there is no limit. ``default`` says in words what the endpoint
    does when the field is omitted. ``key`` is the field's name on the wire. ``if_omitted`` is what a form sends in
    place of nothing, where whoever runs Tempera wants that.
    """

    key: str
    default: str
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = True
    if_omitted: int | None = None

    def range_problem(self, value: float) -> str | None:
        """One sentence when ``value`` lies outside the range, else None."""
        if self.minimum is not None and value < self.minimum:
            return f"{self.key} must be at least {self.minimum:g}; {value:g} is less."
        if self.maximum is not None and value > self.maximum:
            return f"{self.key} must be at most {self.maximum:g}; {value:g} is more."
        return None


@dataclass(frozen=True)
class Profile:
    """A dialect: its name and its rules by field name. A field that is not in ``fields`` does not exist there.

    ``further_fields`` are the body keys beyond the contract that it is known to take. ``prefix`` says whether it knows
    the prefix of a last assistant message.
    """

    name: str
    fields: Mapping[str, FieldRules]
    further_fields: tuple[str, ...] = ()
    prefix: bool = True
    usage: UsageReport = UsageReport.IN_FINISH_CHUNK
    unknown_keys: UnknownKeys = UnknownKeys.IGNORED

    def range_problems(self, values: Mapping[str, float | bool | None]) -> dict[str, str]:
        """The fields whose value lies outside this dialect's range, each with one sentence."""
        problems = {}
        for name, value in values.items():
            rules = self.fields.get(name)
            problem = rules.range_problem(value) if rules and value is not None else None
            if problem:
                problems[name] = problem
        return problems


BEEZY = Profile(
    name="beezy",
    fields=MappingProxyType(
        {
            "temperature": FieldRules("temperature", "endpoint default (0.7)", 0.0, 1.0),
            "top_p": FieldRules("top_p", "endpoint default (1.0)", 0.0, 1.0),
            "max_tokens": FieldRules("max_tokens", "up to the model", 0),
            "random_seed": FieldRules("random_seed", "random"),
            "safe_prompt": FieldRules("safe_prompt", "off", nullable=False),
        }
    ),
)

_COMMON_FURTHER_FIELDS = (
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "n",
    "response_format",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning_effort",
)

MISTRAL = Profile(
    name="mistral",
    fields=MappingProxyType(
        {
            "temperature": FieldRules("temperature", "the model's own default", 0.0, 1.5),
            "top_p": FieldRules("top_p", "endpoint default (1.0)", 0.0, 1.0),
            "max_tokens": FieldRules("max_tokens", "up to the model", 0),
            "random_seed": FieldRules("random_seed", "random", 0),
            "safe_prompt": FieldRules("safe_prompt", "off", nullable=False),
        }
    ),
    further_fields=(
        *_COMMON_FURTHER_FIELDS,
        "prediction",
        "prompt_mode",
        "metadata",
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
        }
    ),
    further_fields=(
        *_COMMON_FURTHER_FIELDS,
        "logprobs",
        "top_logprobs",
        "logit_bias",
        "stream_options",
        "metadata",
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
        raise ValueError(f"There is no dialect {name!r}. Choose one of: {', '.join(PROFILES)}.") from None
