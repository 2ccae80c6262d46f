"""Facts that endpoints report: served model, configuration, request id; and the further choices."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for name in ("served_model", "system_fingerprint", "request_id"):
        op.add_column("runs", sa.Column(name, sa.Text))
    op.add_column("runs", sa.Column("further_choices", sa.Text, nullable=False, server_default="[]"))
