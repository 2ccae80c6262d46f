"""The tables through which replicas communicate: stops, the makers of experiments, and a demo's queue and attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run = sa.ForeignKey("runs.id", ondelete="CASCADE")
    op.create_table(
        "stop_requests",
        sa.Column("run_id", sa.String(32), run, primary_key=True),
        sa.Column("requested_at", sa.String(27), nullable=False),
    )
    op.create_table(
        "experiment_claims",
        sa.Column("experiment_id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.Text, primary_key=True, server_default="local"),
        sa.Column("process", sa.String(32), nullable=False),
        sa.Column("heartbeat_at", sa.String(27), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("request", sa.Text),
    )
    op.create_table(
        "waiting_runs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("visitor", sa.Text, nullable=False),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("joined_at", sa.String(27), nullable=False),
        sa.Column("alive_at", sa.String(27), nullable=False),
    )
    op.create_table(
        "attempts",
        sa.Column("network", sa.Text, primary_key=True),
        sa.Column("minute_began", sa.String(27), nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    op.add_column("reservations", sa.Column("experiment_id", sa.String(32)))
    op.add_column("reservations", sa.Column("max_tokens", sa.BigInteger))
    op.create_index("reservations_of_an_experiment", "reservations", ["experiment_id"])
