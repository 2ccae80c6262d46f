"""Writes an experiment as a file."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from components.contract.fields import field_named
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
    typed_text,
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
    content: dict[str, Any] = {"tempera": VERSION}
    if experiment.name:
        content["name"] = experiment.name
    content["base"] = _base_of(draft)
    if setup is None:
        comparison = draft.comparison
        content["lanes"] = [_lane_of(lane, draft) for lane in comparison.lanes]
        content |= {"repeats": comparison.repeats, "order": comparison.timing.value}
    else:
        content |= _sweep_of(setup, experiment.data_file)
    content |= rules_to_value(experiment.rules)
    return write_yaml(content)


def _axis_values(text: str) -> str | list[Any]:
    """The values as a list, where they were typed as one."""
    try:
        values = read_json(text)
    except ValueError:
        return text
    return values if isinstance(values, list) and typed_text(values) == text else text


def _base_of(draft: Draft) -> dict[str, Any]:
    content: dict[str, Any] = {"endpoint": draft.endpoint, "model": draft.model}
    content["messages"] = [_message_of(number, turn) for number, turn in enumerate(draft.turns, 1)]
    settings = {name: _sent(name, each) for name, each in draft.settings.items() if each.state is not FieldState.OMIT}
    content["settings"] = settings
    if not draft.stream:
        content["stream"] = False
    content["extra_body"] = _extra_body(draft.extra_body)
    used = {*draft.variable_names, *draft.comparison.variable_names}
    content["variables"] = {name: value for name, value in draft.variables.items() if name in used}
    if not content["messages"]:
        raise FileProblem(sentences.FILE_NO_MESSAGES)
    return {name: value for name, value in content.items() if value not in (None, {})}


def _message_of(number: int, turn: Turn) -> dict[str, Any]:
    content: dict[str, Any] = {turn.role.value: turn.content}
    content |= {name: value for name in ("prefix", "literal") if (value := getattr(turn, name))}
    content |= {name: value for name in ("name", "tool_call_id") if (value := getattr(turn, name).strip())}
    if turn.tool_calls.strip():
        try:
            content["tool_calls"] = read_json(turn.tool_calls)
        except ValueError as error:
            raise FileProblem(sentences.FILE_TOOL_CALLS.format(number=number, error=error)) from None
    return content


def _lane_of(lane: Lane, draft: Draft) -> dict[str, Any]:
    sent = {name: setting for name, setting in lane.settings.items() if setting.state is not FieldState.OMIT}
    content: dict[str, Any] = {"name": lane.name or None, "muted": lane.muted or None}
    content |= {"endpoint": lane.endpoint, "model": lane.model}
    # A setting without a value keeps that of the draft.
    content["settings"] = {name: _sent(name, _with_value(name, each, draft)) for name, each in sent.items()} or None
    content["omit"] = [name for name in lane.settings if name not in sent] or None
    content["stream"] = lane.stream
    content["extra_body"] = None if lane.extra_body is None else _extra_body(lane.extra_body)
    content |= {"system": lane.system, "literal": lane.literal or None, "variables": lane.variables or None}
    return {name: value for name, value in content.items() if value is not None}


def _with_value(name: str, setting: Setting, draft: Draft) -> Setting:
    if setting.state is not FieldState.VALUE or setting.value is not None:
        return setting
    value = draft.settings[name].value if name in draft.settings else field_named(name).begins_with
    return setting.model_copy(update={"value": value})


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
    content: dict[str, Any] = {}
    if setup.axes:
        content["axes"] = {axis.field: _axis_values(axis.text) for axis in setup.axes}
    content["combine"] = setup.kind.value
    if (rows := setup.edited_rows()) is not None:
        # An empty row would be passed over.
        content["rows"] = [row or {setup.fields[0]: BASE} for row in rows]
    if setup.data:
        content["data"] = _data_of(setup, data_file)
    content["repeats"] = setup.repeats
    content["order"] = SHUFFLED if setup.shuffled else PLANNED
    content["concurrency"] = setup.at_once
    if setup.reuse:
        content["reuse"] = True
    return content


def _data_of(setup: Setup, data_file: str | None) -> dict[str, Any]:
    """The data set as the file has it: a name, or its rows."""
    chosen = {} if setup.sample_rows is None else {"sample": setup.sample_rows, "seed": setup.sample_seed}
    if data_file is not None:
        return {"file": data_file, **chosen}
    data_set = read_data_set(setup.data_name, setup.data.encode(), max_characters=None)
    return {"rows": [dict(row) for row in data_set.rows], **chosen}
