"""The endpoint's side of the contract: reading a request's body, and every JSON shape that goes back.

Functions of values; opens no socket and runs no model.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ConfigDict, Field, StrictBool, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from components.contract.messages import Message
from components.contract.profile import BEEZY
from components.contract.request import ChatCompletionStreamRequest
from components.contract.strict_json import read_json
from components.embedded.engine import DEFAULT_TEMPERATURE, Finished

MAX_BODY_BYTES = 1 << 20

_MAX_ECHO = 2000

Json = dict[str, Any]


class ServedMessage(Message):
    """A message as clients really send it: with keys of their own, and content as null or as a list of text parts."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @field_validator("content", mode="before")
    @classmethod
    def _as_text(cls, content: object) -> object:
        if content is None:
            return ""
        if isinstance(content, list):
            return "".join(_part_text(part) for part in content)
        return content


class ServedRequest(ChatCompletionStreamRequest):
    """The contract's request as this endpoint takes it: unknown keys are passed over, ranges are the profile's.

    ``stream`` left out means false here, which official clients rely on.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    # Narrowing a list's items is unsound only where the list is written to; this model is frozen.
    messages: list[ServedMessage] = Field(min_length=1)  # type: ignore[assignment]
    stream: StrictBool = False

    @field_validator(*BEEZY.fields)
    @classmethod
    def _in_range(cls, value: float | None, info: ValidationInfo) -> float | None:
        rules = BEEZY.fields[str(info.field_name)]
        problem = rules.range_problem(value)
        if problem is None or value is None:
            return value
        too_small = rules.minimum is not None and value < rules.minimum
        kind = "greater_than_equal" if too_small else "less_than_equal"
        raise PydanticCustomError(kind, "{problem}", {"problem": problem})


class InvalidBody(ValueError):
    """The body is no request of this contract. ``problems`` is the list under a 422's ``detail``."""

    def __init__(self, problems: list[Json]) -> None:
        super().__init__(f"{len(problems)} problems in the body")
        self.problems = problems


def read_request(body: bytes) -> ServedRequest:
    """The request in ``body``. Raises InvalidBody."""
    try:
        fields = read_json(body)
    except ValueError as error:
        raise InvalidBody([_problem("json_invalid", f"JSON decode error: {error}")]) from None
    if not isinstance(fields, dict):
        raise InvalidBody([_problem("dict_type", "The body must be a JSON object.", fields)])
    # A field of the form, not of the wire: what is merged into a body is no different from the rest of it.
    fields.pop("extra_body", None)
    try:
        return ServedRequest.model_validate(fields)
    except ValidationError as error:
        raise InvalidBody(
            [
                _problem(problem["type"], problem["msg"], problem["input"], problem["loc"])
                for problem in error.errors(include_url=False, include_context=False)
            ]
        ) from None


def encode(value: Json) -> bytes:
    """JSON of ASCII characters only, so that no line separator and no lone surrogate can upset a reader."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def event(value: Json) -> bytes:
    """One event of the stream."""
    return b"data: " + encode(value) + b"\n\n"


DONE = b"data: [DONE]\n\n"


def error_object(message: str, kind: str, code: str, field: str | None = None) -> Json:
    """The contract's error with ``object``; ``field`` names the request's part at fault."""
    return {"object": "error", "message": message, "type": kind, "param": field, "code": code}


def chunk(head: Json, delta: Json, finished: Finished | None = None) -> Json:
    """One chunk of a stream. ``head`` holds the id, the time and the model that all chunks of an answer share."""
    reason = finished.reason.value if finished else None
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    whole = {**head, "object": "chat.completion.chunk", "choices": [choice]}
    return {**whole, "usage": usage(finished)} if finished else whole


def completion(head: Json, text: str, finished: Finished) -> Json:
    """The whole answer of a request that was not streamed."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": finished.reason.value}
    return {**head, "object": "chat.completion", "choices": [choice], "usage": usage(finished)}


def usage(finished: Finished) -> Json:
    """The token counts of an answer."""
    return {
        "prompt_tokens": finished.prompt_tokens,
        "completion_tokens": finished.completion_tokens,
        "total_tokens": finished.prompt_tokens + finished.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": finished.cached_tokens},
    }


def model_list(model_id: str, created: int, context_tokens: int) -> Json:
    """The answer of ``GET /models``: the one card there is. ``created`` is in seconds since 1970.

    ``type`` and ``capabilities`` are there because the mistralai client reads no card without them.
    """
    card = {
        "id": model_id,
        "object": "model",
        "created": created,
        "owned_by": "tempera",
        "max_context_length": context_tokens,
        "default_model_temperature": DEFAULT_TEMPERATURE,
        "type": "base",
        "capabilities": {"completion_chat": True},
    }
    return {"object": "list", "data": [card]}


def _problem(kind: str, message: str, given: object = None, location: tuple[int | str, ...] = ()) -> Json:
    """One entry of a 422's list. ``given`` is echoed unless it is too much to send back."""
    return {"type": kind, "loc": ["body", *location], "msg": message, "input": _echo(given)}


def _part_text(part: object) -> str:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    raise PydanticCustomError("content_part", "This model reads text only: each part must be a text part.")


def _echo(value: object) -> object:
    try:
        return value if len(json.dumps(value)) <= _MAX_ECHO else None
    except (ValueError, RecursionError):
        return None
