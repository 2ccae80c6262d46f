"""Parses responses: chunks of a stream, and the whole answer of a request without streaming.

Tolerant on purpose: texts, numbers and names are read; unknown or malformed parts are skipped, and the rest is kept.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic_core import from_json

# An index beyond any real number of choices counts as no index.
_MAX_CHOICES = 128
_MAX_DIGITS = 3
_MAX_TYPE = 40

# The keys of a delta for reasoning: the first with text counts, because some endpoints repeat it under two keys.
_THINKING = ("reasoning_content", "reasoning", "thinking", "reasoning_text", "reasoning_details", "thinking_blocks")
_REASONING_KEYS = ("text", "summary", "thinking", "reasoning", "content")
_MAX_DEPTH = 4


FILTER_TRIGGERED = "the endpoint's content filter was triggered"
_FILTERED = re.compile(r'"filtered"\s*:\s*true')  # Azure, with any finish reason


class UnreadableEvent(ValueError):
    """An event's data is not a JSON object; the text may have a gap there."""


@dataclass(frozen=True)
class Usage:
    """Token counts as reported by the endpoint; None for those not reported.

    ``cached_tokens`` is the part of the prompt read from a cache (OpenAI's ``prompt_tokens_details``).
    ``reasoning_tokens`` (``completion_tokens_details``) are usually included in the completion tokens; some endpoints
    count them apart.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None

    def after(self, earlier: Usage | None) -> Usage:
        """The larger of each count here and in an earlier report, as counts only grow."""
        if earlier is None:
            return self
        pairs = zip(vars(self).values(), vars(earlier).values(), strict=True)
        return Usage(*(max((count for count in pair if count is not None), default=None) for pair in pairs))


class ChoiceDelta(NamedTuple):
    """The addition of one chunk to one choice.

    ``reasoning`` is kept apart from the answer. ``tool_calls`` are pieces as received. With ``whole`` the texts are
    complete, from a ``message``, instead of increments. ``logprobs`` are as received, see ``token_probabilities``.
    """

    index: int = 0  # type: ignore[assignment]  # hides the method of tuples
    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[object, ...] = ()
    finish_reason: str | None = None
    whole: bool = False
    logprobs: object = None


class Chunk(NamedTuple):
    """One parsed event of the stream.

    ``error`` is the JSON of an error inside the stream. ``warnings`` name the parts that were skipped, in plain words.
    """

    choices: tuple[ChoiceDelta, ...] = ()
    usage: Usage | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    error: str | None = None
    warnings: tuple[str, ...] = ()


_PLAIN_FIELDS = {"id", "object", "created", "model", "system_fingerprint", "service_tier", "choices"}
_PLAIN_CHOICE = {"index", "delta", "finish_reason", "logprobs"}
_PLAIN_DELTA = {"role", "content"}

# NaN and Infinity are not JSON, and PostgreSQL refuses them; they are read as null.
_decoder = json.JSONDecoder(parse_constant=lambda _: None)


def read_value(data: str) -> Any:
    """The JSON value in ``data``. Raises UnreadableEvent, also for numbers or nesting beyond Python's limits."""
    with suppress(ValueError):  # half a pair of surrogates, NaN, or no JSON: the slower parser decides
        return from_json(data, allow_inf_nan=False, cache_strings="keys")
    try:
        return _decoder.decode(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableEvent(f"not JSON: {error}") from None


def read_object(data: str) -> dict[str, Any]:
    """The JSON object in ``data``. Raises UnreadableEvent for anything else."""
    value = read_value(data)
    if not isinstance(value, dict):
        raise UnreadableEvent(f"JSON, but not an object: {type(value).__name__}")
    return value


def read_chunk(data: str) -> Chunk:
    """Parse one event's data. Raises UnreadableEvent when it is not a JSON object."""
    fields = read_object(data)
    return _plain(fields) or _any_chunk(data, fields, ("delta", "message"))


def read_completion(data: str) -> Chunk:
    """Parse the whole answer of a request without streaming, as one chunk.

    Raises UnreadableEvent when it is not a JSON object.
    """
    return _any_chunk(data, read_object(data), ("message", "delta"))


def read_index(value: object) -> int | None:
    """The position of a choice or a tool call in its list, also from digits in a text; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _MAX_DIGITS:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _plain(fields: dict[str, Any]) -> Chunk | None:
    """A chunk of one choice that adds text and says nothing else, as nearly all are; None for any other."""
    listed = fields.get("choices")
    if not (fields.keys() <= _PLAIN_FIELDS and type(listed) is list and len(listed) == 1):
        return None
    choice = listed[0]
    if not (type(choice) is dict and choice.keys() <= _PLAIN_CHOICE and type(choice.get("delta")) is dict):
        return None
    index, delta, text = choice.get("index"), choice["delta"], choice["delta"].get("content")
    model, fingerprint = fields.get("model"), fields.get("system_fingerprint")
    if (
        delta.keys() <= _PLAIN_DELTA
        and text
        and type(text) is type(model) is str
        and type(index) is int
        and 0 <= index < _MAX_CHOICES
        and choice.get("finish_reason") is None
        and (fingerprint is None or type(fingerprint) is str)
        and fields.get("object") != "error"
    ):
        return Chunk((ChoiceDelta(index, text, logprobs=choice.get("logprobs")),), None, model, fingerprint)
    return None


def _any_chunk(data: str, fields: dict[str, Any], parts: tuple[str, str]) -> Chunk:
    warnings: list[str] = []
    listed = fields.get("choices")
    choices = [choice for choice in listed if isinstance(choice, dict)] if isinstance(listed, list) else []
    if choices and fields.get("completion_probabilities"):  # of llama.cpp
        choices[0] = {"logprobs": fields["completion_probabilities"], **choices[0]}
    usage, error = fields.get("usage"), None
    deltas = [delta for choice in choices if isinstance(delta := choice.get(parts[0]), dict)]
    for part in [*choices, *deltas, *_additions(data, fields)]:
        usage, error = usage or part.get("usage", usage), error or part.get("error")
    if fields.get("error") or fields.get("object") == "error":
        error_json: str | None = data
    else:
        error_json = _json(error or _failed_status(fields.get("base_resp")))
    if "filtered" in data and _FILTERED.search(data):
        warnings.append(FILTER_TRIGGERED)
    if not isinstance(listed, list) and error_json is None:
        warnings.append("a chunk had no choices")
    model, fingerprint = fields.get("model"), fields.get("system_fingerprint")
    return Chunk(
        tuple([_choice(choice, parts, position, warnings) for position, choice in enumerate(choices)]),
        _usage(usage),
        model if isinstance(model, str) else None,
        fingerprint if isinstance(fingerprint, str) else None,
        error_json,
        tuple(warnings),
    )


def _additions(data: str, fields: dict[str, Any]) -> list[dict[str, Any]]:
    """A provider's extension in its own object, such as x_groq."""
    if '"x_' not in data:
        return []
    return [value for key, value in fields.items() if key.startswith("x_") and isinstance(value, dict)]


def _failed_status(status: object) -> object:
    """The error in a status next to the choices; MiniMax sends such a status with every answer."""
    if not isinstance(status, dict) or not status.get("status_code"):
        return None
    return {"message": status.get("status_msg"), "code": status["status_code"]}


def _json(error: object) -> str | None:
    if not error:
        return None
    try:
        return json.dumps(error)
    except RecursionError:  # newer versions of Python read deeper nesting than they write
        return "{}"


def _choice(choice: dict[str, Any], parts: tuple[str, str], position: int, warnings: list[str]) -> ChoiceDelta:
    part = parts[0]
    delta = choice.get(part)
    if not delta or not isinstance(delta, dict):
        part = parts[1]
        delta = choice.get(part)
        if not isinstance(delta, dict):
            delta = {}
    content = delta.get("content")
    if isinstance(content, str):
        text, thinking = content, ""
    else:
        text, thinking = _content([content] if isinstance(content, dict) else content, warnings)
    tool_calls: object = None
    if not text or len(delta) > 1 + ("role" in delta):
        thinking += next(filter(None, (_reasoning_text(delta.get(key)) for key in _THINKING)), "")
        tool_calls = delta.get("tool_calls")
        if isinstance(tool_calls, dict):
            tool_calls = [tool_calls]
        if not tool_calls and isinstance(delta.get("function_call"), dict):
            tool_calls = [{"index": 0, "function": delta["function_call"]}]
        for words in (delta.get("refusal"), choice.get("text")):
            # A refusal is text of the model; ``text`` is the key of the older completions API.
            if not text and isinstance(words, str):
                text = words
    given = choice.get("index")
    index = position if given is None else read_index(given) or 0
    finish_reason = choice.get("finish_reason")
    return ChoiceDelta(
        index if index < _MAX_CHOICES else 0,
        text,
        thinking,
        tuple(tool_calls) if isinstance(tool_calls, list) else (),
        finish_reason if isinstance(finish_reason, str) else None,
        part == "message" and bool(delta),
        choice.get("logprobs"),
    )


def _content(content: object, warnings: list[str], *, inside_thinking: bool = False) -> tuple[str, str]:
    """The text and the reasoning in a ``content``: a string, null or a list of parts."""
    if isinstance(content, str):
        return content, ""
    if not isinstance(content, list):
        return "", ""
    text, thinking = "", ""
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(part, str):
            text += part
        elif kind in ("text", "output_text") and isinstance(part.get("text"), str):
            text += part["text"]
        elif kind == "thinking" and not inside_thinking:
            inner = part.get("thinking")
            thinking += inner if isinstance(inner, str) else _content(inner, warnings, inside_thinking=True)[0]
        elif kind == "reasoning" and not inside_thinking:
            thinking += _reasoning_text(part)
        else:
            # A type is never cut: an API key in it, once cut, could not be masked.
            type_name = repr(kind) if isinstance(kind, str) and len(kind) <= _MAX_TYPE else "that is not a name"
            warnings.append(f"a content part of the unknown type {type_name} was skipped")
    return text, thinking


def _reasoning_text(value: object, depth: int = 0) -> str:
    """The text of a reasoning part: a string, an object with one, or a list. Encrypted reasoning has none."""
    if isinstance(value, str):
        return value
    if depth > _MAX_DEPTH:
        return ""
    if isinstance(value, list):
        return "".join([_reasoning_text(item, depth + 1) for item in value])
    if not isinstance(value, dict):
        return ""
    return next(filter(None, (_reasoning_text(value.get(key), depth + 1) for key in _REASONING_KEYS)), "")


def _usage(usage: object) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    prompt = usage.get("prompt_tokens_details", usage.get("input_tokens_details"))
    completion = usage.get("completion_tokens_details", usage.get("output_tokens_details"))
    return Usage(
        prompt_tokens=_count(usage, "prompt_tokens", "input_tokens"),
        completion_tokens=_count(usage, "completion_tokens", "output_tokens"),
        total_tokens=_count(usage, "total_tokens"),
        cached_tokens=_first(_count(prompt, "cached_tokens"), _count(usage, "prompt_cache_hit_tokens")),  # DeepSeek
        reasoning_tokens=_first(_count(completion, "reasoning_tokens"), _count(usage, "reasoning_tokens")),  # SGLang
    )


def _first(preferred: int | None, fallback: int | None) -> int | None:
    return fallback if preferred is None else preferred


def _count(counts: Any, *names: str) -> int | None:
    """The count under the first of these names that has one."""
    for name in names if isinstance(counts, dict) else ():
        value = counts.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        # Counts are stored in 64-bit columns; invalid counts are treated as not reported.
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
            return value
    return None
