"""A capsule: a frozen copy of a run, a comparison, a set of runs or settings, or a collection of capsules with notes.

Public are the fields of the models below and, of a run, the facts that ``log/record.py`` marks as public. ``freezing``
makes a capsule from runs, ``capsules`` stores it.
"""

from __future__ import annotations

import json
import re
import zlib
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    create_model,
    field_serializer,
    model_validator,
)

from components import __version__
from components.checks.kinds import MAX_CHECKS
from components.contract.strict_json import read_json
from components.log.events import StoredEvent
from components.log.record import DEFAULTS, PUBLIC, TYPES
from components.sharing import sentences
from components.sharing.linked_settings import LinkedSettings
from components.sharing.problem import LinkProblem
from components.streaming.outcome import Status, ToolCall

MAX_TITLE_CHARS = 200
MAX_LABEL_CHARS = 200
MAX_RUNS = 50
MAX_ENTRIES = 20
"""The limit of links in a collection."""
MAX_NOTE_CHARS = 20_000
MAX_EVENTS = 2_000
"""The limit per run; the first events are stored."""

MAX_JSON_BYTES = 16 * 1024 * 1024
"""The limit before packing. Deflate reaches 1,029 to 1: without a limit, few bytes would fill the memory."""

MAX_BYTES = 8 * 1024 * 1024
"""The limit of a stored capsule."""


class Kind(StrEnum):
    """The kind of content in a capsule."""

    RUN = "run"
    COMPARISON = "comparison"
    RUNS = "runs"
    SETTINGS = "settings"
    COLLECTION = "collection"


class _Public(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class SharedCheck(_Public):
    """A check of an answer and its result. ``kind`` and ``value`` are as in an experiment file, without variables."""

    kind: str
    value: JsonValue
    passed: bool | None
    reason: str


AS_STORED = tuple(name for name in PUBLIC if name not in ("status", "warnings", "tool_calls"))
"""The facts that a capsule stores in the form of a ``RunRecord``."""

_fields: dict[str, Any] = {name: (TYPES[name], DEFAULTS.get(name, ...)) for name in AS_STORED}
_Facts: Any = create_model("_Facts", __base__=_Public, **_fields)


class CapsuleRun(_Facts):  # type: ignore[misc]  # its fields are made from a list
    """The public part of a run: its public facts, and the fields below.

    ``label`` distinguishes the run from others, such as ``A · temperature 0.9``. With ``system_left_out`` a marker
    replaces every system message of the body. ``rating``, ``tags``, ``notes`` and ``checked`` are empty unless chosen.

    ``events`` are the first of ``event_count``, None when not chosen. They are the endpoint's data word for word: they
    repeat the answer, and hold ids and anything else that the endpoint sent. ``events_repeat_system`` says that chosen
    events were left out, because a system message that is left out could be read from them. With
    ``probabilities_left_out`` the events have lost the probabilities of tokens, and nothing else.

    Capsules of older releases have the defaults of facts that did not exist then.
    """

    label: Annotated[str, Field(max_length=MAX_LABEL_CHARS)] = ""
    status: Status
    system_left_out: bool
    tool_calls: tuple[ToolCall, ...]
    warnings: tuple[str, ...]
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""
    checked: Annotated[tuple[SharedCheck, ...], Field(max_length=MAX_CHECKS, fail_fast=True)] = ()
    events: Annotated[tuple[StoredEvent, ...], Field(max_length=MAX_EVENTS, fail_fast=True)] | None = None
    events_repeat_system: bool = False
    probabilities_left_out: bool = False


class Entry(_Public):
    """A part of a collection: a note in Markdown, and after it the link of that id, if any.

    A stored collection has the link only, so that a link that is revoked shows nothing there, either. Who opens the
    collection adds the ``capsule``, None when the link cannot be opened, and a file contains it.
    """

    note: Annotated[str, Field(max_length=MAX_NOTE_CHARS)] = ""
    link: Annotated[str, Field(max_length=22)] | None = None
    capsule: Capsule | None = None


class Capsule(_Public):
    """The public content. ``app_version`` is the Tempera version that made the capsule.

    ``settings`` is the content of a settings link; None when no settings are shared. With ``settings_without_system``
    the system messages are left out of them, so that a request made from the settings has none.
    """

    version: Literal[1] = 1
    kind: Kind
    title: Annotated[str, Field(max_length=MAX_TITLE_CHARS)]
    app_version: str
    runs: Annotated[tuple[CapsuleRun, ...], Field(max_length=MAX_RUNS, fail_fast=True)] = ()
    settings: LinkedSettings | None = None
    settings_without_system: bool = False
    entries: Annotated[tuple[Entry, ...], Field(max_length=MAX_ENTRIES + 1, fail_fast=True)] = ()

    @field_serializer("settings")
    def _set_fields_only(self, settings: LinkedSettings | None) -> dict[str, Any] | None:
        # An omitted field and a null field are different.
        return settings.to_json() if settings else None

    @model_validator(mode="after")
    def _matches_its_kind(self) -> Self:
        holds = {
            Kind.RUN: len(self.runs) == 1,
            Kind.COMPARISON: bool(self.runs),
            Kind.RUNS: bool(self.runs),
            Kind.SETTINGS: not self.runs and self.settings is not None,
            Kind.COLLECTION: bool(self.linked) and not self.runs and self.settings is None,
        }
        if not holds[self.kind] or (self.entries and self.kind is not Kind.COLLECTION):
            raise ValueError(f"it is no capsule of kind {self.kind.value}")
        if any(not entry.link or part.kind is Kind.COLLECTION for entry in self.entries if (part := entry.capsule)):
            raise ValueError("an entry has a link that is no collection")
        return self

    @property
    def linked(self) -> tuple[Entry, ...]:
        """The entries of a collection that have a link."""
        return tuple(entry for entry in self.entries if entry.link)

    @property
    def parts(self) -> tuple[Capsule, ...]:
        """The capsules with runs or settings: this one, or those of a collection that could be opened."""
        if self.kind is not Kind.COLLECTION:
            return (self,)
        return tuple(entry.capsule for entry in self.entries if entry.capsule)


def canonical_json(capsule: Capsule) -> str:
    """The capsule as JSON with sorted keys and no white space."""
    return json.dumps(capsule.model_dump(mode="json"), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def to_bytes(capsule: Capsule) -> bytes:
    """The capsule as canonical JSON, deflated (RFC 1950). Raises LinkProblem when it is too large."""
    text = canonical_json(capsule).encode()
    content = zlib.compress(text) if len(text) <= MAX_JSON_BYTES else b""
    if not 0 < len(content) <= MAX_BYTES:
        raise LinkProblem(sentences.CAPSULE_TOO_LARGE)
    return content


def read_capsule(content: bytes) -> Capsule:
    """The capsule from the bytes of ``to_bytes``. Raises LinkProblem, and nothing else, for any input."""
    inflating = zlib.decompressobj()
    try:
        text = inflating.decompress(content[: MAX_BYTES + 1], MAX_JSON_BYTES)
    except zlib.error:
        raise LinkProblem(sentences.CAPSULE_DAMAGED) from None
    # Data that inflates beyond the limit has not reached its end here, like truncated data.
    if not inflating.eof or inflating.unused_data or len(content) > MAX_BYTES:
        raise LinkProblem(sentences.CAPSULE_DAMAGED)
    return read_json_capsule(text)


def read_json_capsule(text: bytes) -> Capsule:
    """The capsule from its JSON. Raises LinkProblem, and nothing else, for any input."""
    try:
        return Capsule.model_validate_json(text)
    except ValidationError as error:
        errors = error.errors(include_input=False, include_context=False, include_url=False)
        newer = any(error_["loc"] == ("version",) for error_ in errors) or _is_of_newer_version(text)
        raise LinkProblem(sentences.CAPSULE_NEWER if newer else sentences.CAPSULE_DAMAGED) from None


def _is_of_newer_version(text: bytes) -> bool:
    """Whether a later release made this JSON, which may have fields that this one does not know."""
    try:
        content = read_json(text.decode())
    except (ValueError, RecursionError):
        return False
    made_with = content.get("app_version") if isinstance(content, dict) else None
    return isinstance(made_with, str) and _numbers(made_with) > _numbers(__version__)


def _numbers(version: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d{1,6}", version)[:3]]
