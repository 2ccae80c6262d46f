"""Whether the owner of a capsule wants a card where its link is posted."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("capsules", sa.Column("has_card", sa.Boolean, nullable=False, server_default=sa.false()))
