"""The key that signs shared files, and what came of requests of capsules that were sent again."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("capsules", sa.Column("keeps_reproductions", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "reproductions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("capsule_id", sa.String(22), sa.ForeignKey("capsules.id", ondelete="CASCADE"), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
    )
    op.create_index("reproductions_of_a_capsule", "reproductions", ["capsule_id", "created_at"])
    op.create_table(
        "signing_key",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seed", sa.LargeBinary, nullable=False),
    )
