"""The searchable texts of a request body: its prompt and the settings that it sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from components.log.storable import storable_text

_NO_SETTINGS = ("model", "messages")
_MAX_VALUE_CHARS = 200


class RequestSummary(NamedTuple):
    """The searchable texts of a request.

    ``prompt`` has the texts of all messages, the last user message first, separated by empty lines. ``settings`` has a
    line for each further field that was sent, in order, such as ``temperature=0.7``: the first 200 characters of the
    value as JSON. An omitted field has no line, a null one is ``=null``. Both are texts that every database can store.
    """

    prompt: str
    settings: str


def summarize_request(body: str) -> RequestSummary:
    """The summary of a body; empty when it is not a JSON object."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return RequestSummary("", "")
    if not isinstance(content, dict):
        return RequestSummary("", "")
    messages = content.get("messages")
    messages = messages if isinstance(messages, list) else []
    texts = [(_role(message), "\n".join(_texts(message))) for message in messages]
    of_user = [index for index, (role, _text) in enumerate(texts) if role == "user"]
    if of_user:
        texts.insert(0, texts.pop(of_user[-1]))
    settings = (setting_line(field, value) for field, value in content.items() if _is_setting(field, value))
    prompt = "\n\n".join(text for _role, text in texts if text)
    return RequestSummary(storable_text(prompt), storable_text("\n".join(settings)))


def setting_line(field: str, value: Any) -> str:
    """The line of a field that is sent with this value."""
    return f"{json.dumps(field)[1:-1]}={_shortened(json.dumps(value, ensure_ascii=False, separators=(',', ':')))}"


def settings_by_field(settings: str) -> dict[str, str]:
    """The values of a summary's settings, by field."""
    return dict(line.partition("=")[::2] for line in settings.split("\n") if line)


def _is_setting(field: str, value: Any) -> bool:
    return field not in _NO_SETTINGS and not (field == "stream" and value is True)


def _shortened(value: str) -> str:
    return value if len(value) <= _MAX_VALUE_CHARS else f"{value[:_MAX_VALUE_CHARS]}…"


def _role(message: Any) -> Any:
    return message.get("role") if isinstance(message, dict) else None


def _texts(message: Any) -> Iterator[str]:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                yield part["text"]
