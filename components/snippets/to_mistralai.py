"""A body as Python with Mistral's own client, version 3.

That client reads what it is given into its own types first: it drops the keys that they do not have and the null that
they do not know, and adds their defaults. The types here hold exactly the values that pass through it unchanged.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    TypeAdapter,
)
from pydantic import ValidationError as _ValidationError

from components.snippets.language import CannotSay
from components.snippets.python_literal import python_arguments, python_literal

# What the client takes for "not given", wherever it stands.
_ITS_SIGN_FOR_NOTHING = "~?~unset~?~sentinel~?~"


def _kept_by_a_float(value: object) -> object:
    """Whole numbers only up to this size: the client makes a float of any number here."""
    if isinstance(value, int) and abs(value) > 2**53:
        raise ValueError
    return value


_Number = Annotated[StrictFloat, BeforeValidator(_kept_by_a_float)] | None
_WholeNumber = StrictInt | None
_Object = dict[str, JsonValue]


class _Exact(BaseModel):
    """An object that holds these keys and no others."""

    model_config = ConfigDict(extra="forbid")


class _CalledFunction(_Exact):
    name: StrictStr
    arguments: StrictStr | _Object


class _ToolCall(_Exact):
    function: _CalledFunction
    id: StrictStr = ""
    type: StrictStr = ""
    index: StrictInt = 0


class _Spoken(_Exact):
    role: Literal["system", "user"]
    content: StrictStr


class _Answer(_Exact):
    role: Literal["assistant"]
    content: StrictStr
    prefix: StrictBool = False
    tool_calls: list[_ToolCall] | None = None


class _ToolAnswer(_Exact):
    role: Literal["tool"]
    content: StrictStr
    tool_call_id: StrictStr | None = None
    name: StrictStr | None = None


class _Function(_Exact):
    name: StrictStr
    parameters: _Object
    description: StrictStr = ""
    strict: StrictBool = False


class _Tool(_Exact):
    type: Literal["function"]
    function: _Function


class _NamedFunction(_Exact):
    name: StrictStr


class _ToolChoice(_Exact):
    type: Literal["function"]
    function: _NamedFunction


class _Schema(_Exact):
    name: StrictStr
    schema_: Annotated[_Object, Field(alias="schema")]
    description: StrictStr | None = None
    strict: StrictBool = False


class _ResponseFormat(_Exact):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _Schema | None = None


class _Prediction(_Exact):
    type: Literal["content"]
    content: StrictStr


_PARAMETERS: dict[str, TypeAdapter[Any]] = {
    "model": TypeAdapter(StrictStr),
    "messages": TypeAdapter(
        list[Annotated[_Spoken | _Answer | _ToolAnswer, Field(discriminator="role")]],
    ),
    "temperature": TypeAdapter(_Number),
    "top_p": TypeAdapter(_Number),
    "max_tokens": TypeAdapter(_WholeNumber),
    "random_seed": TypeAdapter(_WholeNumber),
    "safe_prompt": TypeAdapter(StrictBool),
    "stop": TypeAdapter(StrictStr | list[StrictStr] | None),
    "presence_penalty": TypeAdapter(_Number),
    "frequency_penalty": TypeAdapter(_Number),
    "n": TypeAdapter(_WholeNumber),
    "response_format": TypeAdapter(_ResponseFormat),
    "tools": TypeAdapter(list[_Tool] | None),
    "tool_choice": TypeAdapter(Literal["auto", "none", "any", "required"] | _ToolChoice),
    "parallel_tool_calls": TypeAdapter(StrictBool),
    "reasoning_effort": TypeAdapter(Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None),
    "prediction": TypeAdapter(_Prediction),
    "prompt_mode": TypeAdapter(Literal["reasoning"] | None),
    "metadata": TypeAdapter(_Object | None),
    "logprobs": TypeAdapter(StrictBool | None),
    "top_logprobs": TypeAdapter(_WholeNumber),
}

_WHY_NONE = "        # None in a message makes the client leave a key out; without it, it would send a default.\n"

_STREAMED = """\
{import_os}from mistralai.client import Mistral

with Mistral(api_key={key}, server_url={server_url}) as client:
    with client.chat.stream(
{arguments}    ) as stream:
        for event in stream:
            for choice in event.data.choices[:1]:
                print(choice.delta.content or "", end="", flush=True)
print()
"""

_AT_ONCE = """\
{import_os}from mistralai.client import Mistral

with Mistral(api_key={key}, server_url={server_url}) as client:
    answer = client.chat.complete(
{arguments}    )
    print(answer.choices[0].message.content)
"""


def to_mistralai(body: str, base_url: str, key_variable: str | None) -> str:
    """A program that sends a body equal to ``body`` as JSON and prints the answer as it arrives.

    Raises CannotSay for a key or a value that the client would drop or change, and for an address without /v1, which
    it appends.
    """
    server_url = base_url.removesuffix("/v1")
    if server_url == base_url:
        raise CannotSay("The mistralai client needs an address that ends in /v1. Use the requests snippet.")
    fields = json.loads(body)
    # ``stream`` and ``complete`` each send their own.
    streamed = fields.pop("stream")
    for key, value in fields.items():
        if key not in _PARAMETERS:
            raise CannotSay(f"The mistralai client cannot send {key[:40]}. Use the requests snippet.")
        _check(key, value)
    if json.dumps(_ITS_SIGN_FOR_NOTHING) in body:
        raise CannotSay(f"The mistralai client cannot send the text {_ITS_SIGN_FOR_NOTHING}. Use the requests snippet.")
    filled = [_without_defaults(message) for message in fields["messages"]]
    note = _WHY_NONE if filled != fields["messages"] else ""
    fields["messages"] = filled
    return (_STREAMED if streamed else _AT_ONCE).format(
        import_os="import os\n\n" if key_variable else "",
        # Without a key of its own the client would send the one in MISTRAL_API_KEY, to whatever address this is.
        key=f'os.environ["{key_variable}"]' if key_variable else '"not-needed"',
        server_url=python_literal(server_url),
        arguments=note + python_arguments(fields, " " * 8),
    )


def _check(key: str, value: JsonValue) -> None:
    try:
        _PARAMETERS[key].validate_python(value)
    except _ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "extra_forbidden" and key == "messages":
            number, name = first["loc"][0], str(first["loc"][-1])[:40]
            what = f"{name} in message {int(number) + 1}"
        else:
            what = f"this value of {key}"
        raise CannotSay(f"The mistralai client cannot send {what}. Use the requests snippet.") from None


def _without_defaults(message: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The message with None where the client would put a default of its own; None makes it send nothing."""
    if message["role"] != "assistant":
        return message
    filled = {"role": message["role"], "content": message["content"], "prefix": None, **message}
    if isinstance(calls := message.get("tool_calls"), list):
        nothing = dict.fromkeys(("id", "type", "index"))
        filled["tool_calls"] = [nothing | call for call in calls if isinstance(call, dict)]
    return filled
