"""Stored bytes per owner, counted by triggers along with every row."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# The bytes of a row besides its unbounded texts, with its index entries; and these texts.
_OWNED = {
    "runs": (
        1_000,
        "endpoint model request_body text reasoning finish_reason error_message raw_error warnings retries tool_calls "
        "draft determinism prompt settings further_choices",
    ),
    "presets": (200, "name content"),
    "drafts": (200, "content"),
    "experiments": (200, "content"),
    "capsules": (200, "title content"),
}
# The run that a row refers to.
_OF_RUN = {
    "events": (50, "content", "run_id"),
    "run_annotations": (100, "tags notes", "run_id"),
    "votes": (200, "first_setting second_setting", "first_run"),
}


def upgrade() -> None:
    op.create_table(
        "kept_bytes",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("network", sa.Text),
        sa.Column("seen_at", sa.String(27)),
        sa.Column("bytes", sa.BigInteger, nullable=False),
    )
    op.create_index("kept_bytes_of_a_network", "kept_bytes", ["network", "seen_at"])
    for table, (fixed, texts) in _OWNED.items():
        _keep(f"select owner, sum({_size(fixed, texts)}) from {table} where true group by owner")
    for table, (fixed, texts, run) in _OF_RUN.items():
        summed = f"sum({_size(fixed, texts, f'{table}.')})"
        _keep(f"select runs.owner, {summed} from {table} join runs on runs.id = {table}.{run} group by runs.owner")
    for table, (fixed, texts) in _OWNED.items():
        new, old = _size(fixed, texts, "new."), _size(fixed, texts, "old.")
        _trigger(table, "insert", _kept(f"select new.owner, {new} where true"))
        _trigger(table, "update", f"update kept_bytes set bytes = bytes + {new} - {old} where owner = new.owner;")
        if table != "runs":
            _trigger(table, "delete", f"update kept_bytes set bytes = bytes - {old} where owner = old.owner;")
    for table, (fixed, texts, run) in _OF_RUN.items():
        new, old = _size(fixed, texts, "new."), _size(fixed, texts, "old.")
        change = "update kept_bytes set bytes = bytes + ({}) where owner = (select owner from runs where id = {});"
        _trigger(table, "insert", change.format(new, f"new.{run}"))
        _trigger(table, "update", change.format(f"{new} - {old}", f"new.{run}"))
        # A row deleted with its run finds no owner here; the run's own count covered it.
        _trigger(table, "delete", change.format(f"-{old}", f"old.{run}"))
    along = "".join(
        f" + (select coalesce(sum({_size(fixed, texts)}), 0) from {table} where {run} = old.id)"
        for table, (fixed, texts, run) in _OF_RUN.items()
    )
    gone = _size(*_OWNED["runs"], "old.")
    _trigger(
        "runs", "delete", f"update kept_bytes set bytes = bytes - ({gone}{along}) where owner = old.owner;", "before"
    )


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _size(fixed: int, texts: str, of: str = "") -> str:
    one = "coalesce(length(cast({} as blob)), 0)" if _is_sqlite() else "coalesce(octet_length({}), 0)"
    return f"({' + '.join([str(fixed), *(one.format(of + name) for name in texts.split())])})"


def _kept(rows: str) -> str:
    added = "on conflict (owner) do update set bytes = kept_bytes.bytes + excluded.bytes"
    return f"insert into kept_bytes(owner, bytes) {rows} {added};"


def _keep(rows: str) -> None:
    op.execute(_kept(rows).rstrip(";"))


def _trigger(table: str, event: str, statement: str, when: str = "after") -> None:
    name = f"{table}_kept_{event}"
    if _is_sqlite():
        op.execute(f"create trigger {name} {when} {event} on {table} begin {statement} end")
        return
    found = "old" if event == "delete" else "new"
    body = f"begin {statement} return {found}; end"
    op.execute(f"create or replace function {name}() returns trigger language plpgsql as $$ {body} $$")
    op.execute(f"create trigger {name} {when} {event} on {table} for each row execute function {name}()")
