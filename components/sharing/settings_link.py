"""Settings as the value of a URL's query parameter, and back: ``1.<payload>.<check>``.

The payload is base64url without padding (RFC 4648, section 5) of a raw deflate stream (RFC 1951) of UTF-8 JSON with the
differences from the defaults. The check is the first 8 characters of the base64url of the SHA-256 of everything before
its dot. It detects links that were cut or edited; it is no secret and proves no origin.

Another zlib may write another link for the same settings, so links are never compared; each opens everywhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import zlib
from enum import Enum

from components.contract.strict_json import read_json
from components.drafts.draft import Draft
from components.sharing import sentences
from components.sharing.linked_settings import LinkedSettings, linked_settings
from components.sharing.problem import LinkProblem

MAX_LINK_CHARS = 120_000
"""The limit of the parameter's value; Streamlit accepts no more from a browser."""

MAX_JSON_BYTES = 64 * 1024
"""The limit of the JSON in a link. Deflate reaches 1,029 to 1: without a limit, a short link would fill the memory."""

SHORT = 2_000
"""The length of a whole URL that every browser, proxy, chat and mail program accepts."""

LONG = 6_000
"""The length of a whole URL that fits into the 8 KB header line of nginx and Apache, with the rest of the line."""

_VERSION = "1"
_CHECK_CHARS = 8
_VERSION_AND_REST = re.compile(r"([1-9][0-9]{0,5})\.(.*)", re.DOTALL)
_PAYLOAD_AND_CHECK = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{0,8})")


_DICTIONARY = (
    b"Translate the following text into English, French, German and Spanish. Summarize this article in three sentences "
    b"for a general audience. Write a short story about a lighthouse keeper who finds an old map. Write a Python "
    b"function that takes a list of numbers and returns them in order. Explain step by step how it works, with an "
    b"example. Give me a table of the most important differences between these two approaches. What are the advantages "
    b"and disadvantages? Please answer the question below using only the context provided. If you do not know the "
    b"answer, say that you don't know. Return only valid JSON with the keys name, description, value. Do not include "
    b"any other information. Make sure that each of them is not longer than one paragraph. Use simple language, bullet "
    b"points and a friendly tone. Think about what the user would want before you respond. Here is the code: "
    b"Classify the sentiment of this customer review as positive, negative or neutral. You should also consider which "
    b"would have been, because there were many people from their company who could use this when they will have more "
    b"time after some years, where it was first made through our own work. You are an expert assistant. You are a "
    b"helpful assistant. Answer briefly and concisely in "
    b'"comparison":{"lanes":[{},{"extra_body":"{\\"stop\\": [\\"\\\\n\\"]}","literal":true,"muted":true,"name":"",'
    b'"omit":["top_p"],"system":"","temperature":0.0}],"repeats":3,"timing":"interleaved"},"endpoint":"embedded",'
    b'"extra_body":"{\\n  \\"tools\\": [","max_tokens":256,"messages":[{"content":"You are a helpful assistant.",'
    b'"role":"system"},{"content":"","prefix":true,"role":"assistant"},{"content":"","role":"tool","tool_call_id":""'
    b'}],"model":"mistral-small-latest","random_seed":1337,"safe_prompt":true,"stream":false,"temperature":0.7,'
    b'"top_p":0.9,"variables":{"'
)
"""The preset dictionary of deflate.

It shortens the link of a prompt of 100 characters by two fifths, and that of 1,000 by one fifth.

Part of version 1: it may never change, because existing links could not be read any more.
"""


class Length(Enum):
    """The advice for a link of a certain length."""

    SHORT = "short"
    """Works everywhere."""
    LONG = "long"
    """Some programs cut it: offer it with a note."""
    TOO_LONG = "too long"
    """Too long: offer a stored link or a file instead."""


def how_long(url: str) -> Length:
    """The fitness of a whole URL, scheme and host included, for sharing."""
    if len(url) <= SHORT:
        return Length.SHORT
    return Length.LONG if len(url) <= LONG else Length.TOO_LONG


def settings_link(draft: Draft, *, comparison: bool = False) -> str:
    """The settings of a draft as the value of a query parameter; it needs no escaping in any URL.

    With ``comparison`` the link has the lanes and opens the page that compares; otherwise it opens the playground. The
    endpoint is included by name only. Raises LinkProblem when the settings exceed a link's limits or contain a value
    that it cannot hold, such as a number beyond 2**53 - 1.
    """
    settings = linked_settings(draft, comparison=comparison)
    text = json.dumps(settings.to_json(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    content = text.encode()
    if len(content) > MAX_JSON_BYTES:
        raise LinkProblem(sentences.SETTINGS_TOO_LONG_FOR_LINK)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=_DICTIONARY)
    payload = _base64url(deflate.compress(content) + deflate.flush())
    return f"{_VERSION}.{payload}.{_check(payload)}"


def read_settings_link(text: str) -> LinkedSettings:
    """The settings in a link's parameter. Raises LinkProblem, and nothing else, for any input."""
    if len(text) > MAX_LINK_CHARS:
        raise LinkProblem(sentences.LINK_TOO_LARGE)
    versioned = _VERSION_AND_REST.fullmatch(text)
    if versioned is None:
        raise LinkProblem(sentences.LINK_OF_ANOTHER_KIND)
    version, rest = versioned.groups()
    if version != _VERSION:
        raise LinkProblem(sentences.LINK_NEWER)
    parts = _PAYLOAD_AND_CHECK.fullmatch(rest)
    # GitHub, among others, drops a trailing underscore from a link.
    if parts is None or parts[2].rstrip("_") != _check(parts[1]).rstrip("_"):
        raise LinkProblem(sentences.LINK_CUT)
    content = _inflated(parts[1])
    try:
        # Validated first: valid settings have few keys, so the search for duplicates is fast.
        settings = LinkedSettings.model_validate_json(content)
        read_json(content)
    except ValueError:
        raise LinkProblem(sentences.LINK_UNKNOWN_SETTING) from None
    return settings


def _inflated(payload: str) -> bytes:
    """The decompressed content of a link. Raises LinkProblem."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS, zdict=_DICTIONARY)
    try:
        packed = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        content = inflate.decompress(packed, MAX_JSON_BYTES + 1)
    except (binascii.Error, zlib.error):
        raise LinkProblem(sentences.LINK_CUT) from None
    if len(content) > MAX_JSON_BYTES:
        raise LinkProblem(sentences.LINK_TOO_LARGE)
    if not inflate.eof or inflate.unused_data or inflate.unconsumed_tail:
        raise LinkProblem(sentences.LINK_CUT)
    return content


def _check(payload: str) -> str:
    return _base64url(hashlib.sha256(f"{_VERSION}.{payload}".encode()).digest())[:_CHECK_CHARS]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
