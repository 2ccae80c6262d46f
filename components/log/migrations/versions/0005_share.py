"""Capsules that are shared by link, and the usage of visitors of a demo."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "capsules",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False, server_default="local"),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("expires_at", sa.String(27), nullable=False),
    )
    op.create_index("capsules_newest_first", "capsules", ["owner", "created_at", "id"])
    op.create_index("capsules_by_end", "capsules", ["expires_at"])
    op.create_table(
        "reservations",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("visitor", sa.Text, nullable=False),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("alive_at", sa.String(27), nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
    )
    op.create_index("reservations_of_a_visitor", "reservations", ["visitor", "created_at"])
    op.create_index("reservations_of_a_network", "reservations", ["network", "created_at"])
    op.create_index("reservations_by_day", "reservations", ["created_at"])
