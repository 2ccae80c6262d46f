"""The server's side of the contract: parses request bodies, and makes the JSON of every response."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ConfigDict, Field, StrictBool, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from components.contract.messages import Message
from components.contract.profile import BEEZY
from components.contract.strict_json import read_json
from components.embedded import sentences
from components.embedded.engine import DEFAULT_TEMPERATURE, Finished, GenerationRequest

MAX_BODY_BYTES = 1 << 20

_MAX_ECHO = 2000

Json = dict[str, Any]


class ServedMessage(Message):
    """A message as clients send it: with further keys, and content that may be null or a list of text parts."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @field_validator("content", mode="before")
    @classmethod
    def _as_text(cls, content: object) -> object:
        if content is None:
            return ""
        if isinstance(content, list):
            return "".join(_part_text(part) for part in content)
        return content


class ServedRequest(GenerationRequest):
    """The contract's request as accepted by this endpoint: unknown keys are ignored, ranges are the profile's.

    An omitted ``stream`` means false, on which official clients rely.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    # Narrowing the items of a list is unsound only if the list is changed; this model is frozen.
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

    @model_validator(mode="after")
    def _alternatives_need_probabilities(self) -> ServedRequest:
        if self.top_logprobs and not self.logprobs:
            raise PydanticCustomError("logprobs", sentences.TOP_LOGPROBS_NEEDS_LOGPROBS)
        return self


class InvalidBody(ValueError):
    """The body is not a request of this contract. ``problems`` is the ``detail`` list of the 422 response."""

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
    # extra_body is a field of the form and not of the wire, where its keys are among the others.
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
    """ASCII JSON: line separators and lone surrogates are escaped, which some clients cannot read."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def event(value: Json) -> bytes:
    """One event of the stream."""
    return b"data: " + encode(value) + b"\n\n"


DONE = b"data: [DONE]\n\n"


def error_object(message: str, kind: str, code: str, field: str | None = None) -> Json:
    """The contract's error object; ``field`` names the request's invalid field."""
    return {"object": "error", "message": message, "type": kind, "param": field, "code": code}


def chunk(head: Json, delta: Json, finished: Finished | None = None, logprobs: Json | None = None) -> Json:
    """One chunk of a stream. ``head`` has the id, time and model, the same in all chunks of an answer."""
    reason = finished.reason if finished else None
    choice: Json = {"index": 0, "delta": delta, "finish_reason": reason}
    if logprobs:
        choice["logprobs"] = logprobs
    fields = {**head, "object": "chat.completion.chunk", "choices": [choice]}
    return {**fields, "usage": usage(finished)} if finished else fields


def completion(head: Json, text: str, finished: Finished, logprobs: list[Json] | None = None) -> Json:
    """The answer to a request without streaming; ``logprobs`` has the probabilities of all its tokens."""
    message = {"role": "assistant", "content": text}
    choice: Json = {"index": 0, "message": message, "finish_reason": finished.reason}
    if logprobs:
        choice["logprobs"] = {"content": logprobs}
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
    """The response to ``GET /models``, with a single card. ``created`` is in seconds since 1970.

    The mistralai client requires ``type`` and ``capabilities``.
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


def _problem(kind: str, message: str, value: object = None, location: tuple[int | str, ...] = ()) -> Json:
    """One problem of a 422 response. ``value`` is echoed unless it is too large."""
    return {"type": kind, "loc": ["body", *location], "msg": message, "input": _echo(value)}


def _part_text(part: object) -> str:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    raise PydanticCustomError("content_part", sentences.TEXT_ONLY)


def _echo(value: object) -> object:
    try:
        return value if len(json.dumps(value)) <= _MAX_ECHO else None
    except (ValueError, RecursionError):
        return None
