"""Recognizes the answers of APIs other than chat completions, to name the API and the base URL to set instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from components.contract.chunk import UnreadableEvent, read_object

_Fields = Mapping[str, Any]

_APIS: list[tuple[str, str, Callable[[_Fields], bool]]] = [
    ("the Responses API", "/v1", lambda fields: _begins(fields, "response.") or fields.get("object") == "response"),
    (
        "Anthropic's Messages API",
        "/v1",
        lambda fields: _begins(fields, "message_", "content_block_") or {"stop_reason", "content"} <= fields.keys(),
    ),
    ("Ollama's own API", "/v1", lambda fields: "done" in fields and bool({"message", "response"} & fields.keys())),
    ("Gemini's own API", "/v1beta/openai", lambda fields: "candidates" in fields),
]


def other_api(data: str) -> tuple[str, str] | None:
    """The API of the response ``data``, and the path of its chat completions endpoint.

    ``data`` is an event's data, a document, or lines of JSON, of which the first one counts.
    """
    for text in (data, data.lstrip().partition("\n")[0]):
        try:
            fields = read_object(text)
        except UnreadableEvent:
            continue
        return next(((name, end) for name, end, applies in _APIS if applies(fields)), None)
    return None


def _begins(fields: _Fields, *beginnings: str) -> bool:
    return str(fields.get("type")).startswith(beginnings)
