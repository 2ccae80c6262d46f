"""Converts messages of other APIs and clients to messages of the contract, with notes on each change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.contract.messages import Message, Role
from components.snippets import sentences
from components.snippets.problem import ImportProblem

_ROLES = {role.value for role in Role}
_MAX_NAMES = 5
_TEXTS = ("text", "input_text", "output_text")


def with_messages(fields: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The fields with messages in place of ``prompt``, ``input``, ``system`` and ``instructions``, and notes."""
    notes: list[str] = []
    converted = dict(fields)
    for key in () if "messages" in converted else ("prompt", "input"):
        if key in converted:
            value = converted.pop(key)
            converted["messages"] = value if isinstance(value, list) else [{"role": "user", "content": value}]
            notes.append(f"{key} became the messages.")
            break
    for key in ("system", "instructions"):
        if isinstance(converted.get(key), str | list) and isinstance(converted.get("messages"), list):
            converted["messages"] = [{"role": "system", "content": converted.pop(key)}, *converted["messages"]]
            notes.append(f"{key} became the first message.")
    return converted, notes


def contract_messages(value: object, *, fills_in: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """The messages, and notes on what was changed or left out.

    ``fills_in``: None omits a key, as with the mistralai client. Raises ImportProblem for anything other than a list
    of messages, for unknown roles, and for content other than text.
    """
    if not isinstance(value, list) or not value:
        raise ImportProblem(sentences.MESSAGES_NOT_A_LIST)
    notes: list[str] = []
    unknown: dict[str, None] = {}
    messages = []
    for number, message in enumerate(value, 1):
        if not isinstance(message, Mapping):
            raise ImportProblem(sentences.MESSAGE_NOT_AN_OBJECT.format(number=number))
        role = message.get("role")
        if role == "developer" and role not in _ROLES:
            message = {**message, "role": Role.SYSTEM.value}
            notes.append(f"The role of message {number} was developer and became system.")
        if not isinstance(message.get("role"), str) or message["role"] not in _ROLES:
            raise ImportProblem(sentences.MESSAGE_WITHOUT_ROLE.format(number=number))
        unknown |= dict.fromkeys(key for key in message if key not in Message.model_fields)
        converted = {key: inner for key, inner in message.items() if key in Message.model_fields}
        if "prefix" in converted and converted["prefix"] is None:
            del converted["prefix"]
            if not fills_in:
                notes.append(f"The prefix of message {number} was null and was left out.")
        if fills_in and isinstance(converted.get("tool_calls"), list):
            converted["tool_calls"] = [_without_fillers(call) for call in converted["tool_calls"]]
        converted["content"] = _text(message.get("content"), number, notes)
        messages.append(converted)
    if unknown:
        names = ", ".join(name[:40] for name in list(unknown)[:_MAX_NAMES])
        notes.append(f"Left out of the messages: {names}{' and more' if len(unknown) > _MAX_NAMES else ''}.")
    return messages, notes


def _text(content: object, number: int, notes: list[str]) -> str:
    if isinstance(content, str):
        return content
    if content is None:
        notes.append(f"Message {number} had no content; it is empty now.")
        return ""
    if not isinstance(content, list):
        raise ImportProblem(sentences.CONTENT_NOT_TEXT.format(number=number))
    texts = []
    for part in content:
        text = part.get("text") if isinstance(part, Mapping) and part.get("type") in _TEXTS else part
        if not isinstance(text, str):
            raise ImportProblem(sentences.CONTENT_WITH_IMAGES.format(number=number))
        texts.append(text)
    notes.append(f"The content of message {number} was a list of text parts; they were joined.")
    return "".join(texts)


def _without_fillers(call: object) -> object:
    if not isinstance(call, Mapping):
        return call
    return {key: value for key, value in call.items() if value is not None or key not in ("id", "type", "index")}
