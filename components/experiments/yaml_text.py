"""Reads and writes YAML, as the only module that knows the library.

Reading uses only its parser, which yields events; the part that makes objects of tags, and could run code, is never
loaded with a document. Tags, aliases, duplicate keys, deep nesting and long texts are refused. Plain values are those
of JSON: ``no`` and ``1995-12-17`` are texts.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import JsonValue

from components.experiments import sentences
from components.experiments.problem import SweepProblem

MAX_BYTES = 5_000_000
_MAX_LEVELS = 60
_MAX_VALUES = 100_000

Path = tuple[str | int, ...]

_NULL = re.compile(r"(?:null|~|)\Z")
_SWITCH = re.compile(r"(?:true|false)\Z")
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?\Z")
_PLAIN = (
    ("tag:yaml.org,2002:null", _NULL, "n~"),
    ("tag:yaml.org,2002:bool", _SWITCH, "tf"),
    ("tag:yaml.org,2002:int", _WHOLE, "-+0123456789"),
    ("tag:yaml.org,2002:float", _DECIMAL, "-+0123456789"),
)


class YamlProblem(SweepProblem):
    """A text is not YAML that can be read; the sentence names the line."""


@dataclass(frozen=True)
class Document:
    """A document's value, and the line of each part, from 1, by its path."""

    value: JsonValue
    lines: Mapping[Path, int]

    def line(self, path: Sequence[str | int]) -> int:
        """The line of a part, or of the nearest part around it."""
        steps = tuple(path)
        while steps and steps not in self.lines:
            steps = steps[:-1]
        return self.lines.get(steps, 1)


@dataclass
class _Reading:
    """A document that is being read, one event after another."""

    events: Iterator[Any]
    lines: dict[Path, int] = field(default_factory=dict)
    values: int = 0

    def value(self, event: Any, path: Path) -> JsonValue:
        """The value that begins with this event, at its path."""
        line = _line(event)
        self.values += 1
        if self.values > _MAX_VALUES:
            raise YamlProblem(sentences.YAML_TOO_MANY.format(line=line, limit=_MAX_VALUES))
        self.lines.setdefault(path, line)
        if isinstance(event, yaml.ScalarEvent):
            return event.value if event.style else _plain(event.value, line)
        if len(path) >= _MAX_LEVELS:
            raise YamlProblem(sentences.YAML_TOO_DEEP.format(line=line, limit=_MAX_LEVELS))
        if isinstance(event, yaml.SequenceStartEvent):
            return [self.value(part, (*path, number)) for number, part in enumerate(self._parts())]
        content: dict[str, JsonValue] = {}
        for key in self._parts():
            if not isinstance(key, yaml.ScalarEvent):
                raise YamlProblem(sentences.YAML_KEY_NO_TEXT.format(line=_line(key)))
            if key.value in content:
                raise YamlProblem(sentences.YAML_KEY_TWICE.format(line=_line(key), key=key.value))
            self.lines[*path, key.value] = _line(key)
            content[key.value] = self.value(next(self.events), (*path, key.value))
        return content

    def _parts(self) -> Iterator[Any]:
        """The first event of each part of a list, or of each key, up to the end of the list or the object."""
        for event in self.events:
            if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                return
            yield event


def read_yaml(text: str) -> Document:
    """The value of a document, made of objects, lists, texts, numbers, true, false and null. Raises YamlProblem."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise YamlProblem(sentences.YAML_TOO_LONG.format(limit=MAX_BYTES // 1_000_000))
    reading = _Reading(_events(text))
    value: JsonValue = None
    documents = 0
    for event in reading.events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise YamlProblem(sentences.YAML_SEVERAL.format(line=_line(event)))
            value = reading.value(next(reading.events), ())
    return Document(value, reading.lines)


def write_yaml(value: JsonValue) -> str:
    """The value as YAML in block style, from which ``read_yaml`` reads the same value."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100, default_flow_style=False, line_break="\n"
    )
    return text


def _events(text: str) -> Iterator[Any]:
    """The events of the parser; references and tags are refused."""
    loader = getattr(yaml, "CLoader", yaml.Loader)
    try:
        for event in yaml.parse(text, Loader=loader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise YamlProblem(sentences.YAML_ALIAS.format(line=_line(event)))
            if getattr(event, "tag", None):
                raise YamlProblem(sentences.YAML_TAG.format(line=_line(event), tag=event.tag))
            yield event
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = error.problem or error.context or "it is no YAML"
        raise YamlProblem(sentences.YAML_WRONG.format(line=line, problem=problem)) from None
    except (yaml.YAMLError, UnicodeError) as error:
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1
        raise YamlProblem(
            sentences.YAML_WRONG.format(line=line, problem="it holds a character that no text has")
        ) from None


def _line(event: Any) -> int:
    line: int = event.start_mark.line + 1
    return line


def _plain(text: str, line: int) -> JsonValue:
    """The value of a text without quotation marks."""
    if _NULL.match(text):
        return None
    if _SWITCH.match(text):
        return text == "true"
    if not _DECIMAL.match(text):
        return text
    try:
        number: int | float = int(text) if _WHOLE.match(text) else float(text)
    except ValueError:  # longer than Python's limit
        raise YamlProblem(sentences.YAML_NUMBER.format(line=line)) from None
    if isinstance(number, float) and math.isinf(number):
        raise YamlProblem(sentences.YAML_NUMBER.format(line=line))
    return number


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Writes texts of several lines as blocks, and quotes all that this or another reader would take for a value."""

    def ignore_aliases(self, data: Any) -> bool:
        """No part is written as a reference to an equal one."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists are indented below their key."""
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    block = "\n" in text and text == text.strip() and not re.search(r"[ \t]\n|[^\S\n ]", text)
    # Other line ends would be folded into spaces; within double quotation marks they are escaped.
    style = '"' if re.search("[\r\x85\u2028\u2029\ufeff]", text) else "|" if block else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _number(dumper: yaml.SafeDumper, number: float) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:float", json.dumps(number))


_Dumper.add_representer(str, _text)
_Dumper.add_representer(float, _number)
for _tag, _pattern, _first in _PLAIN:
    _Dumper.add_implicit_resolver(_tag, _pattern, list(_first))
