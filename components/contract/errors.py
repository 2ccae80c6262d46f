"""Turns the errors of endpoints into one readable sentence.

``error_words`` finds the message. Untrusted text stays plain text: control characters are removed, tags as well for an
HTML page, and it is cut.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from components.contract import sentences
from components.contract.error_words import code_in, without_mark, words_in

MAX_SENTENCE = 500
_MAX_FIELD = 100
_LIKELY = {429: sentences.LIMIT_REACHED}
"""What a status most likely means, where the endpoint gives no reason."""

# An unclosed tag reaches to the end, as in browsers: the text is read only once.
_TAG = re.compile(
    r"<(script|style)\b.*?(?:</\1\s*+>|\Z)|<!--.*?(?:-->|\Z)|</?[a-zA-Z!?][^<>]*+>", re.DOTALL | re.IGNORECASE
)
# A document, alone or after a few words of a proxy; not a tag that a sentence mentions.
_PAGE = re.compile(r"\A\s*+<(?:!doctype\s|\?xml\s)|<html\b[^<>]*+>\s*+<", re.IGNORECASE)
_TAG_BEGIN = re.compile(r"<(?=[a-zA-Z/!?])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")


@dataclass(frozen=True)
class EndpointError:
    """An error that an endpoint reported.

    ``sentence`` is plain text of at most 500 characters. ``raw`` is the body as received. ``fields`` names the
    request's fields that the endpoint rejected.
    """

    sentence: str
    raw: str
    fields: tuple[str, ...] = ()


def single_line(text: str, limit: int = MAX_SENTENCE, *, hide: Callable[[str], str] = str) -> str:
    """An untrusted ``text`` without control characters, on one line, of at most ``limit`` characters.

    Angle brackets stay, because they are often part of an error's message. Show it as plain text, or escaped. ``hide``
    removes secrets. It sees the text before it is cut, so that no secret is cut beyond recognition.
    """
    return _cut(_CONTROL.sub(" ", _shown(text, limit, hide)), limit)


def plain_text(text: str, limit: int = MAX_SENTENCE, *, hide: Callable[[str], str] = str) -> str:
    """The same without tags: for pages of HTML, and for names that have no angle brackets."""
    text = _TAG.sub(" ", _CONTROL.sub(" ", _shown(text, limit, hide)))
    # A remaining tag was cut short, or arose from the removal of another tag inside it.
    return _cut(_TAG_BEGIN.sub("< ", text), limit)


def _shown(text: str, limit: int, hide: Callable[[str], str]) -> str:
    # Cut before a pattern runs: a body may be 64 KiB of opening brackets.
    return hide(html.unescape(text))[: limit * 8]


def _cut(text: str, limit: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def read_error(
    body: str, http_status: int | None = None, *, media_type: str = "", hide: Callable[[str], str] = str
) -> EndpointError:
    """Parse an error body of any shape. ``http_status`` supplies the sentence when the body has none.

    ``media_type`` may identify HTML or XML. ``hide`` removes secrets from all results: endpoints repeat keys in their
    error messages.
    """
    words = words_in(body, refused=http_status is not None)
    is_markup = media_type.endswith(("html", "xml")) if media_type else words.text.startswith("<")
    is_page = ("</" in words.text and _PAGE.search(words.text)) or (is_markup and words.text == without_mark(body))
    sentence = (plain_text if is_page else single_line)(words.text, hide=hide) or _status_sentence(
        http_status, hide(code_in(body))
    )
    names = dict.fromkeys(plain_text(field, _MAX_FIELD, hide=hide) for field in words.fields)
    return EndpointError(sentence=sentence, raw=hide(body), fields=tuple(filter(None, names)))


def has_words_of_an_error(body: str) -> bool:
    """Whether ``body`` is a JSON object, or a list of them, with an error message in a known place."""
    try:
        value = json.loads(without_mark(body))
    except (ValueError, RecursionError):
        return False
    values = value if isinstance(value, list) else [value]
    return all(isinstance(each, Mapping) for each in values) and bool(plain_text(words_in(body).text))


def _status_sentence(http_status: int | None, code: str) -> str:
    if http_status is None:
        return sentences.ERROR_REPORTED.format(message=code[:_MAX_FIELD]) if code else sentences.ERROR_WITHOUT_MESSAGE
    try:
        phrase = f"{http_status} {HTTPStatus(http_status).phrase}"
    except ValueError:
        phrase = str(http_status)
    sentence = f"The endpoint answered {phrase}" + (f": {code[:_MAX_FIELD]}." if code else " without a message.")
    return f"{sentence} {_LIKELY[http_status]}" if http_status in _LIKELY else sentence
