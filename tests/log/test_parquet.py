from __future__ import annotations

import io
import json
import tempfile
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
from sqlalchemy import event

from components.log.events import pack
from components.log.export import ANNOTATED, EVENT_PACKS, EXPORTED, TOKEN_COLUMNS, Steps, digest, parquet_pieces
from components.log.importing import ImportRefused, import_runs, read_line
from components.log.log import Log
from components.log.query import QueryFailed, events_of
from components.log.record import RunRecord
from components.log.tables import events, runs, to_row
from tests.log.exports import export_runs
from tests.log.many_rows import FIRST
from tests.log.test_answer_tokens import a_token, an_event
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


def file_of(log: Log, where: Any = None) -> pq.ParquetFile:
    return pq.ParquetFile(io.BytesIO(b"".join(parquet_pieces(log.database, where))))


def columns_of(log: Log) -> dict[str, list[Any]]:
    read: dict[str, list[Any]] = file_of(log).read().to_pydict()
    return read


@given(text=TEXTS, error=st.none() | TEXTS, tokens=COUNTS, time_ms=TIMES, streamed=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_field_is_read_back_as_the_log_has_it(
    log: Log, text: str, error: str | None, tokens: int | None, time_ms: float | None, streamed: bool
) -> None:
    record = replace(
        finished().record(), text=text, error_message=error, prompt_tokens=tokens, ttft_ms=time_ms, streamed=streamed
    )
    logged(log, record)
    read = columns_of(log)
    moments = {"created_at", "heartbeat_at", "finished_at"}
    kept_here = {"owner", *moments}
    others = {*ANNOTATED, *moments, *TOKEN_COLUMNS}
    assert {name: value for name, (value,) in read.items() if name not in others} == {
        name: value for name, value in to_row(record).items() if name not in kept_here
    }
    for name in moments:
        assert read[name] == [datetime.fromisoformat(asdict(record)[name])]


def test_tokens_are_lists_and_an_import_restores_the_events(log: Log) -> None:
    half = a_token("\ufffd", b"\xf0\x9f") | {"logprob": -2}
    listed = a_token(" a") | {"top_logprobs": [a_token(" a"), half]}
    event = an_event(" a b", listed, a_token(" b") | {"logprob": -9999})
    record = replace(finished().record(), text=" a b", mean_logprob=-1.0)
    logged(log, record)
    packed = {"run_id": record.id, "first": 0, "content": pack([event])}
    log.write(lambda connection: connection.execute(events.insert(), [packed]))
    [read] = file_of(log).read().to_pylist()
    top = [(" a", -1.0), ("bytes:\\xf0\\x9f", -2.0)]
    lists = [read[name] for name in TOKEN_COLUMNS]
    assert [*lists[:2], [sorted(each) for each in lists[2]]] == [[" a", " b"], [-1.0, None], [top, []]]
    [line] = export_runs(log.database)
    row = json.loads(line)
    assert [row[name] for name in TOKEN_COLUMNS] == [[" a", " b"], [-1.0, None], [dict(top), {}]]
    assert import_runs(log, [line]) == 1
    [imported, _] = sorted(export_runs(log.database), key=lambda each: json.loads(each)["id"] == record.id)
    assert [json.loads(imported)[name] for name in TOKEN_COLUMNS] == [row[name] for name in TOKEN_COLUMNS]
    assert events_of(log.database, json.loads(imported)["id"]) == [event]
    for packs in ("x", ["x"], [1], 1, [row[EVENT_PACKS][0]] * 50_001):
        content = {**row, EVENT_PACKS: packs}
        with pytest.raises(ImportRefused, match="event_packs is not"):
            read_line(1, json.dumps({**content, "sha256": digest(content)}))


def test_columns_have_the_types_of_their_fields(log: Log) -> None:
    schema = file_of(log).schema_arrow
    assert file_of(log).metadata.num_rows == 0
    assert schema.names == [*EXPORTED, *ANNOTATED, *TOKEN_COLUMNS]
    assert schema.field("created_at").type == pa.timestamp("us", tz="UTC")
    assert schema.field("prompt_tokens").type == pa.int64()
    assert schema.field("ttft_ms").type == pa.float64()
    assert schema.field("streamed") == pa.field("streamed", pa.bool_(), nullable=False)
    assert schema.field("warnings") == pa.field("warnings", pa.string(), nullable=False)
    assert schema.field("error_message") == pa.field("error_message", pa.string())


def test_the_body_keeps_omitted_null_and_values(log: Log) -> None:
    bodies = ['{"model": "m"}', '{"model":  "m", "top_p": null}', '{"model": "m", "top_p": 1.0}']
    first = finished().record()
    logged(log, *(replace(first, id=f"{n:032x}", request_body=body) for n, body in enumerate(bodies)))
    read = columns_of(log)["request_body"]
    assert read == bodies
    assert [json.loads(body).get("top_p", "omitted") for body in read] == ["omitted", None, 1.0]


def test_an_impossible_date_is_unknown(log: Log) -> None:
    logged(log, replace(finished().record(), created_at="2026-99-99T00:00:00.000000Z"))
    assert columns_of(log)["created_at"] == [None]


@pytest.mark.parametrize("steps", [Steps(read=2, rows=4), Steps(read=2, characters=4_000)])
def test_no_more_than_one_row_group_is_in_memory(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: Steps
) -> None:
    records = [
        replace(finished("x" * 900).record(), created_at=f"2026-01-01T00:00:{n:02}.000000Z", position=n)
        for n in range(30)
    ]
    logged(log, *records)
    on_the_disk: list[int] = []

    def look(*_: Any) -> None:
        on_the_disk.extend(path.stat().st_size for path in tmp_path.rglob("runs.parquet"))

    event.listen(log.database.reader, "before_cursor_execute", look)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    file = pq.ParquetFile(io.BytesIO(b"".join(parquet_pieces(log.database, steps=steps))))
    groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert max(groups) <= 4
    # Each group is written before the next one is read.
    assert len(groups) == len(set(on_the_disk)) > 5
    assert file.read(["position"]).to_pydict()["position"] == list(range(30))
    assert [*tmp_path.rglob("*.parquet")] == []


def test_a_condition_leaves_out_all_other_runs(log: Log) -> None:
    written(log, 5)
    moments = file_of(log, runs.c.prompt_tokens >= 3).read().to_pydict()["created_at"]
    assert moments == [FIRST + timedelta(seconds=number) for number in (3, 4)]
    assert moments[0].tzinfo is not None
    assert moments[0].utcoffset() == datetime.now(UTC).utcoffset()


def test_a_log_that_cannot_be_read_to_its_end_leaves_no_file(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(log, 3)

    def break_off(*_: Any) -> None:
        if any(path.stat().st_size > 1_000 for path in tmp_path.rglob("*.parquet")):  # the first run is in it
            raise QueryFailed("The log cannot be read.")

    event.listen(log.database.reader, "before_cursor_execute", break_off)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(QueryFailed):
        next(parquet_pieces(log.database, steps=Steps(read=1, rows=1)))
    assert [*tmp_path.rglob("*.parquet")] == []


def test_an_unwritable_path_raises_an_os_error(log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(OSError, match="missing"):
        next(parquet_pieces(log.database))
