"""Reads the fields of an endpoint's chat completions from its OpenAPI document.

The document is requested once, with the endpoint's address and key, within limits of size and time. It is
untrusted, and its unreadable parts are skipped.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from components.contract.chunk import UnreadableEvent, read_object
from components.contract.errors import plain_text
from components.contract.fields import CONTRACT_FIELDS, FIELD_NAME, Field, Kind
from components.contract.profile import FieldRules
from components.endpoints import sentences
from components.endpoints.endpoint import Address, AnyEndpoint, Endpoint
from components.endpoints.models import number
from components.endpoints.own_fields import RESERVED, Declared, declared, with_declared
from components.streaming.call import body_pieces, get_json
from components.streaming.connections import Call
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.watch import Watch

_WITHIN_S = 5.0
_MAX_BYTES = 4 * 1024 * 1024
_RETRY_AFTER_S = 300.0
_MAX_FIELDS = 100
_MAX_REFERENCES = 8
_MAX_FORMS = 30
_MAX_DESCRIPTION_CHARS = 300
_MAX_DEFAULT_CHARS = 40
_COMPLETIONS = "/chat/completions"


class NoDocument(Exception):
    """The document is unavailable or has no chat completions; the message is a sentence."""


class OpenApiFields:
    """The fields from the documents of this process's endpoints. Never blocks: unread documents have no fields yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fields: dict[str, Mapping[str, Declared]] = {}
        self._retry_at: dict[str, float] = {}
        self._problems: dict[str, str] = {}

    def extended(self, endpoint: AnyEndpoint) -> AnyEndpoint:
        """The endpoint with the fields of its document; requests the document on first use."""
        if not isinstance(endpoint, Endpoint) or endpoint.openapi is None:
            return endpoint
        url = endpoint.openapi
        with self._lock:
            if url not in self._fields and time.monotonic() >= self._retry_at.get(url, 0):
                self._retry_at[url] = time.monotonic() + _RETRY_AFTER_S
                threading.Thread(target=self._read, args=(endpoint, url), name="openapi", daemon=True).start()
            fields = self._fields.get(url, {})
        # The operator's declarations take precedence over the document.
        undeclared = {name: field for name, field in fields.items() if name not in endpoint.declared}
        return replace(endpoint, profile=with_declared(endpoint.profile, undeclared))

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each document that could not be read."""
        with self._lock:
            return tuple(self._problems.values())

    def _read(self, endpoint: Endpoint, url: str) -> None:
        try:
            fields, problem = read_fields(endpoint.fixed_address, url), None
        except NoDocument as refused:
            fields, problem = None, sentences.DOCUMENT_ADDS_NOTHING.format(endpoint=endpoint.name, problem=refused)
        with self._lock:
            if fields is not None:
                self._fields[url] = fields
            self._problems.pop(url, None)
            if problem:
                self._problems[url] = problem


def read_fields(address: Address, url: str) -> dict[str, Declared]:
    """The fields in the document at this address. Raises NoDocument."""
    hide = address.key.mask.out_of if address.key else str
    watch = Watch(_WITHIN_S)
    try:
        call = Call(watch, _WITHIN_S, allows=address.allows)
        with get_json(call, url, address.key) as answer:
            if answer.status_code != 200:
                raise NoDocument(sentences.DOCUMENT_STATUS.format(status=answer.status_code))
            body = b""
            for piece in body_pieces(answer):
                body += piece
                if len(body) > _MAX_BYTES:
                    raise StreamFault(ErrorKind.TOO_LARGE, sentences.DOCUMENT_TOO_LARGE)
        return fields_in(read_object(body.decode(errors="replace")), urlsplit(address.base_url).path + _COMPLETIONS)
    except StreamFault as fault:
        raise NoDocument(
            sentences.DOCUMENT_LATE.format(within_s=_WITHIN_S) if watch.ended else hide(fault.sentence)
        ) from None
    except UnreadableEvent:
        raise NoDocument(sentences.DOCUMENT_NOT_JSON) from None
    finally:
        watch.close()


def fields_in(document: Mapping[str, Any], path: str) -> dict[str, Declared]:
    """The fields of the request body for this path, or for another one with the same end. Raises NoDocument."""
    paths = _object(document.get("paths"))
    similar = [key for key in paths if str(key).endswith(_COMPLETIONS)]
    operations = (_object(_object(paths.get(key)).get("post")) for key in (path, *similar))
    operation = next(filter(None, operations), {})
    content = _object(_object(_resolved(document, operation.get("requestBody"))).get("content"))
    schema = _object(content.get("application/json")).get("schema")
    fields: dict[str, Declared] = {}
    for form in _forms(document, schema):
        for name, field_schema in _object(form.get("properties")).items():
            known = name in RESERVED or name in CONTRACT_FIELDS or name in fields
            if not known and re.match(FIELD_NAME, name) and len(fields) < _MAX_FIELDS:
                fields[name] = _declared(document, name, field_schema)
    if not fields:
        raise NoDocument(sentences.DOCUMENT_WITHOUT_FIELDS.format(path=path))
    return fields


def _declared(document: Mapping[str, Any], name: str, schema: object) -> Declared:
    forms = _forms(document, schema)
    types = {str(each) for form in forms for each in _types(form)}
    values = [value for form in forms for value in (*_list(form.get("enum")), form.get("const"))]
    choices = tuple(value[:_MAX_DEFAULT_CHARS] for value in values if isinstance(value, str))
    items = [_types(_resolved(document, form.get("items"))) for form in forms if "array" in _types(form)]
    match sorted(types - {"null"}):
        case ["integer"]:
            kind = Kind.WHOLE
        case ["number"] | ["integer", "number"]:
            kind = Kind.DECIMAL
        case ["boolean"]:
            kind = Kind.SWITCH
        case ["string"]:
            kind = Kind.CHOICE
        case ["array"] | ["array", "string"] if ["string"] in items:
            kind = Kind.TEXTS
        case _:
            kind = Kind.JSON
    default = _first(forms, "default")
    default_words = "not said" if default is None else f"default {plain_text(str(default), _MAX_DEFAULT_CHARS)}"
    rules = FieldRules(
        name,
        default_words,
        _limit(forms, "minimum", "exclusiveMinimum", kind, 1),
        _limit(forms, "maximum", "exclusiveMaximum", kind, -1),
        nullable="null" in types or any(form.get("nullable") is True for form in forms),
    )
    description = plain_text(str(_first(forms, "description") or ""), _MAX_DESCRIPTION_CHARS)
    description = description or "The endpoint's document does not describe it."
    first = default if len(str(default)) <= _MAX_DESCRIPTION_CHARS else None
    return declared(Field(name, kind, description, first, choices=choices[:50]), rules)


def _limit(forms: list[Mapping[str, Any]], key: str, exclusive: str, kind: Kind, step: int) -> float | None:
    """A range's end. An excluded whole number moves the end by one; an excluded fraction stays the end."""
    for form in forms if kind.is_number else ():
        value, beyond = number(form.get(key), float), number(form.get(exclusive), float)
        limit = beyond if value is None else value
        excluded = value is None or form.get(exclusive) is True
        if limit is not None:
            return limit + (step if excluded and kind is Kind.WHOLE else 0)
    return None


def _first(forms: list[Mapping[str, Any]], key: str) -> Any:
    return next((form[key] for form in forms if form.get(key) is not None), None)


def _forms(document: Mapping[str, Any], schema: object) -> list[Mapping[str, Any]]:
    """A schema and its parts (allOf, anyOf, oneOf), with references resolved."""
    forms: list[Mapping[str, Any]] = []
    waiting = [schema]
    while waiting and len(forms) < _MAX_FORMS:
        form = _object(_resolved(document, waiting.pop(0)))
        forms.append(form)
        for key in ("allOf", "anyOf", "oneOf"):
            waiting += _list(form.get(key))[:_MAX_FORMS]
    return forms


def _resolved(document: Mapping[str, Any], value: object) -> object:
    """The target of a reference within the document; others are ignored."""
    for _ in range(_MAX_REFERENCES):
        reference = _object(value).get("$ref")
        if reference is None:
            return value
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return {}
        value = document
        for step in reference[2:].split("/")[:_MAX_REFERENCES]:
            value = _object(value).get(step.replace("~1", "/").replace("~0", "~"))
    return {}


def _types(form: object) -> list[Any]:
    types = _object(form).get("type")
    return types if isinstance(types, list) else [types] if isinstance(types, str) else []


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
