"""The values that the mistralai client, version 3, sends unchanged.

The client validates its arguments against its own types: it drops unknown keys and some nulls, and adds defaults.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import JsonValue

UNSET_SENTINEL = "~?~unset~?~sentinel~?~"
"""The client's sentinel for "not given"."""
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


def changed_by_mistralai(fields: dict[str, Any]) -> Iterator[str]:
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


def without_defaults_of_mistralai(message: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The message with None for each key that the client would fill with a default; None omits the key."""
    if message["role"] != "assistant":
        return message
    filled = {"role": message["role"], "content": message["content"], "prefix": None, **message}
    if isinstance(calls := message.get("tool_calls"), list):
        nothing = dict.fromkeys(("id", "type", "index"))
        filled["tool_calls"] = [nothing | call for call in calls if isinstance(call, dict)]
    return filled
