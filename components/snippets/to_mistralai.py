"""Generates Python code for the mistralai client, version 3.

The client validates its arguments against its own types: it drops unknown keys and some nulls, and adds defaults. The
shapes below describe the values that it sends unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import JsonValue

from components.snippets import sentences
from components.snippets.problem import CannotExport
from components.snippets.python_literal import python_arguments, python_literal

# The client's sentinel for "not given".
_UNSET_SENTINEL = "~?~unset~?~sentinel~?~"
# The client converts numbers to floats.
_LARGEST_EXACT_FLOAT = 2**53
_MAX_NAME_CHARS = 40

# A shape is a type, None, a set of texts, a list of a shape, a tuple of alternatives, or an object with these keys and
# no others. Keys with a question mark are optional.
_Shape = Any
_TEXT_OR_NULL = (str, None)
_NUMBER = (float, None)
_WHOLE_NUMBER = (int, None)
_CALL = {"function": {"name": str, "arguments": (str, dict)}, "id?": str, "type?": str, "index?": int}
_MESSAGES: dict[str, _Shape] = {
    "system": {"role": str, "content": str},
    "user": {"role": str, "content": str},
    "assistant": {"role": str, "content": str, "prefix?": bool, "tool_calls?": (None, [_CALL])},
    "tool": {"role": str, "content": str, "tool_call_id?": _TEXT_OR_NULL, "name?": _TEXT_OR_NULL},
}
_FUNCTION = {"name": str, "parameters": dict, "description?": str, "strict?": bool}
_JSON_SCHEMA = {"name": str, "schema": dict, "description?": _TEXT_OR_NULL, "strict?": bool}
_PARAMETERS: dict[str, _Shape] = {
    "model": str,
    "messages": list,
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "max_tokens": _WHOLE_NUMBER,
    "random_seed": _WHOLE_NUMBER,
    "safe_prompt": bool,
    "stop": (str, [str], None),
    "presence_penalty": _NUMBER,
    "frequency_penalty": _NUMBER,
    "n": _WHOLE_NUMBER,
    "response_format": {"type": {"text", "json_object", "json_schema"}, "json_schema?": (None, _JSON_SCHEMA)},
    "tools": (None, [{"type": {"function"}, "function": _FUNCTION}]),
    "tool_choice": ({"auto", "none", "any", "required"}, {"type": {"function"}, "function": {"name": str}}),
    "parallel_tool_calls": bool,
    "reasoning_effort": ({"none", "minimal", "low", "medium", "high", "xhigh", "max"}, None),
    "prediction": {"type": {"content"}, "content": str},
    "prompt_mode": ({"reasoning"}, None),
    "metadata": (dict, None),
    "logprobs": (bool, None),
    "top_logprobs": _WHOLE_NUMBER,
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

    Raises CannotExport for a key or a value that the client would drop or change, and for an address without /v1, which
    it appends.
    """
    server_url = base_url.removesuffix("/v1")
    if server_url == base_url:
        raise CannotExport(sentences.MISTRALAI_NEEDS_V1)
    fields = json.loads(body)
    # The client's methods set it themselves.
    streamed = fields.pop("stream")
    if (what := next(_changed(fields), None)) is not None:
        raise CannotExport(sentences.MISTRALAI_CANNOT_SEND.format(what=what))
    if json.dumps(_UNSET_SENTINEL) in body:
        raise CannotExport(sentences.MISTRALAI_CANNOT_SEND_TEXT.format(text=_UNSET_SENTINEL))
    filled = [_without_defaults(message) for message in fields["messages"]]
    note = _WHY_NONE if filled != fields["messages"] else ""
    fields["messages"] = filled
    return (_STREAMED if streamed else _AT_ONCE).format(
        import_os="import os\n\n" if key_variable else "",
        # Without an argument the client would send MISTRAL_API_KEY to this address.
        key=f'os.environ["{key_variable}"]' if key_variable else '"not-needed"',
        server_url=python_literal(server_url),
        arguments=note + python_arguments(fields, " " * 8),
    )


def _changed(fields: dict[str, Any]) -> Iterator[str]:
    """The names of the fields that the client would drop or change."""
    for key, value in fields.items():
        if key not in _PARAMETERS:
            yield key[:_MAX_NAME_CHARS]
        elif not _passes(value, _PARAMETERS[key]):
            yield f"this value of {key}"
    for number, message in enumerate(fields["messages"], 1):
        shape = _MESSAGES[message["role"]]
        for key in message:
            if key not in shape and f"{key}?" not in shape:
                yield f"{key[:_MAX_NAME_CHARS]} in message {number}"
        if not _passes(message, shape):
            yield "this value of messages"


def _passes(value: object, shape: _Shape) -> bool:
    match shape:
        case tuple():
            return any(_passes(value, item) for item in shape)
        case set():
            return isinstance(value, str) and value in shape
        case [each]:
            return isinstance(value, list) and all(_passes(item, each) for item in value)
        case dict():
            keys = {key.removesuffix("?"): inner for key, inner in shape.items()}
            return (
                isinstance(value, dict)
                and all(key in value for key in shape if not key.endswith("?"))
                and all(key in keys and _passes(inner, keys[key]) for key, inner in value.items())
            )
    if shape is float and type(value) is int:
        return abs(value) <= _LARGEST_EXACT_FLOAT
    return value is None if shape is None else type(value) is shape


def _without_defaults(message: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The message with None for each key that the client would fill with a default; None omits the key."""
    if message["role"] != "assistant":
        return message
    filled = {"role": message["role"], "content": message["content"], "prefix": None, **message}
    if isinstance(calls := message.get("tool_calls"), list):
        nothing = dict.fromkeys(("id", "type", "index"))
        filled["tool_calls"] = [nothing | call for call in calls if isinstance(call, dict)]
    return filled
