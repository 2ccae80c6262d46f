"""Writes an experiment as a file."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from components.contract.fields import first_value
from components.contract.strict_json import read_json
from components.drafts.comparison import Lane
from components.drafts.conversation import Turn
from components.drafts.draft import Draft
from components.drafts.extra_body import read_extra_body
from components.drafts.setting import FieldState, Setting
from components.experiments import sentences
from components.experiments.axes import BASE
from components.experiments.data_set import read_data_set
from components.experiments.file_format import (
    PLANNED,
    SHUFFLED,
    VERSION,
    ExperimentFile,
    axis_text,
)
from components.experiments.file_problems import FileProblem
from components.experiments.rules import rules_to_value
from components.experiments.sweep_setup import Setup
from components.experiments.yaml_text import write_yaml


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


def _axis_values(text: str) -> str | list[Any]:
    """The values as a list, where they were typed as one."""
    try:
        values = read_json(text)
    except ValueError:
        return text
    return values if isinstance(values, list) and axis_text(values) == text else text


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
    said["order"] = SHUFFLED if setup.shuffled else PLANNED
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
