"""The preview of a capsule: everything that becomes public."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.log.events import StoredEvent
from components.log.record import FACTS, PUBLIC
from components.sharing.capsule import Capsule, CapsuleRun

_NOT_FACTS = {
    "label": "name",
    "system_left_out": "system message left out",
    "rating": "stars",
    "tags": "tag",
    "notes": "notes",
    "checked": "check",
    "events": "events as they came",
    "events_repeat_system": "events left out because they repeat the system message",
    "probabilities_left_out": "token probabilities left out of the events",
}
_NOTICES = ("events_repeat_system", "probabilities_left_out")
_FIRST = (
    *("label", "created_at", "app_version", "status", "endpoint", "dialect", "model", "request_body"),
    *("system_left_out", "text", "reasoning", "tool_calls", "finish_reason", "error_kind", "error_message", "warnings"),
)
_LAST = ("checked", "rating", "tags", "notes", "event_count", "events", *_NOTICES)
RUN_WORDS = {
    name: _NOT_FACTS.get(name) or FACTS[name].title
    for name in (*_FIRST, *(name for name in PUBLIC if name not in (*_FIRST, *_LAST)), *_LAST)
}
"""The label of each field of a ``CapsuleRun``, in the order of the preview."""


def public_text(capsule: Capsule) -> list[tuple[str, str]]:
    """Everything that becomes public, field by field: the label and the complete value.

    Empty fields are left out. The texts are untrusted; the caller escapes them.
    """
    return [
        ("title", capsule.title),
        ("shared as", capsule.kind.value),
        ("shared with version", capsule.app_version),
        *_settings(capsule),
        *(("note", entry.note) for entry in capsule.entries if entry.note),
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
    # The events of a run may be thousands; they are shown as they are.
    content = run.model_dump(mode="json", exclude={"events"}) | {"events": run.events}
    for field, words in RUN_WORDS.items():
        value = content[field]
        if value is None or value == "" or (field in _NOTICES and not value):
            continue
        if field == "events":
            yield words, "\n".join(map(_event, value))
        elif isinstance(value, list):
            several = len(value) > 1
            for number, item in enumerate(value, 1):
                yield from _leaves(f"{words} {number}" if several else words, item)
        else:
            yield words, _in_words(value)


def _event(event: StoredEvent) -> str:
    cut = f" (the beginning of {event.size} characters)" if event.size > len(event.data) else ""
    return f"{event.at_ms} ms {event.name}: {event.data}{cut}"


def _leaves(words: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(f"{words} {key.replace('_', ' ')}", item)
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from _leaves(f"{words} {number}", item)
    else:
        yield words, _in_words(value)


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "null" if value is None else str(value)
