from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.log import parquet
from components.log.database import Database
from components.log.export import ANNOTATED, EXPORTED, finished_rows
from components.log.log import Log
from components.log.parquet import write_parquet
from components.log.query import QueryFailed
from components.log.record import RunRecord
from components.log.tables import runs, to_row
from tests.log.many_rows import FIRST
from tests.log.test_export import finished, written

TEXTS = st.text(st.characters(codec=None), max_size=50)
COUNTS = st.none() | st.integers(-(2**63), 2**63 - 1)
TIMES = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@pytest.fixture
def log(sqlite_url: str) -> Iterator[Log]:
    """Rows are read by way of the export, which is tested on both kinds of database."""
    opened = Log(sqlite_url)
    yield opened
    opened.close()


def logged(log: Log, *records: RunRecord) -> None:
    log.write(lambda connection: connection.execute(runs.delete()))
    log.write(lambda connection: connection.execute(runs.insert(), [to_row(record) for record in records]))


def columns_of(log: Log, path: Path) -> dict[str, list[Any]]:
    write_parquet(log.database, path)
    read: dict[str, list[Any]] = pq.read_table(path).to_pydict()
    return read


@given(text=TEXTS, error=st.none() | TEXTS, tokens=COUNTS, time_ms=TIMES, streamed=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_field_is_read_back_as_the_log_has_it(
    log: Log, tmp_path: Path, text: str, error: str | None, tokens: int | None, time_ms: float | None, streamed: bool
) -> None:
    record = replace(
        finished().record(), text=text, error_message=error, prompt_tokens=tokens, ttft_ms=time_ms, streamed=streamed
    )
    logged(log, record)
    read = columns_of(log, tmp_path / "runs.parquet")
    moments = {"created_at", "heartbeat_at", "finished_at"}
    kept_here = {"owner", *moments}
    others = {*ANNOTATED, *moments}
    assert {name: value for name, (value,) in read.items() if name not in others} == {
        name: value for name, value in to_row(record).items() if name not in kept_here
    }
    for name in moments:
        assert read[name] == [datetime.fromisoformat(asdict(record)[name])]


def test_columns_have_the_types_of_their_fields(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    assert write_parquet(log.database, path) == 0
    schema = pq.read_schema(path)
    assert schema.names == [*EXPORTED, *ANNOTATED]
    assert schema.field("created_at").type == pa.timestamp("us", tz="UTC")
    assert schema.field("prompt_tokens").type == pa.int64()
    assert schema.field("ttft_ms").type == pa.float64()
    assert schema.field("streamed") == pa.field("streamed", pa.bool_(), nullable=False)
    assert schema.field("warnings") == pa.field("warnings", pa.string(), nullable=False)
    assert schema.field("error_message") == pa.field("error_message", pa.string())


def test_a_field_that_was_omitted_null_or_a_value_is_so_in_the_body_that_is_read_back(log: Log, tmp_path: Path) -> None:
    bodies = ['{"model": "m"}', '{"model":  "m", "top_p": null}', '{"model": "m", "top_p": 1.0}']
    first = finished().record()
    logged(log, *(replace(first, id=f"{n:032x}", request_body=body) for n, body in enumerate(bodies)))
    read = columns_of(log, tmp_path / "runs.parquet")["request_body"]
    assert read == bodies
    assert [json.loads(body).get("top_p", "omitted") for body in read] == ["omitted", None, 1.0]


def test_a_moment_that_no_calendar_has_is_not_known(log: Log, tmp_path: Path) -> None:
    logged(log, replace(finished().record(), created_at="2026-99-99T00:00:00.000000Z"))
    assert columns_of(log, tmp_path / "runs.parquet")["created_at"] == [None]


@pytest.mark.parametrize(("limit", "value"), [("_MOST_ROWS", 4), ("_MOST_CHARACTERS", 4_000)])
def test_no_more_than_one_row_group_is_in_memory(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(parquet, limit, value)
    records = [
        replace(finished("x" * 900).record(), created_at=f"2026-01-01T00:00:{n:02}.000000Z", position=n)
        for n in range(30)
    ]
    logged(log, *records)
    read = 0
    most_waiting = 0
    progress: list[int] = []

    def counted(database: Database, where: Any) -> Iterator[dict[str, Any]]:
        nonlocal read, most_waiting
        for row in finished_rows(database, where):
            read += 1
            most_waiting = max(most_waiting, read - (progress[-1] if progress else 0))
            yield row

    monkeypatch.setattr(parquet, "finished_rows", counted)
    path = tmp_path / "runs.parquet"
    assert write_parquet(log.database, path, on_progress=progress.append) == 30
    file = pq.ParquetFile(path)
    groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert len(groups) > 5
    assert max(groups) == most_waiting <= 4
    assert progress == [sum(groups[: n + 1]) for n in range(len(groups))]
    assert file.read(["position"]).to_pydict()["position"] == list(range(30))


def test_a_condition_leaves_out_all_other_runs(log: Log, tmp_path: Path) -> None:
    written(log, 5)
    path = tmp_path / "runs.parquet"
    assert write_parquet(log.database, path, runs.c.prompt_tokens >= 3) == 2
    moments = pq.read_table(path).to_pydict()["created_at"]
    assert moments == [FIRST + timedelta(seconds=number) for number in (3, 4)]
    assert moments[0].tzinfo is not None
    assert moments[0].utcoffset() == datetime.now(UTC).utcoffset()


def test_a_log_that_cannot_be_read_to_its_end_leaves_no_file(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(log, 1)

    def breaks_off(database: Database, where: Any) -> Iterator[dict[str, Any]]:
        yield from finished_rows(database, where)
        raise QueryFailed("The log cannot be read.")

    monkeypatch.setattr(parquet, "_MOST_ROWS", 1)
    monkeypatch.setattr(parquet, "finished_rows", breaks_off)
    path = tmp_path / "runs.parquet"
    with pytest.raises(QueryFailed):
        write_parquet(log.database, path)
    assert not path.exists()


def test_a_place_that_takes_no_file_is_an_error_of_the_system(log: Log, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        write_parquet(log.database, tmp_path / "missing" / "runs.parquet")
    with pytest.raises(OSError, match="directory"):
        write_parquet(log.database, tmp_path)
    assert tmp_path.is_dir()
