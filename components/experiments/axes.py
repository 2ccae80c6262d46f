"""Axes of a sweep: the fields of a draft that it changes and their values, as words of a table.

Words are ``omitted``, ``null``, ``0.7``, ``true``, a model's name, a text, or JSON for a key of the extra body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict

from components.contract.difference import shortened
from components.contract.fields import FIELDS, Kind, is_of_contract
from components.contract.profile import fits, may_be_null
from components.contract.strict_json import read_json
from components.drafts.change import Change, with_keys
from components.drafts.draft import Draft
from components.drafts.extra_body import read_extra_body
from components.drafts.in_words import OMITTED, SYSTEM
from components.drafts.setting import LARGEST_WHOLE, Setting, sending
from components.drafts.variables import names_in
from components.experiments import sentences
from components.experiments.problem import SweepProblem
from components.experiments.ranges import in_figures, read_range
from components.snippets.nesting import MAX_LEVELS, nests_too_deeply
from components.streaming.guard import safe_text

BASE = "base"
"""The words that leave a field as in the base."""
NULL = "null"
MAX_VALUES = 1_000
MAX_CHARACTERS = 1_000_000
"""Characters typed for one axis."""

_NAMES = ("model", "endpoint")
_STREAM = "stream"
_NO_KEYS = ("messages", "extra_body")
_LINE_END = re.compile(r"\r\n|\r|\n")
_SEEDS = re.compile(r"seeds?\s+([1-9]\d{0,19})", re.ASCII | re.IGNORECASE)
_PLAIN = {
    Kind.DECIMAL: "numbers such as {example}",
    Kind.WHOLE: "whole numbers such as {example}",
    Kind.SWITCH: "true, false",
}
"""The kinds with unquoted values, and a description of their values."""
_OPENING, _CLOSING = "[{", "]}"


class Axis(BaseModel):
    """A field and its values in a sweep, each as spelled by ``read_word``."""

    model_config = ConfigDict(frozen=True)

    field: str
    values: tuple[str, ...]


class AxisProblem(SweepProblem):
    """The values of ``field`` are invalid; the text has the next step."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class _Kind(Enum):
    SETTING = "a field whose values are numbers or true and false"
    STREAM = "whether the answer is streamed"
    NAME = "a model or an endpoint"
    SYSTEM = "the system message"
    VARIABLE = "a variable of the messages"
    KEY = "a field whose values are JSON"

    @property
    def is_text(self) -> bool:
        return self in (_Kind.SYSTEM, _Kind.VARIABLE)


def field_names(draft: Draft) -> list[str]:
    """The fields of this draft that can be swept, with its variables and the keys of its extra body.

    Further keys of the extra body can be swept by their names.
    """
    variables = [f"{{{{{name}}}}}" for name in draft.variable_names]
    try:
        keys = [key for key in _extra_body("", draft) if key.strip() and not key.startswith("{{")]
    except AxisProblem:
        keys = []
    fields = dict.fromkeys([*draft.settings, *_NAMES, _STREAM, SYSTEM, *variables, *keys])
    return [field for field in fields if field not in _NO_KEYS]


def read_values(field: str, text: str) -> tuple[str, ...]:
    """The distinct values typed for a field, in their order.

    They are a JSON list, or separated by lines or commas; texts are one per line. Numbers may be ranges as
    ``read_range`` reads them, and seeds ``seeds 10``, which are 1 to 10. Raises AxisProblem.
    """
    if len(text) > MAX_CHARACTERS:
        raise AxisProblem(field, sentences.AXIS_TOO_LONG.format(field=field, max_characters=MAX_CHARACTERS))
    kind = _kind_of(field)
    pieces = list(dict.fromkeys(_listed(kind, text) or _pieces(kind, text)))
    if not pieces:
        raise AxisProblem(field, sentences.AXIS_WITHOUT_VALUES_TAKES.format(field=field, takes=_accepted(field)))
    if len(pieces) > MAX_VALUES:
        raise _too_many(field, in_figures(len(pieces)))
    values: dict[str, None] = {}
    for piece in pieces:
        words = _range_of(field, piece) if kind in (_Kind.SETTING, _Kind.KEY) else None
        values |= dict.fromkeys(read_word(field, word) or BASE for word in words or [piece])
        if len(values) > MAX_VALUES:
            raise _too_many(field, f"more than {MAX_VALUES:,}")
    return tuple(values)


def read_word(field: str, words: str) -> str:
    """One value in canonical spelling; empty where the words (none, or ``base``) keep the base's.

    Raises AxisProblem for no value of the field.
    """
    kind = _kind_of(field)
    if words.strip() in ("", BASE):
        return ""
    match kind:
        case _Kind.SETTING | _Kind.STREAM:
            return _setting_word(field, words.strip().casefold())
        case _Kind.NAME:
            return _plain_word(field, words.strip(), refused=(OMITTED, NULL))
        case _Kind.SYSTEM:
            return _plain_word(field, words, refused=(NULL,))
        case _Kind.VARIABLE:
            return _plain_word(field, words, refused=(OMITTED, NULL))
        case _Kind.KEY:
            return _key_word(field, words.strip())


def with_values(draft: Draft, values: Mapping[str, str]) -> Draft:
    """The draft with these fields set to their words; ``base`` and no words keep a field.

    A system message replaces all system messages of the draft. Raises AxisProblem.
    """
    change = change_of(values)
    if keys := {field: setting for field, setting in change.settings.items() if not _is_setting(draft, field)}:
        remaining = {field: setting for field, setting in change.settings.items() if field not in keys}
        parts = {"settings": remaining, "extra_body": with_keys(draft.extra_body, keys)}
        change = change.model_copy(update=parts)
    return change.apply(draft)


def change_of(values: Mapping[str, str]) -> Change:
    """The changes of a row. Raises AxisProblem."""
    parts: dict[str, Any] = {}
    settings: dict[str, Setting] = {}
    variables: dict[str, str] = {}
    for field, words in values.items():
        if not (word := read_word(field, words)):
            continue
        match _kind_of(field):
            case _Kind.SETTING | _Kind.KEY:
                settings[field] = Setting() if word == OMITTED else sending(json.loads(word))
            case _Kind.STREAM:
                parts[field] = json.loads(word)
            case _Kind.NAME:
                parts[field] = word
            case _Kind.SYSTEM:
                parts["system"] = "" if word == OMITTED else word
            case _Kind.VARIABLE:
                [name] = names_in([field])
                variables[name] = word
    return Change(**parts, settings=settings, variables=variables)


def _is_setting(draft: Draft, field: str) -> bool:
    """Whether a field is one of the draft's settings, or becomes one; else it is a key of the extra body.

    A key listed after others also follows them in the request.
    """
    return field in draft.settings or (not _extra_body(field, draft) and field in FIELDS)


def _kind_of(field: str) -> _Kind:
    if field in FIELDS and FIELDS[field].kind in _PLAIN:
        return _Kind.SETTING
    if field == _STREAM:
        return _Kind.STREAM
    if field in _NAMES:
        return _Kind.NAME
    if field == SYSTEM:
        return _Kind.SYSTEM
    if field.startswith("{{"):
        if names_in([field]) != [field[2:-2].strip()]:
            raise AxisProblem(field, sentences.NOT_A_VARIABLE.format(field=shortened(field)))
        return _Kind.VARIABLE
    if not field.strip():
        raise AxisProblem(field, sentences.AXIS_WITHOUT_FIELD)
    if field in _NO_KEYS:
        instead = "a variable in them, such as {{topic}}" if field == "messages" else "one of its keys, such as stop"
        raise AxisProblem(field, sentences.FIELD_NOT_SWEPT_WHOLE.format(field=field, instead=instead))
    return _Kind.KEY


def _setting_word(field: str, words: str) -> str:
    if words == OMITTED and field != _STREAM:
        return words
    try:
        value = read_json(words)
    except ValueError:
        raise _no_value(field, words) from None
    # Tables also write whole numbers as 5.0.
    is_whole = is_of_contract(field) or (field in FIELDS and FIELDS[field].kind is Kind.WHOLE)
    if isinstance(value, float) and value.is_integer() and is_whole:
        value = int(value)
    if not (isinstance(value, bool) if field == _STREAM else fits(field, value)):
        raise _no_value(field, words)
    if isinstance(value, int | float) and abs(value) > LARGEST_WHOLE:
        raise AxisProblem(
            field, sentences.NUMBER_TOO_LARGE.format(value=shortened(words), field=field, largest=LARGEST_WHOLE)
        )
    return json.dumps(value)


def _key_word(field: str, words: str) -> str:
    if words == OMITTED:
        return words
    try:
        value = read_json(words)
    except ValueError:
        if field not in FIELDS or FIELDS[field].kind is not Kind.CHOICE:
            raise _no_value(field, words) from None
        value = words
    if nests_too_deeply(value):
        raise AxisProblem(field, sentences.VALUE_TOO_DEEP.format(field=field, max_levels=MAX_LEVELS))
    if value is not None and not fits(field, value):
        raise _no_value(field, words)
    return _as_json(value)


def _plain_word(field: str, words: str, *, refused: tuple[str, ...]) -> str:
    if words.strip() in refused:
        raise _no_value(field, words.strip())
    return OMITTED if words.strip() == OMITTED else safe_text(words)


def _no_value(field: str, words: str) -> AxisProblem:
    return AxisProblem(field, sentences.NOT_A_VALUE.format(value=shortened(words), field=field, takes=_accepted(field)))


def _too_many(field: str, count: str) -> AxisProblem:
    return AxisProblem(field, sentences.TOO_MANY_VALUES.format(field=field, count=count, max_values=MAX_VALUES))


def _accepted(field: str) -> str:
    match _kind_of(field):
        case _Kind.STREAM:
            return "true or false"
        case _Kind.NAME:
            return f"the name of {'a model' if field == 'model' else 'an endpoint'}"
        case _Kind.SYSTEM:
            return f"a text, or {OMITTED}"
        case _Kind.VARIABLE:
            return "a text: a variable can be neither omitted nor null"
        case _Kind.KEY if field in FIELDS:
            row = FIELDS[field]
            return f"{row.kind.value} such as {_as_json(row.example)}, or {OMITTED}"
        case _Kind.KEY:
            return f'JSON, such as 0.5, true or "a text in quotation marks", or {OMITTED}'
        case _Kind.SETTING:
            row = FIELDS[field]
            values = _PLAIN[row.kind].format(example=_as_json(row.example))
            return f"{values}{f', {NULL}' if may_be_null(field) else ''} or {OMITTED}"


def _range_of(field: str, piece: str) -> list[str] | None:
    seeds = _SEEDS.fullmatch(piece) if field == "random_seed" else None
    try:
        return read_range(f"1 to {seeds[1]}" if seeds else piece, MAX_VALUES)
    except ValueError as error:
        raise AxisProblem(field, str(error)) from None


def _listed(kind: _Kind, text: str) -> list[str]:
    if not text.lstrip().startswith("["):
        return []
    try:
        elements = read_json(text)
    except ValueError:
        # Several lists, for a key whose values are lists, or a text that begins with a bracket.
        return []
    if nests_too_deeply(elements) or (kind.is_text and not all(isinstance(element, str) for element in elements)):
        return []
    return [_element_in_words(kind, element) for element in elements]


def _element_in_words(kind: _Kind, element: object) -> str:
    if isinstance(element, str) and (kind is not _Kind.KEY or element in (OMITTED, BASE)):
        return element
    return _as_json(element)


def _pieces(kind: _Kind, text: str) -> list[str]:
    if kind.is_text:
        pieces = _LINE_END.split(text)
    elif kind is _Kind.KEY:
        pieces = _pieces_of_json(text)
    else:
        pieces = re.split(r"[,\r\n]", text)
    return [stripped for piece in pieces if (stripped := piece.strip())]


def _pieces_of_json(text: str) -> list[str]:
    """The text split at commas and line ends outside lists, objects and quotation marks."""
    pieces = []
    start = depth = 0
    quoted = escaped = False
    for place, sign in enumerate(text):
        if quoted:
            quoted = escaped or sign != '"'
            escaped = sign == "\\" and not escaped
        elif sign == '"':
            quoted = True
        elif sign in _OPENING:
            depth += 1
        elif sign in _CLOSING:
            depth -= 1
        elif depth <= 0 and sign in ",\r\n":
            pieces.append(text[start:place])
            start = place + 1
    return [*pieces, text[start:]]


def _extra_body(field: str, draft: Draft) -> dict[str, Any]:
    try:
        fields = read_extra_body(draft.extra_body, "The form's extra body")
    except ValueError as error:
        raise AxisProblem(field, sentences.EXTRA_BODY_WRONG.format(problem=str(error).removesuffix("."))) from None
    if nests_too_deeply(fields):
        raise AxisProblem(field, sentences.EXTRA_BODY_TOO_DEEP.format(max_levels=MAX_LEVELS))
    return fields


def _as_json(value: object) -> str:
    # JSON allows lone surrogates, a table does not. Keys keep their order: a model sees it.
    return safe_text(json.dumps(value, ensure_ascii=False))
