"""Searchable columns of runs: prompts, settings, annotations, a full-text index; and owners."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from components.log.request_summary import summarize_request
from components.log.storable import storable

revision = "0004"
down_revision = "0003"

_READ_AT_ONCE = 500

_FTS = (
    # The index stores no copy of the texts. The texts of an ended run never change.
    "create virtual table runs_search "
    "using fts5(prompt, text, content='runs', tokenize='unicode61 remove_diacritics 2')",
    "create trigger runs_search_ended after update of status on runs "
    "when old.status = 'running' and new.status <> 'running' begin "
    "insert into runs_search(rowid, prompt, text) values (new.rowid, new.prompt, new.text); end",
    "create trigger runs_search_added after insert on runs when new.status <> 'running' begin "
    "insert into runs_search(rowid, prompt, text) values (new.rowid, new.prompt, new.text); end",
    "create trigger runs_search_deleted after delete on runs when old.status <> 'running' begin "
    "insert into runs_search(runs_search, rowid, prompt, text) "
    "values ('delete', old.rowid, old.prompt, old.text); end",
    "insert into runs_search(rowid, prompt, text) select rowid, prompt, text from runs where status <> 'running'",
)


def upgrade() -> None:
    for name in ("prompt", "settings"):
        op.add_column("runs", sa.Column(name, sa.Text, nullable=False, server_default=""))
    _fill()
    op.add_column("runs", _owner())
    op.create_index("runs_of_an_owner", "runs", ["owner", "created_at", "id"])
    for name in ("status", "endpoint", "model"):
        op.create_index(f"runs_by_{name}", "runs", ["owner", name, "created_at", "id"])
    for name in ("ttft_ms", "tokens_per_second", "total_ms", "completion_tokens"):
        op.create_index(f"runs_by_{name}", "runs", ["owner", name, "id"])
    under_way = sa.text("status = 'running'")
    op.create_index("runs_under_way", "runs", ["heartbeat_at"], sqlite_where=under_way, postgresql_where=under_way)
    _give_owners()
    op.create_table(
        "run_annotations",
        sa.Column("run_id", sa.String(32), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("rating", sa.Integer),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("changed_at", sa.String(27), nullable=False),
    )
    op.create_index("run_annotations_by_rating", "run_annotations", ["rating"])
    # PostgreSQL's index is made by 0010: no release had the one that was here.
    if op.get_bind().dialect.name == "sqlite":
        for statement in _FTS:
            op.execute(statement)


def _owner(**more: Any) -> sa.Column[str]:
    return sa.Column("owner", sa.Text, nullable=False, server_default="local", **more)


def _give_owners() -> None:
    """Add the owner to three tables. SQLite cannot change a key, so each table is created again."""
    op.drop_index("experiments_newest_first", "experiments")
    name = sa.Column("name", sa.Text, nullable=False)
    kind = sa.Column("kind", sa.String(16), nullable=False)
    made: dict[str, list[sa.Column[Any]]] = {
        "presets": [name, _content(), _moment("created_at"), _owner()],
        "drafts": [_owner(primary_key=True), _content(), _moment("updated_at")],
        "experiments": [_owner(primary_key=True), kind, _content(), _moment("created_at")],
    }
    for table, columns in made.items():
        op.rename_table(table, f"{table}_before")
        op.create_table(table, sa.Column("id", sa.String(32), primary_key=True), *columns)
        kept = ["id", *(column.name for column in columns if column.name != "owner")]
        before, after = (sa.table(name, *map(sa.column, kept)) for name in (f"{table}_before", table))
        op.execute(after.insert().from_select(kept, before.select()))
        op.drop_table(f"{table}_before")
    op.create_index("presets_by_name", "presets", ["owner", "name"], unique=True)
    op.create_index("experiments_newest_first", "experiments", ["owner", "created_at", "id"])


def _content() -> sa.Column[str]:
    return sa.Column("content", sa.Text, nullable=False)


def _moment(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(27), nullable=False)


def _fill() -> None:
    connection = op.get_bind()
    runs = sa.table("runs", *map(sa.column, ("id", "request_body", "prompt", "settings")))
    update = runs.update().where(runs.c.id == sa.bindparam("run"))
    after = ""
    while True:
        step = sa.select(runs.c.id, runs.c.request_body).where(runs.c.id > after).order_by(runs.c.id)
        rows = connection.execute(step.limit(_READ_AT_ONCE)).all()
        if not rows:
            return
        summaries = [(row.id, summarize_request(row.request_body)) for row in rows]
        connection.execute(
            update,
            [
                {"run": run, "prompt": storable(summary.prompt), "settings": storable(summary.settings)}
                for run, summary in summaries
            ],
        )
        after = rows[-1].id
