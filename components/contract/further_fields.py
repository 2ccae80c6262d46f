"""Body keys beyond the contract that some dialects take: what each does, an example, and which values it can hold.

Which dialect takes which is the profile's; a key that stands nowhere here can still be sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool, StrictInt, StrictStr, TypeAdapter
from pydantic import ValidationError as _ValidationError

_Penalty = Annotated[float, Field(strict=True, ge=-2, le=2)]


class _Open(BaseModel):
    """An object that may hold more than is checked here."""

    model_config = ConfigDict(extra="allow")


class _Function(_Open):
    name: Annotated[StrictStr, Field(min_length=1)]
    description: StrictStr | None = None
    parameters: dict[str, JsonValue] | None = None


class _Tool(_Open):
    type: Literal["function"]
    function: _Function


class _ResponseFormat(_Open):
    type: Literal["text", "json_object", "json_schema"]


@dataclass(frozen=True)
class FurtherField:
    """One key: ``description`` says what it does, ``example`` is a value that works."""

    description: str
    example: JsonValue
    kind: TypeAdapter[Any]

    def problem(self, value: object) -> str | None:
        """What is wrong with ``value``, as the end of a sentence, or None."""
        try:
            self.kind.validate_python(value)
        except _ValidationError as error:
            first = error.errors()[0]
            # The steps that name a member of a union are pydantic's own and mean nothing to a reader.
            path = ".".join(str(step) for step in first["loc"] if isinstance(step, int) or str(step).isidentifier())
            return f"{first['msg']}{f' (at {path})' if path else ''}"
        return None


FURTHER_FIELDS: Mapping[str, FurtherField] = MappingProxyType(
    {
        "stop": FurtherField(
            "The answer ends before any of these texts.", ["\n\n"], TypeAdapter(StrictStr | list[StrictStr] | None)
        ),
        "presence_penalty": FurtherField(
            "Above 0, words that have occurred become less likely.", 0.5, TypeAdapter(_Penalty | None)
        ),
        "frequency_penalty": FurtherField(
            "Above 0, words become less likely the oftener they have occurred.", 0.5, TypeAdapter(_Penalty | None)
        ),
        "n": FurtherField(
            "How many answers are made. A switch below the first shows the others.",
            2,
            TypeAdapter(Annotated[StrictInt, Field(ge=1)]),
        ),
        "response_format": FurtherField(
            "Makes the answer JSON. The messages should ask for JSON, too.",
            {"type": "json_object"},
            TypeAdapter(_ResponseFormat),
        ),
        "tools": FurtherField(
            "Functions that the model may ask to have called. Tempera shows the calls and runs none.",
            [
                {
                    "type": "function",
                    "function": {
                        "name": "get_weather",
                        "description": "The weather in a city",
                        "parameters": {
                            "type": "object",
                            "properties": {"city": {"type": "string"}},
                            "required": ["city"],
                        },
                    },
                }
            ],
            TypeAdapter(list[_Tool]),
        ),
        "tool_choice": FurtherField(
            "Whether the model may, must or must not ask for a tool.", "auto", TypeAdapter(StrictStr | dict[str, Any])
        ),
        "parallel_tool_calls": FurtherField(
            "Whether one answer may ask for several tools.", True, TypeAdapter(StrictBool)
        ),
        "reasoning_effort": FurtherField("How much a reasoning model thinks.", "low", TypeAdapter(StrictStr | None)),
        "prediction": FurtherField(
            "Text that the answer will probably repeat, which makes it faster.",
            {"type": "content", "content": ""},
            TypeAdapter(dict[str, Any]),
        ),
        "prompt_mode": FurtherField(
            "Switches on the system prompt of reasoning models.", "reasoning", TypeAdapter(StrictStr | None)
        ),
        "logprobs": FurtherField("Sends each token's log probability, too.", True, TypeAdapter(StrictBool | None)),
        "top_logprobs": FurtherField(
            "How many other likely tokens are sent with each token.",
            3,
            TypeAdapter(Annotated[StrictInt, Field(ge=0, le=20)] | None),
        ),
        "logit_bias": FurtherField(
            "Makes single tokens, named by their number, more or less likely.", {}, TypeAdapter(dict[str, float] | None)
        ),
        "stream_options": FurtherField(
            "What a stream brings beside the answer. Tempera asks for the usage by itself.",
            {"include_usage": True},
            TypeAdapter(dict[str, Any] | None),
        ),
        "metadata": FurtherField(
            "Labels of your own that the endpoint keeps.", {"experiment": "1"}, TypeAdapter(dict[str, Any] | None)
        ),
    }
)
