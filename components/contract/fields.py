"""The fields of a request: one row each.

A row defines the field; the profile defines its form in a dialect: key, range, null and default. Request, widgets,
lint, lanes, sweeps, links and exports are made from both, so a new field needs a row and its profiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, StrictBool, StrictInt, StrictStr, TypeAdapter
from pydantic import Field as _Limits
from pydantic import ValidationError as _ValidationError

Decimal = Annotated[float, _Limits(strict=True, allow_inf_nan=False)]


class Kind(Enum):
    """The type of a field's values, in words; it decides the widget."""

    DECIMAL = "a number"
    WHOLE = "a whole number"
    SWITCH = "true or false"
    CHOICE = "a text"
    TEXTS = "a text or a list of texts"
    JSON = "JSON"

    @property
    def is_number(self) -> bool:
        """Whether the values have a range."""
        return self in (Kind.DECIMAL, Kind.WHOLE)


_VALUES: Mapping[Kind, TypeAdapter[Any]] = {
    Kind.DECIMAL: TypeAdapter(Decimal),
    Kind.WHOLE: TypeAdapter(StrictInt),
    Kind.SWITCH: TypeAdapter(StrictBool),
    Kind.CHOICE: TypeAdapter(StrictStr),
    Kind.TEXTS: TypeAdapter(StrictStr | list[StrictStr]),
    Kind.JSON: TypeAdapter(JsonValue),
}


@dataclass(frozen=True)
class Field:
    """One field of a request.

    ``begins_with`` is the initial value when the field is switched on. ``other_example`` replaces it in sentences.
    ``choices`` are the usual values of a choice; others are possible. ``shape`` describes a JSON value further.

    The contract's fields precede ``stream`` on the wire and are always in the form. A dialect without such a field
    leaves it out; every other field is then sent by its own name.

    ``in_prompt``: when set, the endpoint adds to the model's prompt.
    """

    name: str
    kind: Kind
    description: str
    begins_with: JsonValue
    other_example: JsonValue = None
    choices: tuple[str, ...] = ()
    shape: TypeAdapter[Any] | None = None
    in_prompt: bool = False

    @property
    def example(self) -> JsonValue:
        """A value for use in sentences."""
        return self.begins_with if self.other_example is None else self.other_example

    def can_hold(self, value: object) -> bool:
        """Whether a non-null value is of the field's kind, of any shape."""
        try:
            _VALUES[self.kind].validate_python(value)
        except _ValidationError:
            return False
        return True

    def holding(self, value: JsonValue) -> Field:
        """The row for a setting with this value: a JSON row when the kind cannot hold it."""
        return self if value is None or self.can_hold(value) else replace(self, kind=Kind.JSON, shape=None)

    def problem(self, value: object) -> str | None:
        """The problem with a non-null value, as the end of a sentence; None when it is valid."""
        try:
            (self.shape or _VALUES[self.kind]).validate_python(value)
        except _ValidationError as error:
            if self.shape is None:
                return f"must be {self.kind.value}"
            first = error.errors()[0]
            # Steps for a member of a union are internal to pydantic.
            path = ".".join(str(step) for step in first["loc"] if isinstance(step, int) or str(step).isidentifier())
            return f"is invalid: {first['msg']}{f' (at {path})' if path else ''}"
        return None


class _Open(BaseModel):
    """An object that may hold more keys than are checked here."""

    model_config = ConfigDict(extra="allow")


class _Function(_Open):
    name: Annotated[StrictStr, _Limits(min_length=1)]
    description: StrictStr | None = None
    parameters: dict[str, JsonValue] | None = None


class _Tool(_Open):
    type: Literal["function"]
    function: _Function


class _ResponseFormat(_Open):
    type: Literal["text", "json_object", "json_schema"]


_OBJECT: TypeAdapter[Any] = TypeAdapter(dict[str, JsonValue])
_A_TOOL: JsonValue = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}

_CONTRACT_ROWS = (
    Field(
        "temperature",
        Kind.DECIMAL,
        "Sampling temperature. Low values such as 0.2 give focused answers, high ones such as 0.8 more varied ones. "
        "Change this or top_p, not both.",
        begins_with=0.7,
        other_example=0.5,
    ),
    Field(
        "top_p",
        Kind.DECIMAL,
        "Nucleus sampling: tokens are drawn from the most likely ones that make up this share of the probability. "
        "0.1 means the top 10 %. Change this or temperature, not both.",
        begins_with=1.0,
        other_example=0.5,
    ),
    Field(
        "max_tokens",
        Kind.WHOLE,
        "The maximum number of tokens in the answer. Prompt and answer together must fit into the context.",
        begins_with=256,
    ),
    Field(
        "random_seed",
        Kind.WHOLE,
        "The same seed and request give the same answer, if the endpoint supports it.",
        begins_with=1337,
    ),
    Field(
        "safe_prompt",
        Kind.SWITCH,
        "Puts the endpoint's safety instructions before all other messages.",
        begins_with=True,
        in_prompt=True,
    ),
)

_FURTHER_ROWS = (
    Field(
        "stop",
        Kind.TEXTS,
        "Generation stops before any of these texts.",
        begins_with=["\n\n"],
    ),
    Field(
        "presence_penalty",
        Kind.DECIMAL,
        "Values above 0 make tokens that have occurred less likely.",
        begins_with=0.5,
    ),
    Field(
        "frequency_penalty",
        Kind.DECIMAL,
        "Values above 0 make tokens less likely the more often they have occurred.",
        begins_with=0.5,
    ),
    Field(
        "n",
        Kind.WHOLE,
        "The number of answers. A switch below the first one shows the others.",
        begins_with=2,
    ),
    Field(
        "response_format",
        Kind.JSON,
        "Makes the answer JSON. The messages should ask for JSON, too.",
        begins_with={"type": "json_object"},
        shape=TypeAdapter(_ResponseFormat),
    ),
    Field(
        "tools",
        Kind.JSON,
        "Functions that the model may call. Tempera shows the calls and runs none.",
        begins_with=[_A_TOOL],
        other_example=[],
        shape=TypeAdapter(list[_Tool]),
    ),
    Field(
        "tool_choice",
        Kind.JSON,
        "Whether the model may, must or must not call a tool.",
        begins_with="auto",
        shape=TypeAdapter(StrictStr | dict[str, JsonValue]),
    ),
    Field(
        "parallel_tool_calls",
        Kind.SWITCH,
        "Whether an answer may call several tools.",
        begins_with=True,
    ),
    Field(
        "reasoning_effort",
        Kind.CHOICE,
        "The reasoning effort of a reasoning model.",
        begins_with="low",
        choices=("none", "minimal", "low", "medium", "high", "xhigh"),
    ),
    Field(
        "prediction",
        Kind.JSON,
        "The expected answer; matching parts are generated faster.",
        begins_with={"type": "content", "content": ""},
        other_example={"type": "content", "content": "the text"},
        shape=_OBJECT,
    ),
    Field(
        "prompt_mode",
        Kind.CHOICE,
        "Switches on the system prompt of reasoning models.",
        begins_with="reasoning",
        choices=("reasoning",),
    ),
    Field(
        "logprobs",
        Kind.SWITCH,
        "Returns the log probability of each token.",
        begins_with=True,
    ),
    Field(
        "top_logprobs",
        Kind.WHOLE,
        "The number of likely alternatives returned with each token.",
        begins_with=5,
        other_example=3,
    ),
    Field(
        "logit_bias",
        Kind.JSON,
        "Makes tokens, given by their ids, more or less likely.",
        begins_with={},
        other_example={"50256": -100},
        shape=TypeAdapter(dict[str, float]),
    ),
    Field(
        "stream_options",
        Kind.JSON,
        "Options of the stream. Tempera requests the token usage by itself.",
        begins_with={"include_usage": True},
        shape=_OBJECT,
    ),
    Field(
        "metadata",
        Kind.JSON,
        "Your own labels, stored by the endpoint.",
        begins_with={"experiment": "1"},
        shape=_OBJECT,
    ),
)

FIELDS: Mapping[str, Field] = MappingProxyType({row.name: row for row in _CONTRACT_ROWS + _FURTHER_ROWS})
"""All known fields by name, in the order of the form."""

PROBABILITY_FIELDS = ("logprobs", "top_logprobs")
"""The fields that ask for the probabilities of tokens and of their alternatives."""

FIELD_NAME = r"^[A-Za-z_][\w.-]{0,63}\Z"
"""The pattern of a field's name."""

CONTRACT_FIELDS = tuple(row.name for row in _CONTRACT_ROWS)


def is_of_contract(name: str) -> bool:
    """Whether the field belongs to the contract; a dialect has such a field or leaves it out."""
    return name in CONTRACT_FIELDS


def field_named(name: str) -> Field:
    """The row of the field of that name. An unknown field has a row, too: it holds any JSON."""
    unknown = Field(name, Kind.JSON, "No description: this dialect does not know it.", begins_with=None)
    return FIELDS.get(name, unknown)
