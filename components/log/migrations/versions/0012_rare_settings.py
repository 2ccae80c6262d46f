"""SQLite finds settings by an index of their words; PostgreSQL has one since 0010."""

from alembic import op

revision = "0012"
down_revision = "0011"

_NEW = "insert into runs_search_settings(rowid, settings) values (new.rowid, new.settings);"
_OLD = (
    "insert into runs_search_settings(runs_search_settings, rowid, settings) "
    "values ('delete', old.rowid, old.settings);"
)

_INDEX = (
    "create virtual table runs_search_settings "
    "using fts5(settings, content='runs', tokenize='unicode61 remove_diacritics 2')",
    f"create trigger runs_search_settings_added after insert on runs begin {_NEW} end",
    f"create trigger runs_search_settings_deleted after delete on runs begin {_OLD} end",
    # Each write of a running run names all columns.
    "create trigger runs_search_settings_changed after update of settings on runs "
    f"when old.settings <> new.settings begin {_OLD} {_NEW} end",
    "insert into runs_search_settings(rowid, settings) select rowid, settings from runs",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in _INDEX:
            op.execute(statement)
