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

# Where a delta holds the model's thinking: the first that has words counts, for some endpoints say them twice.
_THINKING = ("reasoning_content", "reasoning", "thinking", "reasoning_text", "reasoning_details", "thinking_blocks")
_THOUGHT_WORDS = ("text", "summary", "thinking", "reasoning", "content")
_MAX_DEPTH = 4


class UnreadableEvent(ValueError):
    """An event's data that is no JSON object; the text may have a hole where it stood."""


@dataclass(frozen=True)
class Usage:
    """Token counts as the endpoint reported them; None for what it did not report.

    ``cached_tokens`` are those of the prompt that it had read before (``prompt_tokens_details`` in OpenAI's words).
    ``reasoning_tokens`` (``completion_tokens_details``) are mostly among the completion tokens; some count them apart.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True)
class ChoiceDelta:
    """What one chunk adds to one choice.

    ``reasoning`` is the model's thinking, kept apart from the answer. ``tool_calls`` are pieces as they came. ``whole``
    says that these are the texts from their beginning, a ``message``, and not what they grew by.
    """

    index: int = 0
    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[object, ...] = ()
    finish_reason: str | None = None
    whole: bool = False


@dataclass(frozen=True)
class Chunk:
    """One event of the stream, read.

    ``error`` is the JSON in which an error that came inside the stream says its words. ``warnings`` name, in plain
    words, parts that were passed over.
    """

    choices: tuple[ChoiceDelta, ...] = ()
    usage: Usage | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    error: str | None = None
    warnings: tuple[str, ...] = ()


# The wire may hold NaN and Infinity, which JSON does not know and PostgreSQL refuses; they are read as null.
_decoder = json.JSONDecoder(parse_constant=lambda _: None)


def read_value(data: str) -> Any:
    """What ``data`` holds as JSON. Raises UnreadableEvent for a number or nesting beyond what Python reads, too."""
    try:
        return _decoder.decode(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableEvent(f"not JSON: {error}") from None


def read_object(data: str) -> dict[str, Any]:
    """The JSON object that ``data`` holds. Raises UnreadableEvent when it holds anything else."""
    value = read_value(data)
    if not isinstance(value, dict):
        raise UnreadableEvent(f"JSON, but not an object: {type(value).__name__}")
    return value


def read_chunk(data: str) -> Chunk:
    """Read one event's data. Raises UnreadableEvent when it is no JSON object."""
    return _chunk(data, ("delta", "message"))


def read_completion(data: str) -> Chunk:
    """Read the whole answer of a request that was not streamed, as if it were one chunk.

    Raises UnreadableEvent when it is no JSON object.
    """
    return _chunk(data, ("message", "delta"))


def _chunk(data: str, parts: tuple[str, str]) -> Chunk:
    fields = read_object(data)
    warnings: list[str] = []
    listed = fields.get("choices")
    choices = [choice for choice in listed if isinstance(choice, Mapping)] if isinstance(listed, list) else []
    usage, error = fields.get("usage"), None
    for place in [*choices, *_additions(data, fields)]:
        usage, error = usage or place.get("usage", usage), error or place.get("error")
    if fields.get("error") or fields.get("object") == "error":
        said: str | None = data
    else:
        said = _json(error or _failed_status(fields.get("base_resp")))
    if not isinstance(listed, list) and said is None:
        warnings.append("a chunk came without choices")
    model, fingerprint = fields.get("model"), fields.get("system_fingerprint")
    return Chunk(
        tuple([_choice(choice, parts, place, warnings) for place, choice in enumerate(choices)]),
        _usage(usage),
        model if isinstance(model, str) else None,
        fingerprint if isinstance(fingerprint, str) else None,
        said,
        tuple(warnings),
    )


def _additions(data: str, fields: dict[str, Any]) -> list[Mapping[str, Any]]:
    """What a provider adds to the format in an object of its own, such as x_groq."""
    if '"x_' not in data:
        return []
    return [value for key, value in fields.items() if key.startswith("x_") and isinstance(value, Mapping)]


def _failed_status(status: object) -> object:
    """The error that a status beside the choices reports; MiniMax gives one with every answer."""
    if not isinstance(status, Mapping) or not status.get("status_code"):
        return None
    return {"message": status.get("status_msg"), "code": status["status_code"]}


def _json(error: object) -> str | None:
    if not error:
        return None
    try:
        return json.dumps(error)
    except RecursionError:  # newer Pythons read deeper nesting than they write
        return "{}"


def _choice(choice: Mapping[str, Any], parts: tuple[str, str], place: int, warnings: list[str]) -> ChoiceDelta:
    part = parts[0]
    delta = choice.get(part)
    if not delta or not isinstance(delta, Mapping):
        part = parts[1]
        delta = choice.get(part)
        if not isinstance(delta, Mapping):
            delta = {}
    content = delta.get("content")
    if isinstance(content, str):
        text, thinking = content, ""
    else:
        text, thinking = _content([content] if isinstance(content, Mapping) else content, warnings)
    tool_calls: object = None
    # Most deltas hold a content, and a role at the most: a long answer has many thousands of them.
    if not text or len(delta) > 1 + ("role" in delta):
        thinking += next(filter(None, (_thought(delta.get(key)) for key in _THINKING)), "")
        tool_calls = delta.get("tool_calls")
        if not tool_calls and isinstance(delta.get("function_call"), Mapping):
            tool_calls = [{"index": 0, "function": delta["function_call"]}]
        for words in (delta.get("refusal"), choice.get("text")):
            # A refusal is what the model says; ``text`` is where completions of the older kind put theirs.
            if not text and isinstance(words, str):
                text = words
    index = choice.get("index")
    if isinstance(index, str) and index.isascii() and index.isdecimal() and len(index) <= len(str(_MAX_CHOICES)):
        index = int(index)
    elif index is None:
        index = place
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < _MAX_CHOICES:
        index = 0
    finish_reason = choice.get("finish_reason")
    return ChoiceDelta(
        index,
        text,
        thinking,
        tuple(tool_calls) if isinstance(tool_calls, list) else (),
        finish_reason if isinstance(finish_reason, str) else None,
        part == "message" and bool(delta),
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
        elif kind in ("text", "output_text") and isinstance(part.get("text"), str):
            text += part["text"]
        elif kind == "thinking" and not inside_thinking:
            inner = part.get("thinking")
            thinking += inner if isinstance(inner, str) else _content(inner, warnings, inside_thinking=True)[0]
        elif kind == "reasoning" and not inside_thinking:
            thinking += _thought(part)
        else:
            # Of a type that is cut, nobody could take out any more what must not be told.
            named = repr(kind) if isinstance(kind, str) and len(kind) <= _MAX_TYPE else "that is no name"
            warnings.append(f"a content part of the unknown type {named} was passed over")
    return text, thinking


def _thought(value: object, depth: int = 0) -> str:
    """The words of a thought: text, an object that holds them, or a list of such. Encrypted thoughts have none."""
    if isinstance(value, str):
        return value
    if depth > _MAX_DEPTH:
        return ""
    if isinstance(value, list):
        return "".join([_thought(one, depth + 1) for one in value])
    if not isinstance(value, Mapping):
        return ""
    return next(filter(None, (_thought(value.get(key), depth + 1) for key in _THOUGHT_WORDS)), "")


def _usage(usage: object) -> Usage | None:
    if not isinstance(usage, Mapping):
        return None
    of_prompt, of_completion = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        total_tokens=_count(usage.get("total_tokens")),
        cached_tokens=_count(of_prompt.get("cached_tokens")) if isinstance(of_prompt, Mapping) else None,
        reasoning_tokens=_count(of_completion.get("reasoning_tokens")) if isinstance(of_completion, Mapping) else None,
    )


def _count(value: object) -> int | None:
    # Counts are kept in 64-bit columns; what cannot be a count is not reported.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None
