"""Whether an answer passes its checks, and their results, which are counted with the bytes of their owner."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_ADD = "update kept_bytes set bytes = bytes + ({}) where owner = {}.owner;"
_CHECKED = "check_results is not null"


def upgrade() -> None:
    op.add_column("runs", sa.Column("passed", sa.Boolean))
    op.add_column("runs", sa.Column("check_results", sa.Text))
    where = sa.text(_CHECKED)
    op.create_index(
        "runs_by_passed", "runs", ["owner", "passed", "created_at", "id"], sqlite_where=where, postgresql_where=where
    )
    new, old = _size("new"), _size("old")
    kept = f"insert into kept_bytes(owner, bytes) select new.owner, {new} where true "
    kept += "on conflict (owner) do update set bytes = kept_bytes.bytes + excluded.bytes;"
    _trigger("insert", "insert", f"new.{_CHECKED}", kept)
    # Runs without checks, which are written four times a second while they go on, cost no update.
    changed = f"new.{_CHECKED} or old.{_CHECKED}"
    _trigger("update", "update of check_results", changed, _ADD.format(f"{new} - {old}", "new"))
    _trigger("delete", "delete", f"old.{_CHECKED}", _ADD.format(f"-{old}", "old"))


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _size(row: str) -> str:
    column = f"{row}.check_results"
    return f"coalesce({f'length(cast({column} as blob))' if _is_sqlite() else f'octet_length({column})'}, 0)"


def _trigger(event: str, when: str, condition: str, statement: str) -> None:
    name = f"runs_kept_checks_{event}"
    if _is_sqlite():
        op.execute(f"create trigger {name} after {when} on runs when {condition} begin {statement} end")
        return
    body = f"begin {statement} return null; end"
    op.execute(f"create or replace function {name}() returns trigger language plpgsql as $$ {body} $$")
    op.execute(f"create trigger {name} after {when} on runs for each row when ({condition}) execute function {name}()")
