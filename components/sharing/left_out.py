"""Removes system messages, addresses and token probabilities from what becomes public.

A system message is found in its own place, and in word-for-word repetitions, with any blanks between the words and with
or without JSON escapes. A paraphrase is not found, nor is a part from the middle.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import accumulate
from os.path import commonprefix
from typing import Any

from components.checks.check import texts_in
from components.contract.messages import Role
from components.contract.strict_json import read_json, read_json_object
from components.drafts.draft import new_draft
from components.log.events import StoredEvent, has_probabilities
from components.sharing.linked_settings import MAX_ENDPOINT_CHARS, MAX_LANE_NAME_CHARS, LinkedSettings

SYSTEM_LEFT_OUT = "[system message left out]"
"""Replaces a system message."""

ADDRESS_LEFT_OUT = "[address left out]"

SHORTEST_REPEATED = 12
"""The minimum length of a system message for a search elsewhere: shorter texts occur by chance."""

_BEGINNING = 60
"""The length of a longer message's beginning that identifies it in a long text."""

_STEP = 64
_WORD = re.compile(r"\S+")
_OPEN_ROLES = (Role.USER, Role.ASSISTANT, Role.TOOL)
_SYSTEM_ROLES = ("system", "developer")
_SYSTEM_KEYS = frozenset({"system", "system_prompt", "system_message", "system_instruction", "instructions"})
"""Further body fields that hold a system message, in the dialects of several endpoints."""

_PROBABILITY_KEYS = frozenset(
    {"logprobs", "prompt_logprobs", "top_logprobs", "token_logprobs", "logprob", "completion_probabilities"}
)
_PROBABILITY_KEY = re.compile("|".join(f'"{key}"' for key in sorted(_PROBABILITY_KEYS)))

_ADDRESS = re.compile(
    r"""
      \b[a-z][a-z0-9+.-]{0,20}://\S+                                       # a URL
    | (?<![\w:/])//\S+
    | (?<=[Tt]he\ host\ name\ )\S+ | (?<=[Tt]he\ address\ of\ )\S+        # as Tempera itself says it
    | \[[0-9a-f.]*:[0-9a-f:.]*\](?::\d+)?                                 # IPv6
    | (?<![\w.-]) \d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.-])              # IPv4
    | (?<![\w.-]) (?=[\d.]*[a-z_-])[\w.-]+:\d{2,5}(?!\w)                  # a host with its port
    | (?<![\w./]) /(?:home|root|Users|tmp|var|opt|srv|mnt|etc|usr)/\S+ | \b[a-z]:\\\S+
    """,
    re.VERBOSE | re.IGNORECASE,
)


def without_addresses(text: str) -> str:
    """The sentence with a marker in place of URLs, hosts with ports, and file paths."""
    return _ADDRESS.sub(ADDRESS_LEFT_OUT, text)


def without_probabilities(event: StoredEvent) -> StoredEvent:
    """The event without probabilities of tokens. One that is no whole JSON ends before them."""
    if not has_probabilities(event.data):
        return event
    try:
        data = json.dumps(_without_probabilities(read_json(event.data)), ensure_ascii=False, separators=(",", ":"))
        return replace(event, data=data, size=len(data))
    except (ValueError, RecursionError):
        return replace(event, data=_PROBABILITY_KEY.split(event.data, maxsplit=1)[0])


def _without_probabilities(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_probabilities(item) for key, item in value.items() if key not in _PROBABILITY_KEYS}
    return list(map(_without_probabilities, value)) if isinstance(value, list) else value


class SystemMessages:
    """The system messages to leave out, and their removal from texts that repeat them."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        forms = (
            form
            for text in texts
            for form in (text, *(json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (False, True)))
        )
        words = dict.fromkeys(" ".join(form.split()) for form in forms)
        self._forms = [form for form in words if len(form) >= SHORTEST_REPEATED]

    @property
    def is_searchable(self) -> bool:
        """Whether any message is long enough to search for."""
        return bool(self._forms)

    def are_in(self, text: str) -> bool:
        """Whether the text repeats a message, or a long beginning of it."""
        words = " ".join(text.split())
        return any(form[:_BEGINNING] in words for form in self._forms)

    def begin_in(self, text: str) -> bool:
        """Whether the text contains even the first words of a message."""
        words = " ".join(text.split())
        return any(form[:SHORTEST_REPEATED] in words for form in self._forms)

    def out_of(self, text: str, *, beginning: int = _BEGINNING) -> str:
        """The text with a marker in place of each repetition, whole or cut off.

        ``beginning`` is the number of leading characters that identify a longer message. In JSON, texts with escapes
        are also searched unescaped.
        """
        if not self._forms:
            return text
        # Without escapes, a text in JSON is found as it is.
        if "\\" in text and text.lstrip()[:1] in ("{", "["):
            try:
                value = read_json(text)
                cleaned = self.out_of_json(value, beginning)
                text = text if cleaned == value else json.dumps(cleaned, ensure_ascii=False)
            except RecursionError:
                return SYSTEM_LEFT_OUT
            except ValueError:
                pass
        return self._marked(text, beginning)

    def out_of_json(self, value: Any, beginning: int = _BEGINNING, *, keys: bool = True) -> Any:
        """The JSON value with a marker in place of each repetition in its texts and, with ``keys``, in its keys."""
        if isinstance(value, str):
            return self.out_of(value, beginning=beginning)
        if isinstance(value, list):
            return [self.out_of_json(item, beginning, keys=keys) for item in value]
        if isinstance(value, dict):
            return {
                self._marked(key, beginning) if keys else key: self.out_of_json(item, beginning, keys=keys)
                for key, item in value.items()
            }
        return value

    def _marked(self, text: str, beginning: int) -> str:
        normal = " ".join(text.split())
        spans = sorted(span for form in self._forms for span in _repetitions(normal, form, form[:beginning]))
        if not spans:
            return text
        # The search compares words with single blanks, so each position is mapped back to the text.
        begins = [match.start() for match in _WORD.finditer(text)]
        lengths = (len(word) + 1 for word in normal.split(" "))
        normal_begins = [0, *accumulate(lengths)]
        pieces, done = [], 0
        for first, last in spans:
            begin, end = (_original_index(index, normal_begins, begins) for index in (first, last))
            if begin >= done:
                pieces += [text[done:begin], SYSTEM_LEFT_OUT]
            done = max(done, end + 1)
        return "".join([*pieces, text[done:]])


def _repetitions(text: str, form: str, beginning: str) -> Iterator[tuple[int, int]]:
    """The first and last index of each text that begins so, extended as far as it follows ``form``."""
    index = text.find(beginning)
    while index >= 0:
        length = len(beginning)
        while length < len(form) and text.startswith(form[length : length + _STEP], index + length):
            length = min(length + _STEP, len(form))
        pieces = form[length : length + _STEP], text[index + length : index + length + _STEP]
        length += len(commonprefix(pieces))  # noqa: RUF071 - these are no paths
        yield index, index + length - 1
        index = text.find(beginning, index + length)


def _original_index(index: int, normal_begins: list[int], begins: list[int]) -> int:
    word = bisect_right(normal_begins, index) - 1
    return begins[word] + index - normal_begins[word]


def body_without_system(body: str) -> tuple[str, list[str]]:
    """The body with a marker in place of its system messages, and their texts.

    A body without system messages is returned unchanged. Anything but a JSON object is replaced completely, because
    its content is unknown.
    """
    removed: list[Any] = []
    try:
        content = read_json_object(body, "The request")
        remaining = {key: _value_without_system(key, value, removed) for key, value in content.items()}
        return (json.dumps(remaining, ensure_ascii=False, indent=2) if removed else body), texts_in(removed)
    except (ValueError, RecursionError):
        return SYSTEM_LEFT_OUT, []


def _value_without_system(key: str, value: Any, removed: list[Any]) -> Any:
    if key.lower() in _SYSTEM_KEYS and value:
        removed.append(value)
        return SYSTEM_LEFT_OUT
    return _message_without_system(value, removed, is_message=False, are_messages=key == "messages")


def _message_without_system(value: Any, removed: list[Any], *, is_message: bool, are_messages: bool = False) -> Any:
    if isinstance(value, list):
        return [_message_without_system(item, removed, is_message=are_messages) for item in value]
    if not isinstance(value, dict):
        return value
    role = value.get("role")
    if role in _SYSTEM_ROLES or (is_message and role not in _OPEN_ROLES):
        removed.append({key: item for key, item in value.items() if key != "role"})
        return {"role": role if role in _SYSTEM_ROLES else "unknown", "content": SYSTEM_LEFT_OUT}
    return {key: _message_without_system(item, removed, is_message=False) for key, item in value.items()}


def settings_without_system(settings: LinkedSettings) -> tuple[LinkedSettings, list[str]]:
    """The settings without system messages, those of their lanes included, and the texts of these messages.

    Variables that only system messages mention are removed as well. There is no marker, so that a request made from the
    settings does not send one.
    """
    linked, removed = settings.to_json(), list[str]()
    messages = linked.get("messages", [])
    linked["messages"] = [message for message in messages if message.get("role") != Role.SYSTEM.value]
    removed += [message.get("content", "") for message in messages if message.get("role") == Role.SYSTEM.value]
    for part in (linked, *_lanes(linked)):
        _remove_from_extra_body(part, removed)
        if "fields" in part:
            part["fields"] = _fields_without_system(part["fields"], removed)
    for lane in _lanes(linked):
        if lane.get("system"):
            removed.append(lane.pop("system"))
            lane.pop("literal", None)
    variables = linked.get("variables", {})
    unused = {*_mentioned(settings)}.difference(_mentioned(_read(linked)))
    removed += [value for name, value in variables.items() if name in unused]
    linked["variables"] = {name: value for name, value in variables.items() if name not in unused}
    return (_read(linked), removed) if removed else (settings, [])


def settings_without(system: SystemMessages, settings: LinkedSettings) -> LinkedSettings:
    """The settings with a marker in place of repetitions elsewhere of a system message."""
    if not system.is_searchable:
        return settings
    # Keys stay: a person does not write them, except the names of variables.
    linked = system.out_of_json(settings.to_json(), keys=False)
    linked["variables"] = {name: text for name, text in linked.get("variables", {}).items() if not system.are_in(name)}
    for part in (linked, *_lanes(linked)):
        for field, limit in (("name", MAX_LANE_NAME_CHARS), ("endpoint", MAX_ENDPOINT_CHARS)):
            if part.get(field):
                part[field] = part[field][:limit]
    return _read(linked)


def _lanes(linked: dict[str, Any]) -> list[dict[str, Any]]:
    comparison = linked.get("comparison")
    return comparison["lanes"] if comparison else []


def _mentioned(settings: LinkedSettings) -> list[str]:
    draft = settings.apply(new_draft())
    return draft.variable_names + draft.comparison.variable_names


def _remove_from_extra_body(linked: dict[str, Any], removed: list[str]) -> None:
    text = linked.get("extra_body")
    if not text or not text.strip():
        return
    try:
        content = read_json_object(text, "The text")
        remaining = dict(_fields_without_system(content.items(), removed))
        if len(remaining) < len(content):
            linked["extra_body"] = json.dumps(remaining, ensure_ascii=False, indent=2) if remaining else ""
    except (ValueError, RecursionError):
        # Its content is unknown.
        removed.append(text)
        linked["extra_body"] = ""


def _fields_without_system(fields: Iterable[tuple[str, Any]], removed: list[str]) -> list[tuple[str, Any]]:
    """The fields that hold no system message; the texts of the others are added to ``removed``."""
    remaining = []
    for field, value in fields:
        system: list[Any] = []
        _value_without_system(field, value, system)
        if not system:
            remaining.append((field, value))
        removed += texts_in(system)
    return remaining


def _read(linked: dict[str, Any]) -> LinkedSettings:
    empty = [field for field in ("messages", "variables", "extra_body", "fields") if not linked.get(field)]
    filled = {field: value for field, value in linked.items() if field not in empty}
    return LinkedSettings.model_validate_json(json.dumps(filled))
