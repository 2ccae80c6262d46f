"""The tables of the log's database. The columns of ``runs`` are the fields of ``RunRecord``."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    exists,
    literal_column,
)
from sqlalchemy.dialects import postgresql, sqlite

from components.log.owned import LOCAL
from components.log.record import RunRecord
from components.log.storable import storable

metadata = MetaData()


def _owner(**more: Any) -> Column[str]:
    return Column("owner", Text, nullable=False, server_default=LOCAL, **more)


UNDER_WAY = literal_column("status = 'running'", Boolean)
"""The condition of an index: said with a parameter, it would not be found to be the same."""

runs = Table(
    "runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("created_at", String(27), nullable=False),
    Column("heartbeat_at", String(27), nullable=False),
    Column("finished_at", String(27)),
    Column("status", String(16), nullable=False),
    Column("error_kind", String(32)),
    Column("error_message", Text),
    Column("raw_error", Text),
    Column("http_status", BigInteger),
    Column("endpoint", Text, nullable=False),
    Column("dialect", String(16), nullable=False),
    Column("model", Text, nullable=False),
    Column("request_body", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("reasoning", Text, nullable=False),
    Column("finish_reason", Text),
    Column("prompt_tokens", BigInteger),
    Column("completion_tokens", BigInteger),
    Column("total_tokens", BigInteger),
    Column("first_byte_ms", Double),
    Column("first_event_ms", Double),
    Column("reasoning_ms", Double),
    Column("ttft_ms", Double),
    Column("waited_ms", Double),
    Column("total_ms", Double),
    Column("tokens_per_second", Double),
    Column("chunk_count", BigInteger, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("streamed", Boolean, nullable=False),
    Column("warnings", Text, nullable=False),
    Column("retries", Text, nullable=False),
    Column("tool_calls", Text, nullable=False),
    Column("app_version", String(32), nullable=False),
    Column("event_count", BigInteger, nullable=False, server_default="0"),
    Column("draft", Text),
    Column("connect_ms", Double),
    Column("queued_ms", Double),
    Column("cached_tokens", BigInteger),
    Column("experiment_id", String(32)),
    Column("lane", String(32)),
    Column("position", BigInteger),
    Column("repeat", BigInteger),
    Column("timing", String(32)),
    Column("concurrency", BigInteger),
    Column("checks", String(32)),
    Column("determinism", Text),
    Column("served_model", Text),
    Column("system_fingerprint", Text),
    Column("request_id", Text),
    Column("further_choices", Text, nullable=False, server_default="[]"),
    Column("prompt", Text, nullable=False, server_default=""),
    Column("settings", Text, nullable=False, server_default=""),
    _owner(),
    Column("ttfo_ms", Double),
    Column("gap_p50_ms", Double),
    Column("gap_p95_ms", Double),
    Column("gap_max_ms", Double),
    Column("gap_count", BigInteger),
    Column("rate_basis", String(128)),
    Index("runs_newest_first", "created_at", "id"),
    Index("runs_of_an_experiment", "experiment_id"),
    Index("runs_of_an_owner", "owner", "created_at", "id"),
    *(Index(f"runs_by_{name}", "owner", name, "created_at", "id") for name in ("status", "endpoint", "model")),
    *(Index(f"runs_by_{name}", "owner", name, "id") for name in ("ttft_ms", "tokens_per_second", "total_ms")),
    Index("runs_by_completion_tokens", "owner", "completion_tokens", "id"),
    Index("runs_under_way", "heartbeat_at", sqlite_where=UNDER_WAY, postgresql_where=UNDER_WAY),
)

run_annotations = Table(
    "run_annotations",
    metadata,
    Column("run_id", String(32), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("rating", Integer),
    Column("tags", Text, nullable=False),
    Column("notes", Text, nullable=False),
    Column("changed_at", String(27), nullable=False),
    Index("run_annotations_by_rating", "rating"),
)
"""What people say about a run: from 1 to 5 stars, tags as lines, notes."""

events = Table(
    "events",
    metadata,
    Column("run_id", String(32), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("first", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)
"""Segments of the events of a run. ``first`` is the index of a segment's first event; ``content`` is what pack made."""

presets = Table(
    "presets",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("created_at", String(27), nullable=False),
    _owner(),
    Index("presets_by_name", "owner", "name", unique=True),
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", String(32), primary_key=True),
    _owner(primary_key=True),
    Column("content", Text, nullable=False),
    Column("updated_at", String(27), nullable=False),
)

experiments = Table(
    "experiments",
    metadata,
    Column("id", String(32), primary_key=True),
    _owner(primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("content", Text, nullable=False),
    Column("created_at", String(27), nullable=False),
    Index("experiments_newest_first", "owner", "created_at", "id"),
)
"""What several runs were made for; ``content`` is JSON that only what made it can read."""

votes = Table(
    "votes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("created_at", String(27), nullable=False),
    Column("first_run", String(32), ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("second_run", String(32), ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("first_setting", Text, nullable=False),
    Column("second_setting", Text, nullable=False),
    Column("better", String(16), nullable=False),
    Column("blind", Boolean, nullable=False),
    Index("votes_of_a_first_run", "first_run"),
    Index("votes_of_a_second_run", "second_run"),
)
"""Which of two answers somebody found better. Each setting is what the other does not have, in words."""


capsules = Table(
    "capsules",
    metadata,
    Column("id", String(22), primary_key=True),
    _owner(),
    Column("kind", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("expires_at", String(27), nullable=False),
    Index("capsules_newest_first", "owner", "created_at", "id"),
    Index("capsules_by_end", "expires_at"),
)
"""Frozen copies that whoever has the id may read, until ``expires_at``. The id is 128 random bits."""

reservations = Table(
    "reservations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("visitor", Text, nullable=False),
    Column("network", Text, nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("alive_at", String(27), nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("settled", Boolean, nullable=False),
    Index("reservations_of_a_visitor", "visitor", "created_at"),
    Index("reservations_of_a_network", "network", "created_at"),
    Index("reservations_by_day", "created_at"),
)
"""What visitors of a demo may use and have used: one row a run, kept for two days."""

kept_bytes = Table(
    "kept_bytes",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("network", Text),
    Column("seen_at", String(27)),
    Column("bytes", BigInteger, nullable=False),
    Index("kept_bytes_of_a_network", "network", "seen_at"),
)
"""What all rows of an owner take together, kept by triggers; where the owner was seen last, and when."""


def to_row(record: RunRecord) -> dict[str, Any]:
    """The record as every database can keep it.

    NUL and surrogates without their other half become U+FFFD; a number that is none, or needs more than 64 bits,
    becomes None.
    """
    return {field.name: storable(getattr(record, field.name)) for field in fields(record)}


def owned(table: Table, owner: str) -> ColumnElement[bool]:
    """That a row belongs to the owner: itself, or the run that it says something of."""
    if "owner" in table.c:
        return table.c.owner == owner
    of_run = table.c["first_run" if table is votes else "run_id"]
    return exists().where(runs.c.id == of_run, runs.c.owner == owner)


def upsert(dialect: str, table: Table, *key: str, only_if: Any = None, leave: tuple[str, ...] = ()) -> Any:
    """A statement that inserts the row it is executed with, or updates the row of the same ``key``: all but the id.

    What ``leave`` names stays as it is in a row that is there.

    ``key`` is the table's own unless it is given. ``only_if`` is a condition on the row that is there; where it does
    not hold, that row stays as it is. Making the statement takes several times as long as executing it.
    """
    insert: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = insert(table)
    same = key or tuple(column.name for column in table.primary_key)
    changed = {
        column.name: statement.excluded[column.name] for column in table.c if column.name not in ("id", *same, *leave)
    }
    return statement.on_conflict_do_update(index_elements=list(same), set_=changed, where=only_if)
