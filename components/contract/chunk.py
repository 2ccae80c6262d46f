"""What an endpoint sends back: chunks of a stream, and the whole answer when nothing was streamed.

Tolerant on purpose: an endpoint can contribute text, numbers and names, and whatever else it sends is passed over
without losing what could be read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# An index is a place in a list; one beyond any real number of choices counts as no index.
_MAX_CHOICES = 128
_MAX_TYPE = 40


class UnreadableEvent(ValueError):
    """An event's data that is no JSON object; the text may have a hole where it stood."""


@dataclass(frozen=True)
class Usage:
    """Token counts as the endpoint reported them; None for what it did not report.

    ``cached_tokens`` are those of the prompt that it had read before (``prompt_tokens_details`` in OpenAI's words).
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True)
class ChoiceDelta:
    """What one chunk adds to one choice.

    ``reasoning`` is the model's thinking, kept apart from the answer. ``tool_calls`` are pieces as they came.
    """

    index: int = 0
    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[object, ...] = ()
    finish_reason: str | None = None


@dataclass(frozen=True)
class Chunk:
    """One event of the stream, read.

    ``error`` holds the object of an error that came inside the stream. ``warnings`` name, in plain words, parts that
    were passed over.
    """

    choices: tuple[ChoiceDelta, ...] = ()
    usage: Usage | None = None
    model: str | None = None
    error: object = None
    warnings: tuple[str, ...] = ()


# The wire may hold NaN and Infinity, which JSON does not know and PostgreSQL refuses; they are read as null.
_decoder = json.JSONDecoder(parse_constant=lambda _: None)


def read_object(data: str) -> dict[str, Any]:
    """The JSON object that ``data`` holds.

    Raises UnreadableEvent when it holds anything else, or a number or nesting beyond what Python reads.
    """
    try:
        value = _decoder.decode(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableEvent(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise UnreadableEvent(f"JSON, but not an object: {type(value).__name__}")
    return value


def read_chunk(data: str) -> Chunk:
    """Read one event's data. Raises UnreadableEvent when it is no JSON object."""
    return _chunk(read_object(data), "delta")


def read_completion(data: str) -> Chunk:
    """Read the whole answer of a request that was not streamed, as if it were one chunk.

    Raises UnreadableEvent when it is no JSON object.
    """
    return _chunk(read_object(data), "message")


def _chunk(fields: dict[str, Any], part: str) -> Chunk:
    error = fields.get("error") or (fields if fields.get("object") == "error" else None)
    warnings: list[str] = []
    choices = fields.get("choices")
    if not isinstance(choices, list):
        choices = []
        if not error:
            warnings.append("a chunk came without choices")
    return Chunk(
        error=error,
        choices=tuple(_choice(choice, part, warnings) for choice in choices if isinstance(choice, Mapping)),
        usage=_usage(fields.get("usage")),
        model=fields["model"] if isinstance(fields.get("model"), str) else None,
        warnings=tuple(warnings),
    )


def _choice(choice: Mapping[str, Any], part: str, warnings: list[str]) -> ChoiceDelta:
    delta = choice.get(part)
    if not isinstance(delta, Mapping):
        delta = {}
    content = delta.get("content")
    text, thinking = _content([content] if isinstance(content, Mapping) else content, warnings)
    for words in (delta.get("refusal"), choice.get("text")):
        # A refusal is what the model says; ``text`` is where completions of the older kind put theirs.
        if not text and isinstance(words, str):
            text = words
    for key in ("reasoning_content", "reasoning"):
        if isinstance(delta.get(key), str) and delta[key]:
            thinking += delta[key]
            break
    index = choice.get("index")
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < _MAX_CHOICES:
        index = 0
    tool_calls = delta.get("tool_calls")
    if tool_calls is None and isinstance(delta.get("function_call"), Mapping):
        tool_calls = [{"index": 0, "function": delta["function_call"]}]
    finish_reason = choice.get("finish_reason")
    return ChoiceDelta(
        index=index,
        text=text,
        reasoning=thinking,
        tool_calls=tuple(tool_calls) if isinstance(tool_calls, list) else (),
        finish_reason=finish_reason if isinstance(finish_reason, str) else None,
    )


def _content(content: object, warnings: list[str], *, inside_thinking: bool = False) -> tuple[str, str]:
    """The text and the thinking that a ``content`` holds, be it a string, null or a list of parts."""
    if isinstance(content, str):
        return content, ""
    if not isinstance(content, list):
        return "", ""
    text, thinking = "", ""
    for part in content:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if isinstance(part, str):
            text += part
        elif kind == "text" and isinstance(part.get("text"), str):
            text += part["text"]
        elif kind == "thinking" and not inside_thinking:
            inner = part.get("thinking")
            thinking += inner if isinstance(inner, str) else _content(inner, warnings, inside_thinking=True)[0]
        else:
            # Of a type that is cut, nobody could take out any more what must not be told.
            named = repr(kind) if isinstance(kind, str) and len(kind) <= _MAX_TYPE else "that is no name"
            warnings.append(f"a content part of the unknown type {named} was passed over")
    return text, thinking


def _usage(usage: object) -> Usage | None:
    if not isinstance(usage, Mapping):
        return None
    details = usage.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, Mapping) else None
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        total_tokens=_count(usage.get("total_tokens")),
        cached_tokens=cached,
    )


def _count(value: object) -> int | None:
    # Counts are kept in 64-bit columns; what cannot be a count is not reported.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None
