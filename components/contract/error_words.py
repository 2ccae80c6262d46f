"""Finds the message in an endpoint's error JSON: a table of places, and the choice of the most informative."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, NamedTuple

_MAX_LEVELS = 8
_MAX_PROBLEMS = 10

# Keys are compared without case, "_" and "-": "Message", "error_message" and "errorMessage" occur as well.
_LISTS_OF_PROBLEMS = ("errors", "detail", "details", "message", "error", "invalidparams", "fieldviolations", "issues")
"""These come first when they name fields: the sentence above such a list only says that something is wrong."""

_Kinds = type | tuple[type, ...]
_NESTED = (Mapping, list)
_PLACES: tuple[tuple[str, _Kinds], ...] = (
    # The error of a router's provider; the router's own message only says that there was one (OpenRouter).
    ("metadata.raw", (str, *_NESTED)),
    # The error itself, in an envelope that may have its own message (OpenAI, Azure, Google, Cloudflare, Apigee).
    ("error", _NESTED),
    ("errors", (str, *_NESTED)),
    ("fault", Mapping),
    ("message", _NESTED),
    ("detail", _NESTED),
    ("baseresp", Mapping),
    ("status", Mapping),
    # Sentences (OAuth, SageMaker, vLLM, AWS, Lambda, MiniMax, problem details of RFC 9457, Apigee, WSO2).
    ("errordescription", str),
    ("originalmessage", str),
    ("message", str),
    ("errormessage", str),
    ("errormsg", str),
    ("errmsg", str),
    ("errorsummary", str),
    ("statusmsg", str),
    ("statustext", str),
    ("msg", str),
    ("detail", str),
    ("faultstring", str),
    ("description", str),
    ("reason", str),
    # Often only a code or the status in words, but sometimes the only message (Ollama).
    ("error", str),
    ("err", str),
    ("exception", str),
    ("title", str),
    # Notes for the server's operator, and links.
    ("details", (str, *_NESTED)),
    ("innererror", Mapping),
    # Outer envelopes.
    ("response", Mapping),
    ("data", Mapping),
)
"""The places of messages, in order of search. The first informative sentence is used, else the first text."""

_SAYS_LITTLE = {
    *(status.phrase.casefold() for status in HTTPStatus),
    *("an error occurred", "internal error", "invalid request", "request failed", "server error", "unknown error"),
    *("validation error", "validation failed"),
}
_CODE = re.compile(r"[\w.:/#-]*", re.ASCII)

# Where one problem of a list names its field (FastAPI, JSON Schema, problem details, ASP.NET, Zod, Google, OpenAI).
_FIELDS = ("loc", "pointer", "instancepath", "field", "propertyname", "property", "path", "param")
_NO_FIELD = ("", "base", "body", "json", "non_field_errors")

_CODES = ("code", "error_code", "errorcode", "__type", "status", "type")
_CODE_ENTRY = re.compile(rf'"({"|".join(_CODES)})"\s*:\s*"(\w*[A-Za-z]\w*)"', re.ASCII)

_EVENT_STREAM = re.compile(r"(?:data|event|id|retry)?:")
_EVENT_DATA = re.compile(r"^(?:data|error):(.*)$", re.MULTILINE)


class Words(NamedTuple):
    """An error's message, empty when it has none, and the fields that it names."""

    text: str = ""
    fields: tuple[str, ...] = ()


def words_in(body: str, *, refused: bool = False) -> Words:
    """The most informative message in an error's body, and its fields; a body that is not JSON is the message.

    ``refused``: the body came with an error status, so its keys may be the fields themselves (Django).
    """
    body = without_mark(body)
    try:
        return _words(json.loads(body), 0, by_field=list if refused else ())
    except (ValueError, RecursionError):
        return _words_of_text(body, 0)


def without_mark(body: str) -> str:
    """A body without a byte order mark and surrounding blanks."""
    return body.lstrip("\ufeff").strip()


def code_in(body: str) -> str:
    """The code of an error without a message, such as insufficient_quota; empty when it has none."""
    codes = dict(reversed(_CODE_ENTRY.findall(body)))
    return next((codes[name] for name in _CODES if name in codes), "")


def _words(value: object, depth: int, *, listed: bool = False, by_field: _Kinds = ()) -> Words:
    """The words of any value. ``listed``: it is an item of a list. ``by_field``: the types of problems by field."""
    if depth > _MAX_LEVELS:
        return Words()
    if isinstance(value, str):
        return _words_of_text(value, depth)
    if isinstance(value, list):
        return _joined([_words(item, depth + 1, listed=True) for item in value[:_MAX_PROBLEMS]])
    if isinstance(value, Mapping):
        words = _words_of_object(value, depth, listed=listed)
        return words if words.text else _by_field(value, depth, by_field)
    return Words()


def _words_of_object(value: Mapping[str, object], depth: int, *, listed: bool) -> Words:
    entry: dict[str, Any] = {}
    for name, inner in value.items():
        if inner:
            entry.setdefault(re.sub("[_-]", "", name).lower(), inner)
    if isinstance(entry.get("metadata"), Mapping):
        entry["metadata.raw"] = entry["metadata"].get("raw")

    @cache
    def words_of(key: str) -> Words:
        by_field: _Kinds = (str, *_NESTED) if key == "errors" else list if key in _LISTS_OF_PROBLEMS else ()
        return _words(entry.get(key), depth + 1, by_field=by_field)

    own = _field_of(entry, listed=listed)
    for key in _LISTS_OF_PROBLEMS:
        if isinstance(entry.get(key), _NESTED) and words_of(key).text and words_of(key).fields:
            return _with_path(own, words_of(key))
    words = Words()
    for key, kind in _PLACES:
        if isinstance(entry.get(key), kind) and words_of(key).text:
            if _is_informative(words_of(key).text):
                return _with_path(own, words_of(key))
            words = words if words.text else words_of(key)
    return _with_path(own, words) if words.text else words


def _words_of_text(text: str, depth: int) -> Words:
    """The message in a text; JSON is parsed, alone, before other text or in the events of a stream."""
    candidates = [text]
    if _EVENT_STREAM.match(text):
        events = re.split(r"\n\n+", re.sub(r"\r\n?", "\n", text))
        candidates = ["\n".join(line.strip() for line in _EVENT_DATA.findall(event)) for event in events]
    for candidate in candidates:
        if candidate.lstrip().startswith(("{", "[")):
            try:
                value, _end = json.JSONDecoder().raw_decode(candidate.lstrip())
            except (ValueError, RecursionError):
                continue
            if (words := _words(value, depth + 1)).text:
                return words
    return Words(next((each for each in candidates if each and each != "[DONE]"), text))


def _by_field(value: Mapping[str, object], depth: int, kinds: _Kinds) -> Words:
    """Problems keyed by field: ``{"temperature": ["must be between 0 and 2."]}``."""
    problems = []
    for name, inner in list(value.items())[:_MAX_PROBLEMS]:
        if isinstance(inner, kinds):
            path = [] if name in _NO_FIELD else _steps(name)
            problems.append(_with_path((path, True), _words(inner, depth + 1, by_field=kinds)))
    return _joined(problems)


def _joined(problems: list[Words]) -> Words:
    texts = dict.fromkeys(problem.text for problem in problems if problem.text)
    return Words("; ".join(texts), tuple(field for problem in problems for field in problem.fields))


def _with_path(field: tuple[list[str], bool], words: Words) -> Words:
    """The message, preceded by its field's path unless it contains the path."""
    path, needs_path = field
    if not path or not words.text:
        return words
    name = ".".join(path)
    needs_path = needs_path and not re.search(rf"\b{re.escape(name)}\b", words.text, re.IGNORECASE)
    return Words(f"{name}: {words.text}" if needs_path else words.text, (path[0], *words.fields))


def _field_of(entry: Mapping[str, Any], *, listed: bool) -> tuple[list[str], bool]:
    """The path of the field that an object names, and whether the message needs the path before it."""
    source = entry.get("source")  # JSON:API
    if listed and isinstance(source, Mapping):
        entry = {**source, **entry}
    if listed and isinstance(entry.get("reason"), str) and isinstance(entry.get("name"), str):
        return _steps(entry["name"]), True
    for key in _FIELDS:
        # Outside a list of errors, a path is that of the URL.
        if key in entry and (key != "path" or listed):
            return _steps(entry[key]), listed or key != "param"
    return [], False


def _steps(place: object) -> list[str]:
    """``["body", "messages", 0]``, ``/messages/0``, ``#/messages/0``, ``$.messages[0]`` as steps from the request."""
    steps = re.split(r"[./\[\]]+", place) if isinstance(place, str) else place if isinstance(place, list) else []
    return [str(step) for step in steps if step not in ("", "#", "$", "body")]


def _is_informative(text: str) -> bool:
    return not _CODE.fullmatch(text) and text.strip(" .!").casefold() not in _SAYS_LITTLE
