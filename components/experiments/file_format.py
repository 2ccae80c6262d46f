"""The format of an experiment file: YAML that a person writes. docs/experiment-files.md describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from components.drafts.comparison import FEWEST_LANES, MAX_LANES, MAX_NAME_CHARS
from components.drafts.draft import Draft
from components.experiments.rules import Rules, WrittenRules
from components.experiments.sweep_setup import MAX_AT_ONCE, MAX_REPEATS, Setup
from components.experiments.thresholds import Part
from components.experiments.yaml_text import Path

VERSION = 1
"""Of the format; it grows when a file of before would be read differently."""

SHUFFLED, PLANNED = "shuffled", "planned"


@dataclass(frozen=True)
class ExperimentFile:
    """The content of a file. ``setup`` is that of a sweep, and None for a comparison, whose lanes the draft holds.

    ``data_file`` is the name of a data set in a file of its own, whose content the setup holds.
    """

    draft: Draft
    setup: Setup | None = None
    rules: Rules = field(default_factory=Rules)
    name: str = ""
    data_file: str | None = None


class WrittenMessage(Part):
    """A message: its role and text."""

    system: str | None = None
    user: str | None = None
    assistant: str | None = None
    tool: str | None = None
    prefix: bool = False
    name: str = ""
    tool_call_id: str = ""
    tool_calls: list[dict[str, JsonValue]] | None = None
    literal: bool = False


class WrittenBase(Part):
    """The request that lanes and rows change."""

    endpoint: str | None = None
    model: str | None = None
    messages: list[WrittenMessage] = Field(min_length=1)
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    stream: bool = True
    extra_body: dict[str, JsonValue] = Field(default_factory=dict)
    variables: dict[str, str] = Field(default_factory=dict)


class WrittenLane(Part):
    """A lane, by its changes."""

    name: str = Field(default="", max_length=MAX_NAME_CHARS)
    muted: bool = False
    endpoint: str | None = None
    model: str | None = None
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    omit: list[str] = Field(default_factory=list)
    stream: bool | None = None
    extra_body: dict[str, JsonValue] | None = None
    system: str | None = None
    literal: bool = False
    variables: dict[str, str] = Field(default_factory=dict)


class WrittenData(Part):
    """A data set: a file, or rows."""

    file: str | None = None
    rows: list[dict[str, str]] | None = None
    sample: int | None = Field(default=None, ge=1)
    seed: int = Field(default=1, ge=0)


class WrittenFile(WrittenRules):
    """A whole file."""

    tempera: int
    name: str = ""
    base: WrittenBase
    lanes: list[WrittenLane] | None = Field(default=None, min_length=FEWEST_LANES, max_length=MAX_LANES)
    axes: dict[str, str | int | float | bool | list[JsonValue] | None] | None = None
    combine: Literal["one at a time", "zip", "product", "list"] = "one at a time"
    rows: list[dict[str, JsonValue]] | None = None
    data: WrittenData | None = None
    repeats: int = Field(default=1, ge=1, le=MAX_REPEATS)
    order: Literal["parallel", "one after another", "interleaved", "shuffled", "planned"] | None = None
    concurrency: int = Field(default=1, ge=1, le=MAX_AT_ONCE)
    reuse: bool = False


MODELS: Mapping[Path, type[BaseModel]] = {
    (): WrittenFile,
    ("base",): WrittenBase,
    ("base", "messages"): WrittenMessage,
    ("lanes",): WrittenLane,
    ("data",): WrittenData,
}
"""The model of each part of a file, by its path without numbers."""


def typed_text(value: object) -> str:
    """A value, or the values of an axis, as they are typed: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
