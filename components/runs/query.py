"""Reads runs from the log. Lists never carry the long texts."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from components.runs.database import Database, reason
from components.runs.run import RunRecord
from components.runs.tables import runs

_LIST = (
    runs.c.id,
    runs.c.created_at,
    runs.c.status,
    runs.c.error_kind,
    runs.c.finish_reason,
    runs.c.endpoint,
    runs.c.model,
    func.substr(runs.c.text, 1, 120).label("answer_begin"),
    runs.c.prompt_tokens,
    runs.c.completion_tokens,
    runs.c.ttft_ms,
    runs.c.tokens_per_second,
    runs.c.total_ms,
)

_ID = re.compile("[0-9a-f]{32}")


class QueryFailed(Exception):
    """The log could not be read. The message is a sentence that says why and what to do."""


def newest_runs(database: Database, most: int) -> pd.DataFrame:
    """The newest runs first, at most so many, one row each. Raises QueryFailed."""
    statement = select(*_LIST).order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(most)
    return pd.DataFrame(read_rows(database, statement), columns=[column.name for column in _LIST])


def count_runs(database: Database) -> int:
    """How many runs the log holds. Raises QueryFailed."""
    return int(read_rows(database, select(func.count().label("runs")).select_from(runs))[0]["runs"])


def find_run(database: Database, run_id: str) -> RunRecord | None:
    """The run of exactly that id, or None. Raises QueryFailed."""
    # What is no id is not asked for: PostgreSQL refuses some texts.
    found = read_rows(database, select(runs).where(runs.c.id == run_id)) if _ID.fullmatch(run_id) else []
    return RunRecord(**found[0]) if found else None


def read_rows(database: Database, statement: Any) -> list[dict[str, Any]]:
    """The rows of a statement, by the names of their columns. Raises QueryFailed."""
    try:
        with database.reader.begin() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]
    except SQLAlchemyError as error:
        raise QueryFailed(f"The log cannot be read: {database.place}: {reason(error)}") from None
