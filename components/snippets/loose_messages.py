"""Converts messages of other APIs and clients to messages of the contract, with notes on each change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.contract.messages import Message, Role
from components.snippets import sentences
from components.snippets.problem import ImportProblem

_ROLES = {role.value for role in Role}
_MOST_NAMES = 5
_TEXTS = ("text", "input_text", "output_text")


def with_messages(fields: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The fields with messages in place of ``prompt``, ``input``, ``system`` and ``instructions``, and notes."""
    notes: list[str] = []
    made = dict(fields)
    for key in () if "messages" in made else ("prompt", "input"):
        if key in made:
            value = made.pop(key)
            made["messages"] = value if isinstance(value, list) else [{"role": "user", "content": value}]
            notes.append(f"{key} became the messages.")
            break
    for key in ("system", "instructions"):
        if isinstance(made.get(key), str | list) and isinstance(made.get("messages"), list):
            made["messages"] = [{"role": "system", "content": made.pop(key)}, *made["messages"]]
            notes.append(f"{key} became the first message.")
    return made, notes


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
        known = {key: inner for key, inner in message.items() if key in Message.model_fields}
        if "prefix" in known and known["prefix"] is None:
            del known["prefix"]
            if not fills_in:
                notes.append(f"The prefix of message {number} was null and was left out.")
        if fills_in and isinstance(known.get("tool_calls"), list):
            known["tool_calls"] = [_without_fillers(call) for call in known["tool_calls"]]
        known["content"] = _text(message.get("content"), number, notes)
        messages.append(known)
    if unknown:
        names = ", ".join(name[:40] for name in list(unknown)[:_MOST_NAMES])
        notes.append(f"Left out of the messages: {names}{' and more' if len(unknown) > _MOST_NAMES else ''}.")
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
