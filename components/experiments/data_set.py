"""Data sets: rows of inputs whose columns fill the ``{{variables}}`` of a prompt, read from CSV or JSON lines."""

from __future__ import annotations

import codecs
import csv
import io
import json
import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from components.contract.errors import plain_text
from components.contract.strict_json import read_json
from components.counted import counted
from components.drafts.change import Change
from components.drafts.draft import Draft
from components.experiments import sentences
from components.experiments.problem import SweepProblem
from components.snippets.nesting import MAX_LEVELS, nests_too_deeply
from components.streaming.guard import safe_text

MAX_CHARACTERS = 1_000_000
MAX_DATA_ROWS = 10_000
MAX_BYTES = 4 * MAX_CHARACTERS + len(codecs.BOM_UTF8)
"""A longer file holds more than ``MAX_CHARACTERS``: UTF-8 needs at most four bytes a character."""

_DELIMITERS = ",;\t|"
_JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
_CSV_ENDINGS = (".csv", ".tsv")
_MAX_NAMED = 10
_MAX_EMPTY = 1_000
"""Empty lines of a CSV file. Each candidate delimiter reads them once."""
_MAX_NAMES_CHARS = 10 * MAX_CHARACTERS

_Lines = Iterator[tuple[int, dict[str, str]]]


class DataSetProblem(SweepProblem):
    """The file is not a data set; the text has the reason, the place and the next step."""


@dataclass(frozen=True)
class DataSet:
    """Inputs in their order; each row has a text for each of the columns."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


def read_data_set(
    name: str, content: bytes, size: int | None = None, *, max_characters: int | None = MAX_CHARACTERS
) -> DataSet:
    """The data set in a file, or in a pasted text with an empty name. Raises DataSetProblem.

    CSV begins with a line of names; the delimiter is that of comma, semicolon, tab and bar which gives the most
    columns, and as many in the next line. JSON lines are objects with the same keys; other values than text
    stay JSON, and null is empty.
    The file's name gives the format, else its first line. ``size`` is that of the whole file in bytes, where
    ``content`` is only its beginning; more than ``MAX_BYTES`` is refused. ``max_characters`` is None
    for text written by Tempera, of any length.
    """
    name = plain_text(name) or "the data set"
    if max_characters is not None and max(size or 0, len(content)) > MAX_BYTES:
        raise _too_large(name)
    text = read_text(name, content)
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise DataSetProblem(sentences.DATA_WITH_NUL.format(line=line, name=name))
    if max_characters is not None and len(text) > max_characters:
        raise _too_large(name)
    lines = _json_lines(name, text) if _holds_json(name, text) else _csv_lines(name, text)
    rows: list[dict[str, str]] = []
    for number, row in lines:
        if rows and row.keys() != rows[0].keys():
            raise DataSetProblem(_other_keys(name, number, row, rows[0]))
        rows.append(row)
        if len(rows) > MAX_DATA_ROWS:
            raise DataSetProblem(sentences.DATA_TOO_MANY_ROWS.format(name=_capital(name), limit=MAX_DATA_ROWS))
    if not rows:
        raise DataSetProblem(sentences.DATA_WITHOUT_ROWS.format(name=_capital(name)))
    # Each input is stored with its names; long names would be written ten thousand times.
    if len(rows) * sum(map(len, rows[0])) > _MAX_NAMES_CHARS:
        raise DataSetProblem(sentences.DATA_LONG_COLUMN_NAMES.format(name=_capital(name)))
    return DataSet(tuple(rows[0]), tuple(rows))


def sample(data_set: DataSet, count: int, seed: int) -> DataSet:
    """A random sample of rows in their order; all rows when there are no more.

    The same seed gives the same rows.
    """
    if count >= len(data_set.rows):
        return data_set
    chosen = random.Random(seed).sample(range(len(data_set.rows)), count)  # noqa: S311 - a sample, no secret
    return replace(data_set, rows=tuple(data_set.rows[place] for place in sorted(chosen)))


def problem_with(data_set: DataSet, draft: Draft, axes: Collection[str]) -> str | None:
    """Why a data set cannot fill the variables of a prompt that have neither a value nor an axis; else None."""
    open_names = [name for name in draft.variable_names if name in data_set.columns or not draft.variables.get(name)]
    variable_names = [name for name in open_names if f"{{{{{name}}}}}" not in axes]
    columns = _named(data_set.columns)
    if not variable_names:
        return sentences.DATA_OF_OTHER_VARIABLES.format(columns=columns, column=data_set.columns[0])
    missing = [f"{{{{{name}}}}}" for name in variable_names if name not in data_set.columns]
    if missing:
        return sentences.DATA_WITHOUT_VARIABLES.format(missing=_named(missing), columns=columns)
    for number, row in enumerate(data_set.rows, 1):
        for name in variable_names:
            if not row[name]:
                return sentences.DATA_WITHOUT_VALUE.format(number=number, name=name)
    return None


def with_input(draft: Draft, row: Mapping[str, str]) -> Draft:
    """The draft with a row's texts as values of its variables, verbatim: ``base`` and ``null`` are text."""
    used = {name: text for name, text in row.items() if name in draft.variable_names}
    return Change(variables=used).apply(draft)


def as_json_lines(rows: Iterable[Mapping[str, str]]) -> str:
    """Rows as text from which ``read_data_set`` reads the same rows."""
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


def _too_large(name: str) -> DataSetProblem:
    return DataSetProblem(sentences.DATA_TOO_LONG.format(name=_capital(name), limit=MAX_CHARACTERS))


def read_text(name: str, content: bytes) -> str:
    """The text in the file of this name. Raises DataSetProblem when it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataSetProblem(sentences.DATA_NOT_UTF8.format(line=line, name=name)) from None


def _holds_json(name: str, text: str) -> bool:
    if name.lower().endswith(_CSV_ENDINGS):
        return False
    if name.lower().endswith(_JSON_ENDINGS):
        return True
    # A column name may be written as a variable, in double braces.
    return text.lstrip().startswith(("{", "[")) and not text.lstrip().startswith("{{")


def _json_lines(name: str, text: str) -> _Lines:
    # Only at line feeds: JSON may contain other line ends.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = read_json(line)
        except json.JSONDecodeError as error:
            raise DataSetProblem(
                sentences.DATA_NOT_JSON.format(number=number, name=name, problem=error.msg, column=error.colno)
            ) from None
        except ValueError as error:
            raise DataSetProblem(sentences.DATA_UNREADABLE.format(number=number, name=name, error=error)) from None
        if not isinstance(value, dict) or not value:
            raise DataSetProblem(sentences.DATA_NOT_AN_OBJECT.format(number=number, name=name))
        if nests_too_deeply(value):
            raise DataSetProblem(sentences.DATA_TOO_DEEP.format(number=number, name=name, max_levels=MAX_LEVELS))
        yield number, {safe_text(key): _as_text(inner) for key, inner in value.items()}


def _csv_lines(name: str, text: str) -> _Lines:
    records = _records(name, text, _delimiter(text))
    first_line, header = next(records, (1, []))
    columns: dict[str, None] = {}
    for place, column in enumerate((column.strip() for column in header), 1):
        if not column:
            raise DataSetProblem(sentences.DATA_COLUMN_WITHOUT_NAME.format(line=first_line, name=name, place=place))
        if column in columns:
            raise DataSetProblem(sentences.DATA_COLUMN_TWICE.format(line=first_line, name=name, column=column))
        columns[column] = None
    for number, record in records:
        if len(record) != len(columns):
            raise DataSetProblem(
                sentences.DATA_WRONG_COLUMN_COUNT.format(
                    number=number, name=name, fields=counted(len(record), "column"), columns=len(columns)
                )
            )
        yield number, dict(zip(columns, record, strict=True))


def _records(name: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    # Quoted line ends: a record begins on the line after the end of the last one.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    empty = 0
    while empty <= _MAX_EMPTY:
        number = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataSetProblem(sentences.DATA_NOT_CSV.format(number=number, name=name, error=error)) from None
        # Exported tables often end in lines of only delimiters.
        if any(cell.strip() for cell in record):
            yield number, record
        else:
            empty += 1
    raise DataSetProblem(sentences.DATA_TOO_MANY_EMPTY_LINES.format(name=_capital(name), limit=_MAX_EMPTY))


def _delimiter(text: str) -> str:
    def parts_by(delimiter: str) -> tuple[bool, int]:
        records = (record for _, record in _records("", text, delimiter))
        try:
            header = next(records, [])
            first = next(records, header)
        except DataSetProblem:
            return False, 0
        return len(first) == len(header) > 1, len(header)

    # The first of equals: a single column shows no delimiter.
    return max(_DELIMITERS, key=parts_by)


def _other_keys(name: str, number: int, row: Collection[str], first: Collection[str]) -> str:
    lacking = [key for key in first if key not in row]
    further = [key for key in row if key not in first]
    differs = f"lacks {_named(lacking)}" if lacking else f"has {_named(further)}, which the first line lacks"
    return sentences.DATA_OF_OTHER_KEYS.format(line=number, name=name, differs=differs)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return safe_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _named(names: Sequence[str]) -> str:
    further = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {further:,} more" if further > 0 else "")


def _capital(words: str) -> str:
    return "The data set" if words == "the data set" else words
