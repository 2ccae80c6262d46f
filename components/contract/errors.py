"""Errors as endpoints really send them, read into one sentence that a person understands.

``message`` and ``detail`` are each a string, a list or an object, at different times; a proxy answers with HTML; some
bodies are empty. Text from outside stays plain text: tags and control characters are taken out, and it is cut.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

MAX_SENTENCE = 500
_MAX_FIELD = 100

# Where the words of an error stand in its JSON, the likeliest place first.
_WORDS = ("error", "message", "detail", "error_description", "error_message", "error_msg", "title", "errors")

# What never ends reaches to the end, as browsers read it: no text is read more than once.
_TAG = re.compile(
    r"<(script|style)\b.*?(?:</\1\s*+>|\Z)|<!--.*?(?:-->|\Z)|</?[a-zA-Z!?][^<>]*+>", re.DOTALL | re.IGNORECASE
)
_TAG_BEGIN = re.compile(r"<(?=[a-zA-Z/!?])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")


@dataclass(frozen=True)
class EndpointError:
    """An error that an endpoint reported.

    ``sentence`` is plain text of at most 500 characters. ``raw`` is the body as it came, for whoever wants to look.
    ``fields`` names the request's fields that the endpoint complained about.
    """

    sentence: str
    raw: str
    fields: tuple[str, ...] = ()


def plain_text(text: str, limit: int = MAX_SENTENCE, *, hide: Callable[[str], str] = str) -> str:
    """``text`` from outside without tags and control characters, on one line, at most ``limit`` characters long.

    ``hide`` takes secrets out. It sees the text before it is cut, so that no secret is cut into an unknown part.
    """
    # Cut before the pattern runs: a body may be 64 KiB of opening brackets.
    text = _TAG.sub(" ", _CONTROL.sub(" ", hide(html.unescape(text))[: limit * 8]))
    # What still looks like a tag was cut short, or made by taking another one out of its middle.
    text = " ".join(_TAG_BEGIN.sub("< ", text).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def read_error(body: str, http_status: int | None = None, *, hide: Callable[[str], str] = str) -> EndpointError:
    """Read an error body of any shape. ``http_status`` gives the sentence when the body gives none.

    ``hide`` takes secrets out of all that is told: endpoints repeat keys in their error messages.
    """
    fields: list[str] = []
    try:
        said = _said(json.loads(body), fields)
    except (ValueError, RecursionError):
        said = body
    sentence = plain_text(said, hide=hide) or _status_sentence(http_status)
    names = dict.fromkeys(plain_text(field, _MAX_FIELD, hide=hide) for field in fields)
    return EndpointError(sentence=sentence, raw=hide(body), fields=tuple(filter(None, names)))


def has_words_of_an_error(body: str) -> bool:
    """Whether ``body`` is a JSON object with a message in one of the places where endpoints put those of errors."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, Mapping) and bool(plain_text(_said(value, [])))


def _said(value: object, fields: list[str], depth: int = 0) -> str:
    """The words in an error's JSON, wherever its server put them."""
    if depth > 6:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, (_said(item, fields, depth + 1) for item in value[:10])))
    if not isinstance(value, Mapping):
        return ""
    if isinstance(value.get("msg"), str):
        return _validation_problem(value, fields)
    for key in _WORDS:
        said = _said(value.get(key), fields, depth + 1)
        if said:
            if isinstance(value.get("param"), str):
                fields.append(value["param"])
            return said
    return ""


def _validation_problem(problem: Mapping[str, object], fields: list[str]) -> str:
    """One entry of a 422's list: ``{"type", "loc": ["body", "temperature"], "msg", "input"}``."""
    location = problem.get("loc")
    path = [str(step) for step in location if step != "body"] if isinstance(location, list) else []
    if path:
        fields.append(path[0])
    return f"{'.'.join(path)}: {problem['msg']}" if path else str(problem["msg"])


def _status_sentence(http_status: int | None) -> str:
    if http_status is None:
        return "The endpoint reported an error without saying what it was."
    try:
        phrase = f"{http_status} {HTTPStatus(http_status).phrase}"
    except ValueError:
        phrase = str(http_status)
    return f"The endpoint answered {phrase} without saying more."
