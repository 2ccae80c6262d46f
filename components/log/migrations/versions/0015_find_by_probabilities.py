"""Indexes of the numbers of an answer's tokens, for filters and orders; runs without probabilities are not in them."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    for name in ("mean_logprob", "perplexity", "lowest_probability", "mean_entropy"):
        where = sa.text(f"{name} is not null")
        op.create_index(f"runs_by_{name}", "runs", ["owner", name, "id"], sqlite_where=where, postgresql_where=where)
