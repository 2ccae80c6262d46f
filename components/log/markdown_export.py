"""A run as a Markdown document. Untrusted texts are in fences that they cannot close."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from components.contract.errors import plain_text
from components.contract.strict_json import read_json_object
from components.log.record import NUMBERS, OF_ANSWER, OLDER_DEFINITION, SHOWN, RunRecord
from components.log.storable import storable_text

_NOT_SETTINGS = ("model", "messages")
_MAX_NAME_CHARS = 200
_END_OF_LINE = re.compile("\r\n?")
_UNREADABLE = "Readers of JSON may interpret it differently, so only its exact text is shown, at the end."


def as_markdown(record: RunRecord) -> str:
    """The run as CommonMark with a table: its request, outcome, numbers and answer.

    Times are in ms. Omitted settings are left out, null settings are shown as null. Untrusted text is never read as
    Markdown.
    """
    return "\n\n".join(_parts(record)) + "\n"


def _parts(record: RunRecord) -> Iterator[str]:
    moment = record.created_at[:19].replace("T", " ")
    yield f"# {_name(record.model)} on {_name(record.endpoint)}, {moment} UTC"
    yield _ending(record)
    if record.error_message:
        yield _fenced(record.error_message, "text")
    yield _numbers(record)
    yield _rate_basis(record)
    if reported := ", ".join(f"{label} {_name(value)}" for label, value in record.endpoint_facts):
        yield f"Reported by the endpoint: {reported}."
    yield "## Request"
    yield from _request(record.request_body)
    yield "## Answer"
    yield _fenced(record.text, "text") if record.text else "No text arrived."
    if record.reasoning:
        yield "## Reasoning"
        yield _fenced(record.reasoning, "text")
    for title, listed in (
        ("Tool calls", record.tool_calls),
        ("Further choices", record.further_choices),
        ("Warnings", record.warnings),
        ("Retries", record.retries),
    ):
        if listed != "[]":
            yield f"## {title}"
            yield _fenced(listed, "json")
    yield "## Exact request"
    yield _fenced(record.request_body, "json")


def _ending(record: RunRecord) -> str:
    parts = ["Still running" if record.running else f"Ended as {_name(record.status)}"]
    if record.error_kind:
        parts.append(f"fault {_name(record.error_kind)}")
    if record.http_status is not None:
        parts.append(f"HTTP {record.http_status}")
    if record.finish_reason:
        parts.append(f"finish reason {_name(record.finish_reason)}")
    parts.append("1 attempt" if record.attempts == 1 else f"{record.attempts} attempts")
    return f"{', '.join(parts)}. Run {_name(record.id)}, made by Tempera {_name(record.app_version)}."


def _numbers(record: RunRecord) -> str:
    rows = (
        f"| {NUMBERS[name].label} | {_number(name, getattr(record, name))} |"
        for name in SHOWN
        if name not in OF_ANSWER or getattr(record, name) is not None
    )
    return "\n".join(["| number | value |", "| :-- | --: |", *rows])


def _number(name: str, value: float | None) -> str:
    if value is None:
        return "not reported" if name.endswith("_tokens") else "–"
    if isinstance(value, int):
        return str(value)
    if NUMBERS[name].of_answer:
        return f"{value:.3g}"
    return f"{value:.1f} ms" if NUMBERS[name].unit == "ms" else f"{value:.1f}"


def _rate_basis(record: RunRecord) -> str:
    if record.rate_basis is None:
        return OLDER_DEFINITION
    return f"{'No rate' if record.tokens_per_second is None else 'The rate counts'}: {_name(record.rate_basis)}."


def _request(body: str) -> list[str]:
    try:
        content = read_json_object(body, "The request")
        messages = content.get("messages")
        parts = [part for message in messages for part in _message(message)] if isinstance(messages, list) else []
        settings = {field: value for field, value in content.items() if field not in _NOT_SETTINGS}
        return [*parts, "### Settings", _json(settings)]
    # Newer versions of Python read deeper nesting than they write.
    except (ValueError, RecursionError):
        return [_UNREADABLE]


def _message(message: Any) -> list[str]:
    if not isinstance(message, Mapping):
        return ["### Message", _json(message)]
    role, content = message.get("role"), message.get("content")
    parts = [f"### Message, role {_name(role) if isinstance(role, str) else 'unknown'}"]
    if content is not None:
        parts.append(_fenced(content, "text") if isinstance(content, str) else _json(content))
    further = {field: value for field, value in message.items() if field not in ("role", "content")}
    return [*parts, _json(further)] if further else parts


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    # UTF-8 cannot hold a lone surrogate; it becomes a JSON escape.
    return _fenced(text.encode("utf-8", "backslashreplace").decode(), "json")


def _fenced(text: str, language: str) -> str:
    """The text as a block of code, in a fence longer than any in the text.

    Characters that UTF-8 cannot hold become U+FFFD. Line ends become line feeds, as CommonMark reads them: a final
    carriage return would join the feed before the fence. Source: https://spec.commonmark.org/0.31.2/#fenced-code-blocks
    """
    fence = "`" * max(3, _longest_run(text) + 1)
    lines = _END_OF_LINE.sub("\n", storable_text(text))
    return f"{fence}{language}\n{lines}\n{fence}"


def _name(text: str) -> str:
    """A short untrusted text on one line, as a code span.

    Source: https://spec.commonmark.org/0.31.2/#code-spans
    """
    words = plain_text(text, _MAX_NAME_CHARS) or "none"
    fence = "`" * (_longest_run(words) + 1)
    space = " " if words.startswith("`") or words.endswith("`") else ""
    return f"{fence}{space}{words}{space}{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
