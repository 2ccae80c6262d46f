"""PostgreSQL keeps the words of a run in a column, and finds settings by an index.

The statistics of a column tell the planner how frequent a word is; those of an expression were not enough. The table is
written anew, which takes minutes for a million runs; during this time the writes of other processes wait and are
repeated.
"""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    op.execute("drop index if exists runs_search")
    # A running answer changes four times a second and is not searched. A word list is at most 1 MB long.
    op.execute(
        "alter table runs add column runs_search_words tsvector generated always as (case when status <> 'running' "
        "then to_tsvector('simple', left(prompt, 100000) || ' ' || left(text, 100000)) end) stored"
    )
    op.execute("create index runs_search on runs using gin (runs_search_words)")
    op.execute(r"create index runs_search_settings on runs using gin (string_to_array(settings, E'\n'))")
    op.execute("analyze runs")
