"""Time to first output token, chunk gaps, and the tokens that the decode rate counts.

Earlier runs keep their numbers and have no ``rate_basis``: their rate divides all completion tokens by the span of the
text alone, and their time to first token is that of the first text.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for name in ("ttfo_ms", "gap_p50_ms", "gap_p95_ms", "gap_max_ms"):
        op.add_column("runs", sa.Column(name, sa.Double))
    op.add_column("runs", sa.Column("gap_count", sa.BigInteger))
    op.add_column("runs", sa.Column("rate_basis", sa.String(128)))
