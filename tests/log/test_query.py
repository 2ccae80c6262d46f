"""Reading stays quick in a large log. ``python -m tests.benchmarks.log_size`` measures it with a million runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import event, text

from components.log.database import Database
from components.log.query import count_runs, find_run
from components.log.search import page_of
from components.log.view import View
from tests.log.exports import export_runs
from tests.log.many_rows import fill

ROWS = 12_000


@pytest.fixture
def large(url: str) -> Iterator[Database]:
    database = Database(url)
    fill(database, ROWS, "x" * 300)
    if database.writer.dialect.name == "postgresql":
        with database.writer.begin() as connection:
            connection.execute(text("analyze runs"))
    yield database
    database.close()


def test_a_large_log_is_read_by_index_and_without_long_texts(large: Database) -> None:
    statements: list[tuple[str, object]] = []
    event.listen(
        large.reader, "before_cursor_execute", lambda _c, _u, sql, values, *_: statements.append((sql, values))
    )
    newest = page_of(large, View(), limit=500).runs
    found = find_run(large, newest["id"][0])
    first_exported = next(export_runs(large))
    assert count_runs(large) == ROWS
    assert len(newest) == 500
    assert found.id in newest["id"].tolist()
    assert found.id not in first_exported
    selects = [(sql, values) for sql, values in statements if sql.startswith("SELECT")]
    assert len(selects) == 6
    for sql, values in selects:
        # SQLAlchemy writes OFFSET for SQLite with every LIMIT; an export skips only the keys of its step.
        given = [*values.values()] if isinstance(values, dict) else [*values]
        assert "OFFSET" not in sql or given[-1] == 0 or 1_999 in given
        # The few rows of a step, found by the index, may be sorted.
        of_a_step = " IN " in sql or "<=" in sql
        if "count(" not in sql:
            assert reads_by_index(large, sql, values, may_sort=of_a_step), sql
    in_list = selects[0][0].partition("FROM")[0]
    assert "runs.text" not in in_list.replace("substr(runs.text,", "")
    assert "request_body" not in in_list
    assert "reasoning" not in in_list


def reads_by_index(database: Database, sql: str, values: object, *, may_sort: bool) -> bool:
    sqlite = database.reader.dialect.name == "sqlite"
    with database.reader.begin() as connection:
        if not sqlite:
            # Costs are estimates: a scan of this small table may seem as cheap as the index.
            connection.execute(text("set local enable_seqscan = off"))
        explained = connection.exec_driver_sql(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + sql, values)
        plan = "\n".join(str(row) for row in explained)
    by_index = re.search("USING (COVERING )?INDEX" if sqlite else "Index (Only )?Scan", plan) is not None
    if sqlite and " IN " in sql:  # only the runs of these ids, not all runs of their owner
        by_index = "(id=?)" in plan
    return by_index and (may_sort or ("TEMP B-TREE" not in plan and "Sort" not in plan))
