"""Says, before anything is shared, what exactly becomes public."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.log.numbers import NUMBERS
from components.sharing.capsule import Capsule, CapsuleEvent, CapsuleRun

RUN_WORDS = {
    "label": "name",
    "created_at": "date",
    "app_version": "made with version",
    "status": "status",
    "endpoint": "endpoint",
    "dialect": "dialect",
    "model": "model",
    "request_body": "request",
    "system_left_out": "system message left out",
    "text": "answer",
    "reasoning": "reasoning",
    "tool_calls": "tool call",
    "finish_reason": "finish reason",
    "error_kind": "fault",
    "error_message": "error",
    "warnings": "warning",
    **{name: number.title for name, number in NUMBERS.items()},
    "rate_basis": "tokens that the rate counts",
    "chunk_count": "chunks",
    "attempts": "attempts",
    "streamed": "streamed",
    "repeat": "repeat",
    "determinism": "sent again",
    "served_model": "served model",
    "system_fingerprint": "system fingerprint",
    "rating": "stars",
    "tags": "tag",
    "notes": "notes",
    "event_count": "events that came",
    "events": "events as they came",
    "events_repeat_system": "events left out because they repeat the system message",
}
"""Each field of a ``CapsuleRun`` in words, in the order of the preview."""


def public_text(capsule: Capsule) -> list[tuple[str, str]]:
    """Everything that becomes public, field by field: what it is, in words, and what it says, whole.

    Fields that say nothing are not among them. Whoever shows the texts escapes them: they are foreign.
    """
    return [
        ("title", capsule.title),
        ("shared as", capsule.kind.value),
        ("shared with version", capsule.app_version),
        *_settings(capsule),
        *(
            (f"run {number} {words}" if len(capsule.runs) > 1 else words, text)
            for number, run in enumerate(capsule.runs, 1)
            for words, text in _of_run(run)
        ),
    ]


def _settings(capsule: Capsule) -> Iterator[tuple[str, str]]:
    if capsule.settings_without_system:
        yield "settings without system message", "yes"
    if capsule.settings is not None:
        yield from _leaves("settings", capsule.settings.to_json())


def _of_run(run: CapsuleRun) -> Iterator[tuple[str, str]]:
    for field, words in RUN_WORDS.items():
        value = getattr(run, field)
        if value is None or value == "" or (field == "events_repeat_system" and not value):
            continue
        if field == "events":
            yield words, "\n".join(map(_event, value))
        elif isinstance(value, tuple):
            several = len(value) > 1
            for number, one in enumerate(value, 1):
                said = one if isinstance(one, str) else one.model_dump(mode="json")
                yield from _leaves(f"{words} {number}" if several else words, said)
        else:
            yield words, _said(value)


def _event(event: CapsuleEvent) -> str:
    cut = f" (the beginning of {event.size} characters)" if event.size > len(event.data) else ""
    return f"{event.at_ms} ms {event.name}: {event.data}{cut}"


def _leaves(words: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(f"{words} {key.replace('_', ' ')}", one)
    elif isinstance(value, list):
        for number, one in enumerate(value, 1):
            yield from _leaves(f"{words} {number}", one)
    else:
        yield words, _said(value)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "null" if value is None else str(value)
