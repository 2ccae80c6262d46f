"""Exports of finished runs: a table of formats, each with its function. A format is added here alone."""

from __future__ import annotations

import base64
import codecs
import csv
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from pydantic import AfterValidator, Field
from sqlalchemy import ColumnElement, func, select, tuple_

from components.contract.token_probabilities import Alternative, Token, octets
from components.log.answer_tokens import tokens_of
from components.log.database import Database
from components.log.formula_safe import formula_safe
from components.log.query import events_of, packs_of, read_rows
from components.log.record import FACTS, TYPES
from components.log.storable import storable_text
from components.log.tables import ENDED, owned, owned_runs, run_annotations, runs

_CHARACTERS_OF_A_TOKEN = 500
"""In memory, with its alternatives."""
_PIECE_BYTES = 262_144

_NOT_HASHED = ("id", "sha256")
_Text = Annotated[str, Field(max_length=20_000), AfterValidator(storable_text)]


@dataclass(frozen=True)
class Steps:
    """The size of one step of an export, which bounds its memory and each of its transactions.

    ``examined`` runs are checked in one transaction, so that a rare condition stays within the time limit. ``read``
    runs are read in one: few, because each may hold two million characters. ``rows`` or ``characters`` fill a group of
    a Parquet file.
    """

    examined: int = 2_000
    read: int = 25
    rows: int = 5_000
    characters: int = 16_000_000


_STEPS = Steps()


class AnnotationRow(NamedTuple):
    """The annotation columns of a run: stars or None, tags as lines, notes."""

    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    tags: _Text = ""
    notes: _Text = ""


EXPORTED = tuple(name for name in FACTS if name != "owner")
"""The facts of a run in every export format."""
ANNOTATED = AnnotationRow._fields
"""The annotations, which are exported as well."""
TOKEN_COLUMNS = ("tokens", "token_logprobs", "top_logprobs")
"""Lists of a run with probabilities, in JSON Lines and Parquet; importing reads the EVENT_PACKS instead."""
EVENT_PACKS = "event_packs"
"""The events of a run with probabilities as the log keeps them, in JSON Lines: packs in Base64."""
COLUMNS = {name: TYPES[name] for name in EXPORTED} | get_type_hints(AnnotationRow)
"""The columns of tabular exports, with the types of their values."""

_ARROW_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
_MOMENTS = tuple(name for name in COLUMNS if name.endswith("_at"))


def finished_rows(
    database: Database, where: ColumnElement[bool] | None = None, steps: Steps = _STEPS
) -> Iterator[dict[str, Any]]:
    """The owner's finished runs with EXPORTED and ANNOTATED columns, oldest first, one step in memory.

    ``where`` is a further condition on the table ``runs``; conditions on other tables go into it as subqueries. Each
    step is a short reading transaction, so a run that is deleted by then is left out. Raises QueryFailed.
    """
    key = (runs.c.created_at, runs.c.id)
    conditions = [ENDED, *([] if where is None else [where])]
    annotation = [
        run_annotations.c.rating,
        *(func.coalesce(run_annotations.c[name], "").label(name) for name in ANNOTATED[1:]),
    ]
    exported = select(*(runs.c[name] for name in EXPORTED), *annotation).select_from(runs.outerjoin(run_annotations))
    after = ("", "")
    while True:
        remaining = (tuple_(*key) > after) & owned(runs, database.owner)
        # The last key of the step alone: all keys of a million runs took most of the time of a rare condition.
        last = read_rows(database, select(*key).where(remaining).order_by(*key).offset(steps.examined - 1).limit(1))
        end = (last[0]["created_at"], last[0]["id"]) if last else None
        step = remaining if end is None else remaining & (tuple_(*key) <= end)
        matches = read_rows(database, select(runs.c.id).where(step, *conditions).order_by(*key))
        for begin in range(0, len(matches), steps.read):
            batch = owned_runs(database.owner, [row["id"] for row in matches[begin : begin + steps.read]])
            yield from read_rows(database, exported.where(batch).order_by(*key))
        if end is None:
            return
        after = end


def with_tokens(database: Database, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with the TOKEN_COLUMNS, if the run has probabilities of tokens. Raises QueryFailed.

    They have the shape of the older completions API: lists side by side, and for each token its alternatives.
    """
    if row["mean_logprob"] is None:
        return dict(row)
    pieces = tokens_of(events_of(database, row["id"]), row["text"]).pieces
    tokens = [token for piece in pieces for token in piece.tokens]
    return {
        **row,
        "tokens": [_token_name(token) for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [
            {_token_name(each): each.logprob for each in reversed(token.alternatives)} for token in tokens
        ],
    }


def _token_name(token: Token | Alternative) -> str:
    """The token's text, or its bytes where it is a part of a character."""
    raw = octets(token)
    try:
        return storable_text(raw.decode())
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw)


def json_lines(database: Database, where: ColumnElement[bool] | None = None) -> Iterator[bytes]:
    """The runs of ``finished_rows`` as JSON Lines, with their tokens. Raises QueryFailed.

    A run with probabilities has its events, too, which hold them: imported, it can be seen by tokens and replayed. In
    UTF-8; lone surrogates survive.
    """
    for row in (with_tokens(database, row) for row in finished_rows(database, where)):
        if row["mean_logprob"] is not None:
            row[EVENT_PACKS] = [base64.b64encode(pack).decode() for pack in packs_of(database, row["id"])]
        yield f"{_json({**row, 'sha256': digest(row)})}\n".encode("utf-8", "surrogatepass")


def _json(content: Mapping[str, Any]) -> str:
    line = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for end_of_line in "\x85\u2028\u2029":  # line ends for str.splitlines, not for JSON Lines
        line = line.replace(end_of_line, f"\\u{ord(end_of_line):04x}")
    return line


def digest(content: Mapping[str, Any]) -> str:
    """The SHA-256 of a run without its id; detects a changed line."""
    hashed = {name: content[name] for name in sorted(content) if name not in _NOT_HASHED}
    # Untrusted text may hold a lone surrogate; escaped, everything can be hashed.
    return hashlib.sha256(json.dumps(hashed, separators=(",", ":")).encode()).hexdigest()


class _Piece:
    """A target for ``csv.writer`` whose ``writerow`` returns the line."""

    def write(self, line: str) -> bytes:
        return line.encode()


def csv_lines(database: Database, where: ColumnElement[bool] | None = None, steps: Steps = _STEPS) -> Iterator[bytes]:
    """CSV: the names of the COLUMNS, then the runs of ``finished_rows``, one line each.

    UTF-8 in the format of RFC 4180, with a byte order mark, without which spreadsheets assume another encoding. Unknown
    values are empty cells. A text that a spreadsheet would compute begins with an apostrophe. Raises QueryFailed.
    """
    # RFC 4180 line ends, so that a text with a lone CR or LF is quoted.
    writer = csv.writer(_Piece(), lineterminator="\r\n")
    yield codecs.BOM_UTF8 + writer.writerow(COLUMNS)
    for row in finished_rows(database, where, steps):
        yield writer.writerow([formula_safe(row[name]) for name in COLUMNS])


def parquet_pieces(
    database: Database, where: ColumnElement[bool] | None = None, steps: Steps = _STEPS
) -> Iterator[bytes]:
    """A Parquet file with the runs of ``finished_rows``, one row each, in the COLUMNS.

    Timestamps are in UTC with microseconds, counts int64, durations double in the units of RunRecord; JSON stays text,
    and ``request_body`` is the exact text. Memory holds one row group: at most 5,000 runs or 16 million characters of
    text. Raises QueryFailed, OSError.
    """
    # A Parquet file ends with the index of its parts, so it is complete before it is sent.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.parquet"
        with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
            rows = (with_tokens(database, row) for row in finished_rows(database, where, steps))
            for group in _groups(rows, steps):
                writer.write_table(pa.Table.from_pylist(group, schema=_SCHEMA))
                # Otherwise it stays in memory while the next group is gathered.
                del group
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece


def _groups(rows: Iterable[Mapping[str, Any]], steps: Steps) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    characters = 0
    for row in rows:
        group.append({**row, **{name: _moment(row[name]) for name in _MOMENTS}})
        characters += sum(len(value) for value in row.values() if isinstance(value, str))
        characters += _CHARACTERS_OF_A_TOKEN * len(row.get("tokens", ()))
        if len(group) >= steps.rows or characters >= steps.characters:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _moment(text: str | None) -> datetime | None:
    """The timestamp in the log's text; None for an impossible date, which an import may have brought."""
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None


def _column(name: str, hint: Any) -> pa.Field:
    if name in _MOMENTS:
        return pa.field(name, pa.timestamp("us", tz="UTC"))
    kinds = get_args(hint) or (hint,)
    (kind,) = (each for each in kinds if each is not NoneType)
    return pa.field(name, _ARROW_TYPES[kind], nullable=NoneType in kinds)


_SCHEMA = pa.schema(
    [
        *(_column(name, hint) for name, hint in COLUMNS.items()),
        pa.field("tokens", pa.list_(pa.string())),
        pa.field("token_logprobs", pa.list_(pa.float64())),
        pa.field("top_logprobs", pa.list_(pa.map_(pa.string(), pa.float64()))),
    ]
)


@dataclass(frozen=True)
class Format:
    """An export format: its label, its purpose, its media type, and the function that yields its pieces."""

    label: str
    purpose: str
    media_type: str
    pieces: Callable[[Database, ColumnElement[bool]], Iterator[bytes]]


FORMATS = {
    "csv": Format(
        "CSV",
        "For spreadsheets. Texts that a spreadsheet would compute begin with an apostrophe.",
        "text/csv; charset=utf-8",
        csv_lines,
    ),
    "jsonl": Format("JSON Lines", "Exact, and can be imported again.", "application/jsonl", json_lines),
    "parquet": Format(
        "Parquet", "Typed columns, for pandas, Polars and DuckDB.", "application/vnd.apache.parquet", parquet_pieces
    ),
}
"""The formats by file extension, in the order of the Runs page; the server serves them."""
