"""Imports the JSON Lines of an export, each run under a new id. Refuses a line that was changed."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, TextIO

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, String, insert

from components.contract.strict_json import holds_too_much
from components.log import sentences
from components.log.events import StoredEvent, packed, unpack
from components.log.export import ANNOTATED, EVENT_PACKS, EXPORTED, TOKEN_COLUMNS, AnnotationRow, digest
from components.log.owned import OwnedLog
from components.log.record import FACTS, RunRecord, utc_now
from components.log.request_summary import summarize_request
from components.log.storable import storable
from components.log.tables import events, run_annotations, runs, to_row
from components.streaming.limits import Limits
from components.streaming.outcome import Status
from components.user_error import UserError

_IMPORT_STEP = 100
_LONGEST_LINE = 24_000_000
"""In characters. The longest answer with the longest request and with the most events is shorter."""
_MAX_COMMAS = 300_000
"""Commas and opening brackets, nearly all of them in texts and lists of tokens: a run itself has some fifty."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_FINAL = {status.value for status in Status} - {Status.RUNNING.value}
_record = TypeAdapter(RunRecord)
_annotation = TypeAdapter(AnnotationRow)


class ImportedRun(NamedTuple):
    """A line of an export: the run, its annotation, and the packs of its events with the index of their first event.

    Only a run with probabilities has events in an export.
    """

    record: RunRecord
    annotation: AnnotationRow
    packs: list[tuple[int, bytes]]


class ImportRefused(UserError):
    """A line differs from an export's. The message names the line and says why."""


def import_runs(log: OwnedLog, lines: Iterable[str]) -> int:
    """Add the runs of an export to the log, each under a new id and as the owner's; returns their number.

    Raises ImportRefused at the first incomplete or changed line, and DatabaseUnavailable; the runs of earlier lines may
    already be added.
    """
    read = (read_line(number, line) for number, line in enumerate(lines, 1) if line.strip())
    added = 0
    while step := [run._replace(record=_as_new(run.record, log.owner)) for run in islice(read, _IMPORT_STEP)]:
        log.write(lambda connection, step=step: _insert(connection, step))  # type: ignore[misc]
        added += len(step)
    return added


def lines_of(file: TextIO) -> Iterator[str]:
    """The lines of a file; a line that is too long is cut and thereby refused."""
    return iter(lambda: file.readline(_LONGEST_LINE + 1), "")


def read_line(number: int, line: str) -> ImportedRun:
    """The run of one line of an export. Raises ImportRefused."""
    if len(line) > _LONGEST_LINE or holds_too_much(line, _MAX_COMMAS):
        raise ImportRefused(sentences.LINE_TOO_LONG.format(number=number))
    try:
        content = json.loads(line.removeprefix("\ufeff"))  # some editors write it at the start of a file
    except (ValueError, RecursionError):
        raise ImportRefused(sentences.LINE_NOT_JSON.format(number=number)) from None
    if not isinstance(content, dict) or content.get("sha256") != digest(content):
        raise ImportRefused(sentences.LINE_CHANGED.format(number=number))
    for name in ("sha256", *TOKEN_COLUMNS):
        content.pop(name, None)
    packs = content.pop(EVENT_PACKS, [])
    annotation = {name: content.pop(name) for name in ANNOTATED if name in content}
    unknown = content.keys() - set(EXPORTED)
    if unknown:
        raise ImportRefused(sentences.LINE_OF_NEWER_VERSION.format(number=number))
    try:
        record = _record.validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        raise ImportRefused(sentences.LINE_NOT_A_RUN.format(number=number, wrong=_place(error))) from None
    if wrong := next(wrong_facts(record), None):
        raise ImportRefused(sentences.LINE_NOT_A_RUN.format(number=number, wrong=wrong))
    try:
        annotation_row = _annotation.validate_python(annotation, strict=True)
    except ValidationError as error:
        raise ImportRefused(sentences.LINE_NOT_AN_ANNOTATION.format(number=number, wrong=_place(error))) from None
    try:
        return ImportedRun(record, annotation_row, _repacked(packs))
    except (ValueError, TypeError):
        raise ImportRefused(sentences.LINE_NOT_A_RUN.format(number=number, wrong=EVENT_PACKS)) from None


def _repacked(packs: Any) -> list[tuple[int, bytes]]:
    """The events of packs, in packs of this release. Raises ValueError, TypeError for anything that no log keeps."""
    limits, characters = Limits(), 0
    stored_events: list[StoredEvent] = []
    for pack in packs:
        events_of_pack = unpack(base64.b64decode(pack, validate=True))
        stored_events += events_of_pack
        characters += sum(len(event.name) + len(event.data) for event in events_of_pack)
        if characters > limits.max_kept_event_chars or len(stored_events) > limits.max_kept_events:
            raise ValueError
    return list(packed(stored_events)) if stored_events else []


def _as_new(record: RunRecord, owner: str) -> RunRecord:
    """The run under a new id, with the search texts of its request, also for exports of older versions."""
    return replace(record, id=uuid.uuid4().hex, owner=owner, **summarize_request(record.request_body)._asdict())


def _insert(connection: Connection, step: list[ImportedRun]) -> None:
    connection.execute(insert(runs), [to_row(run.record) for run in step])
    packs = [
        {"run_id": run.record.id, "first": first, "content": content} for run in step for first, content in run.packs
    ]
    if packs:
        connection.execute(insert(events), packs)
    moment = utc_now()
    annotated = [
        {"run_id": run.record.id, "changed_at": moment, **run.annotation._asdict()}
        for run in step
        if run.annotation != AnnotationRow()
    ]
    if annotated:
        connection.execute(insert(run_annotations), annotated)


def _place(error: ValidationError) -> str:
    return ".".join(map(str, error.errors()[0]["loc"])) or "something"


def wrong_facts(record: RunRecord) -> Iterator[str]:
    """The names of the facts that no run of this log has with such a value."""
    if record.status not in _FINAL:
        yield "status"
    for name in ("created_at", "heartbeat_at", "finished_at"):
        moment = getattr(record, name)
        if moment is not None and not _is_moment(moment):
            yield name
    for column in runs.columns:
        value = getattr(record, column.name)
        if isinstance(column.type, String) and column.type.length and value and len(value) > column.type.length:
            yield column.name
    values = [value for name in FACTS if (value := getattr(record, name)) is not None]
    if any(storable(value) != value for value in values):
        yield "a text or a number"
    if not _is_list_of_texts(record.warnings):
        yield "warnings"
    try:
        record.choices_beyond_first()
    except ValueError:
        yield "further_choices"


def _is_moment(text: str) -> bool:
    try:
        return _MOMENT.fullmatch(text) is not None and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def _is_list_of_texts(text: str) -> bool:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(items, list) and all(isinstance(item, str) for item in items)
