"""Experiments, votes, and the placement of a run in an experiment."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for column in (
        sa.Column("connect_ms", sa.Double),
        sa.Column("queued_ms", sa.Double),
        sa.Column("cached_tokens", sa.BigInteger),
        sa.Column("experiment_id", sa.String(32)),
        sa.Column("lane", sa.String(32)),
        sa.Column("position", sa.BigInteger),
        sa.Column("repeat", sa.BigInteger),
        sa.Column("timing", sa.String(32)),
        sa.Column("concurrency", sa.BigInteger),
        sa.Column("checks", sa.String(32)),
        sa.Column("determinism", sa.Text),
    ):
        op.add_column("runs", column)
    op.create_index("runs_of_an_experiment", "runs", ["experiment_id"])
    op.create_table(
        "experiments",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
    )
    op.create_index("experiments_newest_first", "experiments", ["created_at", "id"])
    op.create_table(
        "votes",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("first_run", sa.String(32), sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("second_run", sa.String(32), sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("first_setting", sa.Text, nullable=False),
        sa.Column("second_setting", sa.Text, nullable=False),
        sa.Column("better", sa.String(16), nullable=False),
        sa.Column("blind", sa.Boolean, nullable=False),
    )
    op.create_index("votes_of_a_first_run", "votes", ["first_run"])
    op.create_index("votes_of_a_second_run", "votes", ["second_run"])
