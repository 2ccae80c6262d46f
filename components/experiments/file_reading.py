"""Reads an experiment file: strictly, and with the line of each mistake."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue, ValidationError

from components import __version__
from components.checks.judge import Judge
from components.contract.fields import FIELDS, field_named
from components.contract.messages import Role
from components.drafts.comparison import MAX_REPEATS as MAX_LANE_REPEATS
from components.drafts.comparison import Comparison, Lane, Timing
from components.drafts.conversation import Turn
from components.drafts.draft import Draft, new_draft
from components.drafts.extra_body import extra_body_text, json_text
from components.drafts.setting import Setting, sending
from components.experiments import sentences
from components.experiments.data_set import MAX_CHARACTERS, DataSet, DataSetProblem, as_json_lines, read_data_set
from components.experiments.file_format import (
    MODELS,
    PLANNED,
    SHUFFLED,
    VERSION,
    ExperimentFile,
    WrittenBase,
    WrittenFile,
    WrittenLane,
    WrittenMessage,
    typed_text,
)
from components.experiments.file_problems import FileProblem, no_field, wrong
from components.experiments.problem import SweepProblem
from components.experiments.rules import RulesReading
from components.experiments.sweep_plan import PlanKind, read_rows
from components.experiments.sweep_setup import Setup, TypedAxis
from components.experiments.yaml_text import Path, read_yaml
from components.streaming.guard import safe_text

ReadFile = Callable[[str], bytes]
"""Reads a file that the experiment names. Raises OSError."""


_OF_SWEEPS = ("axes", "combine", "rows", "data", "concurrency", "reuse")


def read_experiment_file(
    text: str,
    *,
    read_file: ReadFile | None = None,
    further_fields: Collection[str] = (),
    endpoints: Collection[str] | None = None,
) -> ExperimentFile:
    """The experiment in a file. Raises FileProblem, or another SweepProblem that names the line.

    ``read_file`` reads a data set that the file names; without it such a file is refused. ``further_fields`` are the
    fields that endpoints declare themselves. With ``endpoints``, other names of endpoints are refused.
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
        written = WrittenFile.model_validate(document.value)
    except ValidationError as error:
        raise wrong(document, error, MODELS) from None
    reading = _Reading(document, written, further_fields, endpoints)
    if version != VERSION:
        raise reading.problem(("tempera",), f"must be {VERSION}")
    return reading.experiment(read_file)


@dataclass(frozen=True)
class _Reading(RulesReading):
    """A file of valid shape, and its conversion to the values that the rest of Tempera uses."""

    written: WrittenFile
    further_fields: Collection[str]
    endpoints: Collection[str] | None

    def experiment(self, read_file: ReadFile | None) -> ExperimentFile:
        draft = self._draft()
        data, data_file = self._data(read_file)
        setup = None if self.written.lanes is not None else self._setup(data)
        experiment = ExperimentFile(draft, setup, self.rules(), self.written.name, data_file)
        self._check_columns(experiment)
        for number, check in enumerate(experiment.rules.checks):
            if isinstance(check, Judge):
                self._check_endpoint(("checks", number), check.endpoint)
        return experiment

    def _draft(self) -> Draft:
        base = self.written.base
        self._check_names(("base",), base)
        for number, lane in enumerate(self.written.lanes or ()):
            self._check_names(("lanes", number), lane)
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
        return draft.model_copy(update={"comparison": self._comparison()}) if self.written.lanes is not None else draft

    def _check_names(self, path: Path, part: WrittenBase | WrittenLane) -> None:
        if part.endpoint is not None and ("://" in part.endpoint or not part.endpoint.strip()):
            raise self.problem((*path, "endpoint"), sentences.FILE_ENDPOINT_NO_NAME)
        self._check_endpoint((*path, "endpoint"), part.endpoint)

    def _check_endpoint(self, path: Path, name: str | None) -> None:
        if name is not None and self.endpoints is not None and name not in self.endpoints:
            names = ", ".join(self.endpoints)
            raise self.problem(path, sentences.ENDPOINT_NOT_HERE.format(name=name, names=names))

    def _settings(self, path: Path, settings: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        names = [*FIELDS, *self.further_fields, *self.written.base.extra_body]
        for name, value in settings.items():
            if name not in names:
                raise self.problem((*path, name), no_field(name, names, sentences.FILE_FURTHER_KEYS))
            if value is not None and (wrong := field_named(name).problem(value)):
                raise self.problem((*path, name), wrong)
        return settings

    def _turn(self, number: int, message: WrittenMessage) -> Turn:
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
        lanes = self.written.lanes or []
        if sweep_key := next((name for name in _OF_SWEEPS if name in self.written.model_fields_set), None):
            raise self.problem((sweep_key,), sentences.FILE_NOT_WITH_LANES)
        if self.written.repeats > MAX_LANE_REPEATS:
            raise self.problem(("repeats",), f"must be at most {MAX_LANE_REPEATS} for lanes")
        order = self.written.order or Timing.INTERLEAVED.value
        if order not in [timing.value for timing in Timing]:
            raise self.problem(("order",), f"must be one of {', '.join(Timing)} for lanes")
        return Comparison(
            lanes=tuple(self._lane(number, lane) for number, lane in enumerate(lanes)),
            repeats=self.written.repeats,
            timing=Timing(order),
            highest_id=len(lanes),
        )

    def _lane(self, number: int, lane: WrittenLane) -> Lane:
        path: Path = ("lanes", number)
        sent = self._settings((*path, "settings"), lane.settings)
        settings = {name: sending(value) for name, value in sent.items()}
        names = [*FIELDS, *self.further_fields, *self.written.base.extra_body]
        for index, name in enumerate(lane.omit):
            if name not in names:
                raise self.problem((*path, "omit", index), no_field(name, names))
            if name in settings:
                raise self.problem((*path, "omit", index), sentences.FILE_SET_AND_OMITTED)
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
        written = self.written
        if written.order not in (None, SHUFFLED, PLANNED):
            raise self.problem(("order",), f"must be {SHUFFLED} or {PLANNED}, for an experiment without lanes")
        axes = tuple(TypedAxis(field=name, text=typed_text(values)) for name, values in (written.axes or {}).items())
        kind = PlanKind(written.combine)
        setup = Setup(
            axes=axes,
            kind=kind,
            repeats=written.repeats,
            at_once=written.concurrency,
            shuffled=written.order != PLANNED,
            reuse=written.reuse,
            **data,
        )
        try:
            rows = None
            if written.rows is not None:
                rows = tuple(read_rows(setup.fields, self._known_rows(written.rows, setup.fields)))
            for number, axis in enumerate(axes):
                if problem := setup.problem_of(number):
                    raise self.problem(("axes", axis.field), problem)
            if rows is None:
                setup.plan()
        except FileProblem:
            raise
        except SweepProblem as problem:
            raise self.problem(("rows",) if written.rows is not None else ("axes",), problem.sentence) from None
        return setup.model_copy(update={"rows": rows})

    def _known_rows(self, rows: Sequence[Mapping[str, JsonValue]], fields: Sequence[str]) -> list[dict[str, object]]:
        for number, row in enumerate(rows):
            if unknown := next((name for name in row if name not in fields), None):
                raise self.problem(("rows", number, unknown), sentences.FILE_ROW_WITHOUT_AXIS.format(name=unknown))
        return [{name: typed_text(value) for name, value in row.items()} for row in rows]

    def _data(self, read_file: ReadFile | None) -> tuple[dict[str, Any], str | None]:
        data = self.written.data
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
            return read_data_set(name, content, max_characters=MAX_CHARACTERS if name else None)
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
