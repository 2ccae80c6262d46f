from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.experiments.data_set import read_data_set
from components.log.export import COLUMNS, Steps, csv_lines
from components.log.log import Log
from components.log.record import RunRecord
from components.log.storable import storable_text
from components.log.tables import runs, to_row
from tests.log.test_export import finished, written

TEXTS = st.text(st.characters(codec=None), max_size=30) | st.text(st.sampled_from("=+-@\t\r\n\"',;\x85\u2028x"))


@pytest.fixture
def log(sqlite_url: str) -> Iterator[Log]:
    """Rows are read by way of the export, which is tested on both kinds of database."""
    opened = Log(sqlite_url)
    yield opened
    opened.close()


def logged(log: Log, record: RunRecord) -> None:
    log.write(lambda connection: connection.execute(runs.delete()))
    log.write(lambda connection: connection.execute(runs.insert(), [to_row(record)]))


def read_back(log: Log) -> list[dict[str, str]]:
    content = b"".join(csv_lines(log.database)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content, newline=""), strict=True))


def without_apostrophes(cell: str) -> str:
    return cell.replace("'", "")


@given(text=TEXTS, reasoning=TEXTS, error=TEXTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_texts_survive_csv_except_for_added_apostrophes(log: Log, text: str, reasoning: str, error: str) -> None:
    logged(log, replace(finished().record(), text=text, reasoning=reasoning, error_message=error))
    (row,) = read_back(log)
    for name, was in {"text": text, "reasoning": reasoning, "error_message": error}.items():
        stored = storable_text(was)
        assert without_apostrophes(row[name]) == without_apostrophes(stored)
        assert not row[name].startswith(("\t", "\r"))
        for part in re.split("[;\t]", row[name]):
            assert not part.lstrip(' \n\r\x85\u2028"').startswith(tuple("=+-@＝＋－＠"))


def test_negative_numbers_stay_numbers_and_unknown_values_are_empty(log: Log) -> None:
    logged(log, replace(finished().record(), text="-1", ttft_ms=-1.5, prompt_tokens=None, streamed=True))
    (row,) = read_back(log)
    assert (row["text"], row["ttft_ms"], row["prompt_tokens"], row["streamed"]) == ("'-1", "-1.5", "", "True")


def test_csv_has_the_columns_of_parquet_and_no_owner(log: Log) -> None:
    logged(log, replace(finished().record(), raw_error="what came", draft="{}"))
    (row,) = read_back(log)
    names = [field.name for field in fields(RunRecord) if field.name != "owner"]
    assert list(row) == [*names, "rating", "tags", "notes"]
    assert (row["raw_error"], row["draft"]) == ("what came", "{}")
    assert [*COLUMNS] == list(row)


def test_the_file_begins_with_one_byte_order_mark(log: Log) -> None:
    logged(log, replace(finished().record(), text="naïve 日本 🎉"))
    content = b"".join(csv_lines(log.database))
    assert content.startswith(codecs.BOM_UTF8)
    assert content.count(codecs.BOM_UTF8) == 1
    assert read_data_set("runs.csv", content).rows[0]["text"] == "naïve 日本 🎉"
    assert read_data_set("runs.csv", content.removeprefix(codecs.BOM_UTF8)) == read_data_set("runs.csv", content)


def test_the_header_comes_once_and_lines_end_as_in_rfc_4180(log: Log) -> None:
    written(log, 10)
    pieces = list(csv_lines(log.database, steps=Steps(examined=4, read=3)))
    assert len(pieces) == 11
    assert all(piece.endswith(b"\r\n") for piece in pieces)
    assert b"".join(pieces).count(b"prompt_tokens") == 1
    assert [row["prompt_tokens"] for row in read_back(log)] == [str(number) for number in range(10)]


def test_an_empty_log_gives_the_header_only(log: Log) -> None:
    (names,) = csv_lines(log.database)
    assert names.startswith(codecs.BOM_UTF8 + b"id,created_at,")


def test_a_condition_leaves_out_all_other_runs(log: Log) -> None:
    written(log, 5)
    assert len(list(csv_lines(log.database, runs.c.prompt_tokens >= 3))) == 3
