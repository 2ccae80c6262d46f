"""Runs as a Parquet file with typed columns, for pandas, Polars, DuckDB and the like."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from sqlalchemy import ColumnElement

from components.log.database import Database
from components.log.export import COLUMNS, finished_rows

_MOST_ROWS = 5_000
_MOST_CHARACTERS = 16_000_000
_PIECE_BYTES = 262_144

_MOMENTS = tuple(name for name in COLUMNS if name.endswith("_at"))
_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


def write_parquet(
    database: Database,
    path: Path,
    where: ColumnElement[bool] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Write every finished run that ``finished_rows`` gives, one row each; how many those were.

    The columns are COLUMNS: moments as timestamps in UTC with microseconds, counts as
    int64, times as double in the units of RunRecord; what is JSON there stays text, and ``request_body`` is the exact
    text. ``path`` is replaced. ``on_progress`` is called after each row group with how many runs have been written so
    far. One row group at a time is in memory: at most 5,000 runs, or so many that their texts have 16 million
    characters.

    Raises QueryFailed, and OSError when the file cannot be written; no file is left then.
    """
    written = 0
    with ExitStack() as undo:
        with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
            undo.callback(path.unlink)
            for group in _groups(finished_rows(database, where)):
                writer.write_table(pa.Table.from_pylist(group, schema=_SCHEMA))
                written += len(group)
                if on_progress:
                    on_progress(written)
                # It would be in memory while the next one is gathered.
                del group
        undo.pop_all()
    return written


def parquet_pieces(database: Database, where: ColumnElement[bool] | None = None) -> Iterator[bytes]:
    """The file that ``write_parquet`` writes, in pieces. Raises QueryFailed, OSError."""
    # A Parquet file ends with what tells where its parts are, so it is made whole before it goes out.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.parquet"
        write_parquet(database, path, where)
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece


def _groups(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    characters = 0
    for row in rows:
        group.append({**row, **{name: _moment(row[name]) for name in _MOMENTS}})
        characters += sum(len(value) for value in row.values() if isinstance(value, str))
        if len(group) >= _MOST_ROWS or characters >= _MOST_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _moment(text: str | None) -> datetime | None:
    """The moment that the log's text says; None for one that no calendar has, which an import may have brought."""
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None


def _column(name: str, hint: Any) -> pa.Field:
    if name in _MOMENTS:
        return pa.field(name, pa.timestamp("us", tz="UTC"))
    kinds = get_args(hint) or (hint,)
    (kind,) = (one for one in kinds if one is not NoneType)
    return pa.field(name, _TYPES[kind], nullable=NoneType in kinds)


_SCHEMA = pa.schema([_column(name, hint) for name, hint in COLUMNS.items()])
