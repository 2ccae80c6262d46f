"""The tables of the log's database. The columns of ``runs`` are the facts of a run."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, get_args

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
    false,
    func,
    literal_column,
)
from sqlalchemy.dialects import postgresql, sqlite

from components.log.record import FACTS, LOCAL, NUMBERS, TYPES, RunRecord
from components.log.storable import storable
from components.streaming.outcome import Status

WHOLE_LOG = {"whole_log": True}
"""The execution options of the few maintenance statements that reach the rows of all owners."""

metadata = MetaData()


def _owner(**more: Any) -> Column[str]:
    return Column("owner", Text, nullable=False, server_default=LOCAL, **more)


UNDER_WAY = literal_column("status = 'running'", Boolean)
"""The condition of an index, as a literal: with a parameter the planner would not match the index."""
CHECKED = literal_column("check_results is not null", Boolean)
"""The condition of runs with checks; a literal for the same reason."""


def run_column(name: str) -> Column[Any]:
    """The column of a fact, not yet part of a table."""
    length, (kind, *none) = FACTS[name].length, get_args(TYPES[name]) or (TYPES[name],)
    stored = String(length) if length else {str: Text, int: BigInteger, float: Double, bool: Boolean}[kind]
    return Column(name, stored, primary_key=name == "id", nullable=bool(none))


def _index_of(name: str) -> Index:
    # Few runs have the probabilities of their tokens.
    where = literal_column(f"{name} is not null", Boolean) if NUMBERS[name].of_answer else None
    return Index(f"runs_by_{name}", "owner", name, "id", sqlite_where=where, postgresql_where=where)


runs = Table(
    "runs",
    metadata,
    *map(run_column, FACTS),
    Index("runs_newest_first", "created_at", "id"),
    Index("runs_of_an_experiment", "experiment_id"),
    Index("runs_of_an_owner", "owner", "created_at", "id"),
    *(Index(f"runs_by_{name}", "owner", name, "created_at", "id") for name in ("status", "endpoint", "model")),
    *(_index_of(name) for name, number in NUMBERS.items() if number.sortable),
    Index("runs_by_passed", "owner", "passed", "created_at", "id", sqlite_where=CHECKED, postgresql_where=CHECKED),
    Index("runs_under_way", "heartbeat_at", sqlite_where=UNDER_WAY, postgresql_where=UNDER_WAY),
)

ENDED = runs.c.status != Status.RUNNING.value
"""The condition of a run that has ended."""
NEWEST_FIRST = runs.c.created_at.desc(), runs.c.id.desc()
"""The order of lists of runs."""

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
"""Annotations of runs: 1 to 5 stars, tags as lines, notes."""

events = Table(
    "events",
    metadata,
    Column("run_id", String(32), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("first", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)
"""Segments of the events of a run. ``first`` is the index of a segment's first event; ``content`` is a pack."""

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

stop_requests = Table(
    "stop_requests",
    metadata,
    Column("run_id", String(32), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("requested_at", String(27), nullable=False),
)
"""Requests to stop runs, for the processes that make them."""

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
"""Experiments of several runs; ``content`` is JSON in the format of the code that made it."""

experiment_claims = Table(
    "experiment_claims",
    metadata,
    Column("experiment_id", String(32), primary_key=True),
    _owner(primary_key=True),
    Column("process", String(32), nullable=False),
    Column("heartbeat_at", String(27), nullable=False),
    Column("content", Text, nullable=False),
    Column("request", Text),
)
"""The process that makes the runs of an experiment: its progress, and other processes' requests to it, as JSON."""

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
"""Votes between two answers. Each setting lists its differences from the other, in words."""


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
    Column("keeps_reproductions", Boolean, nullable=False, server_default=false()),
    Column("has_card", Boolean, nullable=False, server_default=false()),
    Index("capsules_newest_first", "owner", "created_at", "id"),
    Index("capsules_by_end", "expires_at"),
)
"""Capsules, readable by id until ``expires_at``. The id is 128 random bits."""

reproductions = Table(
    "reproductions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("capsule_id", String(22), ForeignKey("capsules.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("verdict", String(16), nullable=False),
    Index("reproductions_of_a_capsule", "capsule_id", "created_at"),
)
"""The verdicts of visitors who sent the requests of a capsule again, for capsules whose owner collects them."""

signing_key = Table(
    "signing_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seed", LargeBinary, nullable=False),
)
"""The one row holds the private key, 32 bytes, that signs shared files."""

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
    Column("experiment_id", String(32)),
    Column("max_tokens", BigInteger),
    Index("reservations_of_a_visitor", "visitor", "created_at"),
    Index("reservations_of_a_network", "network", "created_at"),
    Index("reservations_by_day", "created_at"),
    Index("reservations_of_an_experiment", "experiment_id"),
)
"""The reserved and actual usage of visitors of a demo: one row per run, kept for two days."""

waiting_runs = Table(
    "waiting_runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("visitor", Text, nullable=False),
    Column("network", Text, nullable=False),
    Column("joined_at", String(27), nullable=False),
    Column("alive_at", String(27), nullable=False),
)
"""The queue of a demo: the runs of all processes that wait for a slot."""

attempts = Table(
    "attempts",
    metadata,
    Column("network", Text, primary_key=True),
    Column("minute_began", String(27), nullable=False),
    Column("count", BigInteger, nullable=False),
)
"""The number of runs that each network of a demo requested within its minute."""

kept_bytes = Table(
    "kept_bytes",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("network", Text),
    Column("seen_at", String(27)),
    Column("bytes", BigInteger, nullable=False),
    Index("kept_bytes_of_a_network", "network", "seen_at"),
)
"""The stored bytes of each owner, kept by triggers; the owner's last network, and when."""


def to_row(record: RunRecord) -> dict[str, Any]:
    """The record in a form that every database can store.

    NUL and lone surrogates become U+FFFD; NaN, infinities, and integers beyond 64 bits become None.
    """
    return {name: None if value is None else storable(value) for name, value in vars(record).items()}


def owned(table: Table, owner: str) -> ColumnElement[bool]:
    """The condition that a row, or the run that it refers to, belongs to the owner."""
    if "owner" in table.c:
        return table.c.owner == owner
    of_run = table.c["first_run" if table is votes else "run_id"]
    return exists().where(runs.c.id == of_run, runs.c.owner == owner)


def owned_runs(owner: str, ids: Collection[str]) -> ColumnElement[bool]:
    """The condition that a run has one of these ids and belongs to the owner.

    The function keeps SQLite from its indexes that begin with the owner: from three ids on, it would read such an index
    as a whole, however few runs are asked for.
    """
    return runs.c.id.in_(ids) & (func.coalesce(runs.c.owner, "") == owner)


def upsert(dialect: str, table: Table, *key: str, only_if: Any = None, leave: tuple[str, ...] = ()) -> Any:
    """A statement that inserts a row, or updates all but the id of the row with the same ``key``.

    An update leaves the columns in ``leave`` unchanged.

    ``key`` defaults to the table's own. ``only_if`` is a condition on the existing row, which otherwise stays
    unchanged. Building the statement takes several times as long as executing it.
    """
    insert: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = insert(table)
    index_columns = key or tuple(column.name for column in table.primary_key)
    unchanged = {"id", *index_columns, *leave}
    changed = {column.name: statement.excluded[column.name] for column in table.c if column.name not in unchanged}
    return statement.on_conflict_do_update(index_elements=list(index_columns), set_=changed, where=only_if)
