"""An experiment as a file that a person writes: base, lanes or axes, data set, checks, limits and tolerances.

The format is YAML (``yaml_text``) and strict. It names endpoints and holds no address or key. docs/experiment-files.md
describes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field, JsonValue, ValidationError

from components import __version__
from components.contract.fields import FIELDS, first_value, unknown_field
from components.contract.messages import Role
from components.contract.strict_json import read_json
from components.drafts.comparison import FEWEST_LANES, MOST_LANES, MOST_NAME_CHARS, Comparison, Lane, Timing
from components.drafts.comparison import MOST_REPEATS as MOST_LANE_REPEATS
from components.drafts.conversation import Turn
from components.drafts.draft import Draft, new_draft
from components.drafts.extra_body import extra_body_text, json_text, read_extra_body
from components.drafts.setting import FieldState, Setting, sending
from components.experiments import sentences
from components.experiments.axes import BASE
from components.experiments.data_set import MOST_CHARACTERS, DataSet, DataSetProblem, as_json_lines, read_data_set
from components.experiments.problem import SweepProblem
from components.experiments.rules import (
    FileProblem,
    Part,
    Rules,
    RulesReading,
    WrittenRules,
    no_field,
    rules_to_value,
    wrong,
)
from components.experiments.sweep_plan import PlanKind, read_rows
from components.experiments.sweep_setup import MOST_AT_ONCE, MOST_REPEATS, Setup, TypedAxis
from components.experiments.yaml_text import Path, read_yaml, write_yaml
from components.streaming.guard import safe_text

VERSION = 1
"""Of the format; it grows when a file of before would be read differently."""

_SHUFFLED, _PLANNED = "shuffled", "planned"

ReadFile = Callable[[str], bytes]
"""Reads a file that the experiment names. Raises OSError."""


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


class _Message(Part):
    system: str | None = None
    user: str | None = None
    assistant: str | None = None
    tool: str | None = None
    prefix: bool = False
    name: str = ""
    tool_call_id: str = ""
    tool_calls: list[dict[str, JsonValue]] | None = None
    literal: bool = False


class _Base(Part):
    endpoint: str | None = None
    model: str | None = None
    messages: list[_Message] = Field(min_length=1)
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    stream: bool = True
    extra_body: dict[str, JsonValue] = Field(default_factory=dict)
    variables: dict[str, str] = Field(default_factory=dict)


class _Lane(Part):
    name: str = Field(default="", max_length=MOST_NAME_CHARS)
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


class _Data(Part):
    file: str | None = None
    rows: list[dict[str, str]] | None = None
    sample: int | None = Field(default=None, ge=1)
    seed: int = Field(default=1, ge=0)


class _File(WrittenRules):
    tempera: int
    name: str = ""
    base: _Base
    lanes: list[_Lane] | None = Field(default=None, min_length=FEWEST_LANES, max_length=MOST_LANES)
    axes: dict[str, str | int | float | bool | list[JsonValue] | None] | None = None
    combine: Literal["one at a time", "zip", "product", "list"] = "one at a time"
    rows: list[dict[str, JsonValue]] | None = None
    data: _Data | None = None
    repeats: int = Field(default=1, ge=1, le=MOST_REPEATS)
    order: Literal["parallel", "one after another", "interleaved", "shuffled", "planned"] | None = None
    concurrency: int = Field(default=1, ge=1, le=MOST_AT_ONCE)
    reuse: bool = False


_MODELS: Mapping[Path, type[BaseModel]] = {
    (): _File,
    ("base",): _Base,
    ("base", "messages"): _Message,
    ("lanes",): _Lane,
    ("data",): _Data,
}
_OF_SWEEPS = ("axes", "combine", "rows", "data", "concurrency", "reuse")


def read_experiment_file(
    text: str, *, read_file: ReadFile | None = None, further_fields: Collection[str] = ()
) -> ExperimentFile:
    """The experiment in a file. Raises FileProblem, or another SweepProblem that names the line.

    ``read_file`` reads a data set that the file names; without it such a file is refused. ``further_fields`` are the
    fields that endpoints declare themselves.
    """
    document = read_yaml(text)
    if not isinstance(document.value, dict):
        raise FileProblem(sentences.FILE_NO_OBJECT.format(line=document.line(())))
    version = document.value.get("tempera")
    if isinstance(version, int) and version > VERSION:
        raise FileProblem(
            sentences.FILE_LATER.format(line=document.line(("tempera",)), version=version, own=__version__)
        )
    try:
        said = _File.model_validate(document.value)
    except ValidationError as error:
        raise wrong(document, error, _MODELS) from None
    reading = _Reading(document, said, further_fields)
    if version != VERSION:
        raise reading.problem(("tempera",), f"must be {VERSION}")
    return reading.experiment(read_file)


def write_experiment_file(experiment: ExperimentFile) -> str:
    """The file of an experiment, from which ``read_experiment_file`` reads one that sends the same requests.

    Widgets' values that are not sent and hidden branches are left out. Raises FileProblem for a draft that makes no
    request.
    """
    draft, setup = experiment.draft, experiment.setup
    said: dict[str, Any] = {"tempera": VERSION}
    if experiment.name:
        said["name"] = experiment.name
    said["base"] = _base_of(draft)
    if setup is None:
        comparison = draft.comparison
        said["lanes"] = [_lane_of(lane, draft) for lane in comparison.lanes]
        said |= {"repeats": comparison.repeats, "order": comparison.timing.value}
    else:
        said |= _sweep_of(setup, experiment.data_file)
    said |= rules_to_value(experiment.rules)
    return write_yaml(said)


@dataclass(frozen=True)
class _Reading(RulesReading):
    """A file whose shape is right, on its way to the values that the rest of Tempera knows."""

    said: _File
    further_fields: Collection[str]

    def experiment(self, read_file: ReadFile | None) -> ExperimentFile:
        draft = self._draft()
        data, data_file = self._data(read_file)
        setup = None if self.said.lanes is not None else self._setup(data)
        experiment = ExperimentFile(draft, setup, self.rules(), self.said.name, data_file)
        self._check_columns(experiment)
        return experiment

    def _draft(self) -> Draft:
        base = self.said.base
        for path in (("base",), *(("lanes", number) for number in range(len(self.said.lanes or ())))):
            self._check_names(path)
        settings = new_draft().settings | {
            name: sending(value) for name, value in self._settings(("base", "settings"), base.settings).items()
        }
        turns = tuple(self._turn(number, message) for number, message in enumerate(base.messages))
        draft = Draft(
            endpoint=base.endpoint,
            model=base.model,
            turns=turns,
            settings=settings,
            stream=base.stream,
            extra_body=extra_body_text(base.extra_body),
            variables=base.variables,
        )
        return draft.model_copy(update={"comparison": self._comparison()}) if self.said.lanes is not None else draft

    def _check_names(self, path: Path) -> None:
        part: Any = self.said.base if path == ("base",) else (self.said.lanes or [])[int(path[1])]
        if part.endpoint is not None and ("://" in part.endpoint or not part.endpoint.strip()):
            raise self.problem((*path, "endpoint"), sentences.FILE_ENDPOINT_NO_NAME)

    def _settings(self, path: Path, settings: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        known = [*FIELDS, *self.further_fields, *self.said.base.extra_body]
        for name, value in settings.items():
            if name not in known:
                raise self.problem((*path, name), no_field(name, known, sentences.FILE_FURTHER_KEYS))
            if value is not None and (wrong := (FIELDS.get(name) or unknown_field(name)).problem(value)):
                raise self.problem((*path, name), wrong)
        return settings

    def _turn(self, number: int, message: _Message) -> Turn:
        contents = {role: text for role in Role if (text := getattr(message, role.value)) is not None}
        if len(contents) != 1:
            raise self.problem(("base", "messages", number), sentences.FILE_MESSAGE_ROLE)
        [(role, content)] = contents.items()
        return Turn(
            id=str(number + 1),
            role=role,
            content=safe_text(content),
            prefix=message.prefix,
            name=message.name,
            tool_call_id=message.tool_call_id,
            tool_calls=json_text(message.tool_calls) if message.tool_calls else "",
            literal=message.literal,
        )

    def _comparison(self) -> Comparison:
        lanes = self.said.lanes or []
        written = self.document.value if isinstance(self.document.value, dict) else {}
        if unfit := next((name for name in _OF_SWEEPS if name in written), None):
            raise self.problem((unfit,), sentences.FILE_NOT_WITH_LANES)
        if self.said.repeats > MOST_LANE_REPEATS:
            raise self.problem(("repeats",), f"must be at most {MOST_LANE_REPEATS} for lanes")
        order = self.said.order or Timing.INTERLEAVED.value
        if order not in [timing.value for timing in Timing]:
            raise self.problem(("order",), f"must be one of {', '.join(Timing)} for lanes")
        return Comparison(
            lanes=tuple(self._lane(number, lane) for number, lane in enumerate(lanes)),
            repeats=self.said.repeats,
            timing=Timing(order),
            highest_id=len(lanes),
        )

    def _lane(self, number: int, lane: _Lane) -> Lane:
        path: Path = ("lanes", number)
        sent = self._settings((*path, "settings"), lane.settings)
        settings = {name: sending(value) for name, value in sent.items()}
        known = [*FIELDS, *self.further_fields, *self.said.base.extra_body]
        for place, name in enumerate(lane.omit):
            if name not in known:
                raise self.problem((*path, "omit", place), no_field(name, known))
            if name in settings:
                raise self.problem((*path, "omit", place), sentences.FILE_SET_AND_OMITTED)
        return Lane(
            id=str(number + 1),
            name=lane.name,
            muted=lane.muted,
            endpoint=lane.endpoint,
            model=lane.model,
            settings=settings | {name: Setting() for name in lane.omit},
            stream=lane.stream,
            extra_body=None if lane.extra_body is None else extra_body_text(lane.extra_body),
            system=None if lane.system is None else safe_text(lane.system),
            literal=lane.literal,
            variables=lane.variables,
        )

    def _setup(self, data: Mapping[str, Any]) -> Setup:
        said = self.said
        if said.order not in (None, _SHUFFLED, _PLANNED):
            raise self.problem(("order",), f"must be {_SHUFFLED} or {_PLANNED}, for an experiment without lanes")
        axes = tuple(TypedAxis(field=name, text=_axis_text(values)) for name, values in (said.axes or {}).items())
        kind = PlanKind(said.combine)
        setup = Setup(
            axes=axes,
            kind=kind,
            repeats=said.repeats,
            at_once=said.concurrency,
            shuffled=said.order != _PLANNED,
            reuse=said.reuse,
            **data,
        )
        try:
            rows = None
            if said.rows is not None:
                rows = tuple(read_rows(setup.fields, self._known_rows(said.rows, setup.fields)))
            for number, axis in enumerate(axes):
                if problem := setup.problem_of(number):
                    raise self.problem(("axes", axis.field), problem)
            if rows is None:
                setup.plan()
        except FileProblem:
            raise
        except SweepProblem as problem:
            raise self.problem(("rows",) if said.rows is not None else ("axes",), problem.sentence) from None
        return setup.model_copy(update={"rows": rows})

    def _known_rows(self, rows: Sequence[Mapping[str, JsonValue]], fields: Sequence[str]) -> list[dict[str, object]]:
        for number, row in enumerate(rows):
            if unknown := next((name for name in row if name not in fields), None):
                raise self.problem(("rows", number, unknown), sentences.FILE_ROW_WITHOUT_AXIS.format(name=unknown))
        return [{name: _word(value) for name, value in row.items()} for row in rows]

    def _data(self, read_file: ReadFile | None) -> tuple[dict[str, Any], str | None]:
        data = self.said.data
        if data is None:
            return {}, None
        chosen = {"sample_rows": data.sample, "sample_seed": data.seed}
        if (data.file is None) == (data.rows is None):
            raise self.problem(("data",), sentences.FILE_DATA_EITHER)
        if data.file is None:
            for number, row in enumerate(data.rows or []):
                if row.keys() != (data.rows or [])[0].keys():
                    raise self.problem(("data", "rows", number), sentences.FILE_ROW_DIFFERS)
            text = as_json_lines(data.rows or [])
            self._data_set(("data", "rows"), "", text.encode())
            return {"data": text, **chosen}, None
        if read_file is None:
            raise self.problem(("data", "file"), sentences.FILE_DATA_NOT_HERE)
        try:
            content = read_file(data.file)
        except OSError as error:
            raise self.problem(
                ("data", "file"), sentences.FILE_DATA_UNREADABLE.format(name=data.file, why=error.strerror or error)
            ) from None
        self._data_set(("data", "file"), data.file, content)
        return {"data": content.decode("utf-8-sig"), "data_name": data.file, **chosen}, data.file

    def _data_set(self, path: Path, name: str, content: bytes) -> DataSet:
        try:
            return read_data_set(name, content, most_characters=MOST_CHARACTERS if name else None)
        except DataSetProblem as problem:
            raise self.problem(path, problem.sentence) from None

    def _check_columns(self, experiment: ExperimentFile) -> None:
        """Refuse a check whose column no data set has: it would compare with its own braces."""
        try:
            data = experiment.setup.data_set() if experiment.setup else None
        except DataSetProblem as problem:
            raise self.problem(("data",), problem.sentence) from None
        columns = data.columns if data else ()
        for number, check in enumerate(experiment.rules.checks):
            if missing := next((name for name in check.variable_names if name not in columns), None):
                has = f"has only {', '.join(columns)}" if columns else "is missing"
                raise self.problem(
                    ("checks", number), sentences.FILE_COLUMN_MISSING.format(kind=check.kind, name=missing, has=has)
                )


def _axis_values(text: str) -> str | list[Any]:
    """The values as a list, where they were typed as one."""
    try:
        values = read_json(text)
    except ValueError:
        return text
    return values if isinstance(values, list) and _axis_text(values) == text else text


def _axis_text(values: object) -> str:
    return values if isinstance(values, str) else json.dumps(values, ensure_ascii=False)


def _word(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _base_of(draft: Draft) -> dict[str, Any]:
    said: dict[str, Any] = {"endpoint": draft.endpoint, "model": draft.model}
    said["messages"] = [_message_of(number, turn) for number, turn in enumerate(draft.turns, 1)]
    settings = {name: _sent(name, each) for name, each in draft.settings.items() if each.state is not FieldState.OMIT}
    said["settings"] = settings
    if not draft.stream:
        said["stream"] = False
    said["extra_body"] = _extra_body(draft.extra_body)
    used = {*draft.variable_names, *draft.comparison.variable_names}
    said["variables"] = {name: value for name, value in draft.variables.items() if name in used}
    if not said["messages"]:
        raise FileProblem(sentences.FILE_NO_MESSAGES)
    return {name: value for name, value in said.items() if value not in (None, {})}


def _message_of(number: int, turn: Turn) -> dict[str, Any]:
    said: dict[str, Any] = {turn.role.value: turn.content}
    said |= {name: value for name in ("prefix", "literal") if (value := getattr(turn, name))}
    said |= {name: value for name in ("name", "tool_call_id") if (value := getattr(turn, name).strip())}
    if turn.tool_calls.strip():
        try:
            said["tool_calls"] = read_json(turn.tool_calls)
        except ValueError as error:
            raise FileProblem(sentences.FILE_TOOL_CALLS.format(number=number, error=error)) from None
    return said


def _lane_of(lane: Lane, draft: Draft) -> dict[str, Any]:
    sent = {name: setting for name, setting in lane.settings.items() if setting.state is not FieldState.OMIT}
    said: dict[str, Any] = {"name": lane.name or None, "muted": lane.muted or None}
    said |= {"endpoint": lane.endpoint, "model": lane.model}
    # A setting without a value keeps that of the draft.
    said["settings"] = {name: _sent(name, _with_value(name, setting, draft)) for name, setting in sent.items()} or None
    said["omit"] = [name for name in lane.settings if name not in sent] or None
    said["stream"] = lane.stream
    said["extra_body"] = None if lane.extra_body is None else _extra_body(lane.extra_body)
    said |= {"system": lane.system, "literal": lane.literal or None, "variables": lane.variables or None}
    return {name: value for name, value in said.items() if value is not None}


def _with_value(name: str, setting: Setting, draft: Draft) -> Setting:
    if setting.state is not FieldState.VALUE or setting.value is not None:
        return setting
    kept = draft.settings[name].value if name in draft.settings else first_value(name)
    return setting.model_copy(update={"value": kept})


def _sent(name: str, setting: Setting) -> JsonValue:
    if setting.typed is not None and setting.state is FieldState.VALUE:
        raise FileProblem(sentences.FILE_SETTING_UNREADABLE.format(name=name))
    return setting.sent


def _extra_body(text: str) -> dict[str, Any]:
    try:
        return read_extra_body(text, "The extra body")
    except ValueError as error:
        raise FileProblem(sentences.EXTRA_BODY_WRONG.format(problem=str(error).removesuffix("."))) from None


def _sweep_of(setup: Setup, data_file: str | None) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if setup.axes:
        said["axes"] = {axis.field: _axis_values(axis.text) for axis in setup.axes}
    said["combine"] = setup.kind.value
    if (rows := setup.edited_rows()) is not None:
        # An empty row would be passed over.
        said["rows"] = [row or {setup.fields[0]: BASE} for row in rows]
    if setup.data:
        said["data"] = _data_of(setup, data_file)
    said["repeats"] = setup.repeats
    said["order"] = _SHUFFLED if setup.shuffled else _PLANNED
    said["concurrency"] = setup.at_once
    if setup.reuse:
        said["reuse"] = True
    return said


def _data_of(setup: Setup, data_file: str | None) -> dict[str, Any]:
    """The data set as the file has it: a name, or its rows."""
    chosen = {} if setup.sample_rows is None else {"sample": setup.sample_rows, "seed": setup.sample_seed}
    if data_file is not None:
        return {"file": data_file, **chosen}
    whole = read_data_set(setup.data_name, setup.data.encode(), most_characters=None)
    return {"rows": [dict(row) for row in whole.rows], **chosen}
