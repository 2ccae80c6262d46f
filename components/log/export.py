"""Runs as JSON Lines, out of one log and into another. Each line carries a SHA-256 of what it says."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, NamedTuple, TextIO, get_type_hints

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, Connection, String, func, insert, select, tuple_

from components.contract.strict_json import holds_too_much
from components.log.database import Database
from components.log.further_choices import further_choices
from components.log.owned import OwnedLog
from components.log.query import read_rows
from components.log.record import FACTS, TYPES, RunRecord, utc_now
from components.log.request_summary import asked_in
from components.log.storable import storable_text
from components.log.tables import owned, run_annotations, runs, to_row
from components.streaming.outcome import Status

# How far one transaction looks for runs of a condition, so that a rare one does not take it beyond its time.
_EXAMINED_AT_ONCE = 2_000
# Few, because each may hold two million characters.
_READ_AT_ONCE = 25
_IMPORT_STEP = 100
_LONGEST_LINE = 10_000_000
"""Characters. The longest answer with the longest request has fewer."""
_MOST_COMMAS = 200_000
"""And opening brackets, nearly all of them in texts: a run itself has some fifty."""

_NOT_HASHED = ("id", "sha256")
EXPORTED = tuple(name for name in FACTS if name != "owner")
"""The fields of a run that leave the log, in every kind of file."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_Text = Annotated[str, Field(max_length=20_000), AfterValidator(storable_text)]
_FINAL = {status.value for status in Status} - {Status.RUNNING.value}
_record = TypeAdapter(RunRecord)


class _Said(NamedTuple):
    """An annotation as its row has it."""

    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    tags: _Text = ""
    notes: _Text = ""


_annotation = TypeAdapter(_Said)
ANNOTATED = _Said._fields
"""What people said about it, which leaves as well: stars or None, tags as lines, notes."""
COLUMNS = {name: TYPES[name] for name in EXPORTED} | get_type_hints(_Said)
"""The columns of a table of runs, in every kind of file that is one, with the types of their values."""


class ImportRefused(Exception):
    """A line is not what an export wrote. The message is a sentence that names the line and says why."""


def export_runs(database: Database, where: ColumnElement[bool] | None = None) -> Iterator[str]:
    """Every finished run that ``finished_rows`` gives, one line each. Raises QueryFailed."""
    for row in finished_rows(database, where):
        yield _json({**row, "sha256": _digest(row)}) + "\n"


def finished_rows(database: Database, where: ColumnElement[bool] | None = None) -> Iterator[dict[str, Any]]:
    """Every finished run of the owner, with what is EXPORTED and ANNOTATED, oldest first; at most 25 are in memory.

    ``where`` is a further condition on the table ``runs``; what other tables say goes into it as a subquery. Each step
    is a short reading transaction, so a run that is deleted meanwhile is left out. Raises QueryFailed.
    """
    key = (runs.c.created_at, runs.c.id)
    wanted = [runs.c.status != Status.RUNNING.value, *([] if where is None else [where])]
    said = [
        run_annotations.c.rating,
        *(func.coalesce(run_annotations.c[name], "").label(name) for name in ANNOTATED[1:]),
    ]
    exported = select(*(runs.c[name] for name in EXPORTED), *said).select_from(runs.outerjoin(run_annotations))
    after = ("", "")
    while True:
        beyond = (tuple_(*key) > after) & owned(runs, database.owner)
        examined = read_rows(database, select(*key).where(beyond).order_by(*key).limit(_EXAMINED_AT_ONCE))
        if not examined:
            return
        after = (examined[-1]["created_at"], examined[-1]["id"])
        found = select(runs.c.id).where(beyond, tuple_(*key) <= after, *wanted).order_by(*key)
        ids = [row["id"] for row in read_rows(database, found)]
        for begin in range(0, len(ids), _READ_AT_ONCE):
            these = runs.c.id.in_(ids[begin : begin + _READ_AT_ONCE]) & owned(runs, database.owner)
            yield from read_rows(database, exported.where(these).order_by(*key))


def import_runs(log: OwnedLog, lines: Iterable[str]) -> int:
    """Add the runs of an export to the log, each under a new id and as the owner's; how many those were.

    Raises ImportRefused at the first line that is not whole and unchanged, DatabaseUnavailable; the runs of the lines
    before it may have been added by then.
    """
    read = (_read(number, line) for number, line in enumerate(lines, 1) if line.strip())
    added = 0
    while step := [(_as_new(record, log.owner), said) for record, said in islice(read, _IMPORT_STEP)]:
        log.write(lambda connection, step=step: _insert(connection, step))  # type: ignore[misc]
        added += len(step)
    return added


def lines_of(file: TextIO) -> Iterator[str]:
    """The lines of a file; of one that is far too long the beginning alone, which is refused."""
    return iter(lambda: file.readline(_LONGEST_LINE + 1), "")


def read_line(number: int, line: str) -> RunRecord:
    """The run that one line of an export holds. Raises ImportRefused."""
    return _read(number, line)[0]


def _read(number: int, line: str) -> tuple[RunRecord, _Said]:
    if len(line) > _LONGEST_LINE or holds_too_much(line, _MOST_COMMAS):
        raise ImportRefused(f"Line {number} is far longer than any run. Remove it from the file.")
    try:
        content = json.loads(line.removeprefix("\ufeff"))  # with which some editors begin a file
    except (ValueError, RecursionError):
        raise ImportRefused(f"Line {number} is no JSON.") from None
    if not isinstance(content, dict) or content.get("sha256") != _digest(content):
        raise ImportRefused(f"Line {number} was changed after it was exported, or is no exported run.")
    del content["sha256"]
    said = {name: content.pop(name) for name in ANNOTATED if name in content}
    unknown = content.keys() - set(EXPORTED)
    if unknown:
        raise ImportRefused(f"Line {number} was written by a newer version of Tempera. Update Tempera.")
    try:
        record = _record.validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        raise ImportRefused(f"Line {number}: {_place(error)} is not what a run holds.") from None
    if wrong := next(_wrong_columns(record), None):
        raise ImportRefused(f"Line {number}: {wrong} is not what a run holds.")
    try:
        return record, _annotation.validate_python(said, strict=True)
    except ValidationError as error:
        raise ImportRefused(f"Line {number}: {_place(error)} is not what people say about a run.") from None


def _as_new(record: RunRecord, owner: str) -> RunRecord:
    """The run under a new id, and found by what it asked, also when an older version exported it."""
    return replace(record, id=uuid.uuid4().hex, owner=owner, **asked_in(record.request_body)._asdict())


def _insert(connection: Connection, step: list[tuple[RunRecord, _Said]]) -> None:
    connection.execute(insert(runs), [to_row(record) for record, _said in step])
    moment = utc_now()
    annotated = [
        {"run_id": record.id, "changed_at": moment, **said._asdict()} for record, said in step if said != _Said()
    ]
    if annotated:
        connection.execute(insert(run_annotations), annotated)


def _json(content: Mapping[str, Any]) -> str:
    line = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for end_of_line in "\x85\u2028\u2029":  # to str.splitlines, though not to JSON Lines
        line = line.replace(end_of_line, f"\\u{ord(end_of_line):04x}")
    return line


def _digest(content: Mapping[str, Any]) -> str:
    hashed = {name: content[name] for name in sorted(content) if name not in _NOT_HASHED}
    # Text from outside may hold half a surrogate; escaped, everything can be hashed.
    return hashlib.sha256(json.dumps(hashed, separators=(",", ":")).encode()).hexdigest()


def _place(error: ValidationError) -> str:
    return ".".join(map(str, error.errors()[0]["loc"])) or "something"


def _wrong_columns(record: RunRecord) -> Iterator[str]:
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
    if to_row(record) != {name: getattr(record, name) for name in FACTS}:
        yield "a text or a number"
    if not _is_list_of_texts(record.warnings):
        yield "warnings"
    try:
        further_choices(record)
    except ValueError:
        yield "further_choices"


def _is_moment(text: str) -> bool:
    try:
        return _MOMENT.fullmatch(text) is not None and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def _is_list_of_texts(text: str) -> bool:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, list) and all(isinstance(one, str) for one in found)
