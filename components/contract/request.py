"""The request of a streaming chat completion, and the one function that turns it into bytes.

Each optional field has three states: omitted, null, or a value. Pydantic keeps them apart: a field that is not in
``model_fields_set`` is omitted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool, StrictInt

from components.contract import sentences
from components.contract.fields import CONTRACT_FIELDS, Decimal, is_of_contract
from components.contract.messages import Message, Role
from components.contract.profile import BEEZY, Profile, UsageReport, fits
from components.contract.strict_json import read_json_object
from components.user_error import UserError

_ALWAYS_SENT = ("model", "messages", "stream")
_ASKS_FOR_USAGE = {"include_usage": True}


class ChatCompletionStreamRequest(BaseModel):
    """The request of ``POST {base_url}/chat/completions``.

    The contract's fields have attributes; every other field is a key of ``extra_body``, in its order on the wire.
    Ranges are not checked here: they belong to the profile, and a person may want to see an endpoint's answer to a
    value outside of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1, description="The model's id from the endpoint's list.")
    messages: list[Message] = Field(min_length=1, description="The conversation so far, oldest turn first.")
    temperature: Decimal | None = None
    top_p: Decimal | None = None
    max_tokens: StrictInt | None = None
    random_seed: StrictInt | None = None
    safe_prompt: StrictBool = False
    stream: StrictBool = Field(
        default=True,
        description="On: the answer arrives token by token. Off: one JSON response at the end.",
    )
    extra_body: dict[str, JsonValue] = Field(
        default_factory=dict,
        max_length=100,  # each is checked together with all others
        description="Keys beyond the contract, merged into the body unchanged, such as stop, penalties or tools.",
    )

    def state_of(self, field: str) -> str:
        """The state of an optional field: ``omitted``, ``null`` or ``value``."""
        if field not in self.model_fields_set:
            return "omitted"
        return "null" if getattr(self, field) is None else "value"

    @property
    def answer_prefix(self) -> str:
        """The required beginning of the answer, empty for none."""
        last = self.messages[-1]
        return last.content if last.role is Role.ASSISTANT and last.prefix else ""

    def with_prefix(self, text: str) -> str:
        """An answer's text from the required beginning on. Most endpoints repeat it; some send only what follows it."""
        return text if text.startswith(self.answer_prefix) else self.answer_prefix + text

    def sent_values(self) -> dict[str, Any]:
        """The fields of the contract that are on the wire, each with its value (None for null)."""
        return {field: getattr(self, field) for field in CONTRACT_FIELDS if field in self.model_fields_set}


class UnsendableField(UserError, ValueError):
    """The request cannot be expressed in the dialect, or only ambiguously. ``field`` names the cause."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def to_bytes(request: ChatCompletionStreamRequest, profile: Profile = BEEZY) -> bytes:
    """The request's body: the exact bytes that are previewed, sent, logged, exported and replayed.

    UTF-8 JSON, indented for readability. Raises UnsendableField when the dialect has no name for a field that is set,
    or when an extra key duplicates a field.
    """
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [message.model_dump(mode="json", exclude_unset=True) for message in request.messages],
    }
    for field, value in request.sent_values().items():
        field_key = profile.key_of(field)
        if field_key is None:
            raise UnsendableField(field, sentences.FIELD_NOT_IN_DIALECT.format(dialect=profile.name, field=field))
        body[field_key] = value
    body["stream"] = request.stream
    for key in request.extra_body:
        if key in body:
            raise UnsendableField(key, sentences.SENT_TWICE.format(field=key))
    if request.stream and profile.usage is UsageReport.BY_STREAM_OPTIONS:
        body["stream_options"] = _ASKS_FOR_USAGE
    text = json.dumps(body | request.extra_body, ensure_ascii=False, indent=2, allow_nan=False)
    # Adjacent halves of a surrogate pair become one character. A lone surrogate, which UTF-8 cannot hold, becomes a
    # JSON escape.
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text.encode("utf-8", "backslashreplace")


def from_bytes(body: bytes | str, profile: Profile = BEEZY) -> ChatCompletionStreamRequest:
    """The request from the bytes of ``to_bytes``.

    Keys without a field, and values that their field cannot hold, go into ``extra_body``. Raises ValueError for invalid
    model, messages or stream (pydantic's ValidationError), and for a body that is not a JSON object.
    """
    return from_fields(read_json_object(body, "The request"), profile)


def from_fields(body: Mapping[str, Any], profile: Profile = BEEZY) -> ChatCompletionStreamRequest:
    """The request from a body's keys and values; see ``from_bytes``. Raises pydantic's ValidationError."""
    values: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for key, value in body.items():
        field = profile.name_of(key)
        if key in _ALWAYS_SENT:
            values[key] = value
        elif field is not None and is_of_contract(field) and fits(field, value):
            values[field] = value
        else:
            extra[key] = value
    asks_for_usage = profile.usage is UsageReport.BY_STREAM_OPTIONS and body.get("stream", True)
    if asks_for_usage and extra.get("stream_options") == _ASKS_FOR_USAGE:
        del extra["stream_options"]
    if extra:
        values["extra_body"] = extra
    return ChatCompletionStreamRequest.model_validate(values)
